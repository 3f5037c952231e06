"""Steps as statements: one is taken only where the entry still stands where it starts."""

from __future__ import annotations

import sqlite3
from typing import Any

from .._mail import State
from . import tables
from .entry import Step
from .rows import micros, receipt_text


def values_of(step: Step, at: int) -> dict[str, Any]:
    """Return what the statement of *step* is given; made in the caller's own thread."""
    return {
        "state": step.state.value if step.state is not None else "",
        "reason": step.reason,
        "code": step.code,
        "due": None if step.due_at is None else micros(step.due_at),
        "receipt": receipt_text(step.receipt),
        "remaining": None if step.recipients is None else "\n".join(step.recipients),
        "now": at,
        "counts": step.counts,
        "key": step.key,
        "fence": step.fence,
    }


def moved(database: sqlite3.Connection, step: Step, values: dict[str, Any], at: int) -> bool:
    """Take *step*, and say whether it could be."""
    is_mark = step.state is State.ATTEMPTING
    statement = tables.stepping(step.come_from, is_mark=is_mark)
    if not database.execute(statement, values).rowcount:
        return False
    if not is_mark and (step.reason or step.state is not State.QUEUED):
        database.execute(
            tables.EVENT, event_of(step.key, at, values["state"], step.reason, step.code, step.by)
        )
    if step.answered_at is not None:
        database.execute(tables.ANSWER, {"key": step.key, "at": micros(step.answered_at)})
    return True


def event_of(key: str, at: int, state: str, reason: str, code: str, by: str) -> dict[str, Any]:
    """Return a line of an entry's history, as its statement takes it."""
    values = {"key": key, "at": at, "state": state or State.UNKNOWN.value}
    return {**values, "reason": reason, "code": code, "by": by}
