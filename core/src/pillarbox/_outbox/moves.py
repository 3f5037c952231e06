"""Steps as statements: one is taken only where the entry still stands where it starts."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .._mail import State
from . import tables
from .entry import Step
from .rows import micros, receipt_text


def values_of(step: Step) -> dict[str, Any]:
    """Return what the statement is given; made in the caller's own thread."""
    return {
        "key": step.key,
        "state": step.state.value if step.state is not None else "",
        "come_from": json.dumps([state.value for state in step.come_from]),
        "fence": step.fence,
        "reason": step.reason,
        "code": step.code,
        "due": None if step.due_at is None else micros(step.due_at),
        "receipt": receipt_text(step.receipt),
        "remaining": None if step.recipients is None else "\n".join(step.recipients),
        "counts": step.counts,
    }


def moved(database: sqlite3.Connection, step: Step, values: dict[str, Any], at: int) -> bool:
    """Take *step*, and say whether it could be."""
    found = database.execute(tables.STEP, {**values, "now": at}).fetchone()
    if found is None:
        return False
    seq, method, mailbox = found
    if step.state is not State.ATTEMPTING and (step.reason or step.state is not State.QUEUED):
        state = values["state"] or "unknown"
        event = {
            "seq": seq,
            "at": at,
            "state": state,
            "reason": step.reason,
            "code": step.code,
            "by": step.by,
        }
        database.execute(tables.EVENT, event)
    if step.answered_at is not None:
        database.execute(tables.ANSWER, (method, mailbox, micros(step.answered_at)))
    return True
