"""Steps as statements: one is taken only where the entry still stands where it starts."""

from __future__ import annotations

import sqlite3
from typing import Any

from .._mail import State
from . import tables
from .entry import Step
from .rows import micros, receipt_text


def values_of(step: Step, at: int) -> tuple[Any, ...]:
    """Return what the statement of *step* is given; made in the caller's own thread."""
    return (
        step.state.value if step.state is not None else "",
        step.reason,
        step.code,
        None if step.due_at is None else micros(step.due_at),
        receipt_text(step.receipt),
        None if step.recipients is None else "\n".join(step.recipients),
        at,
        step.counts,
        step.key,
        step.fence,
    )


def moved(database: sqlite3.Connection, step: Step, values: tuple[Any, ...], at: int) -> bool:
    """Take *step*, and say whether it could be."""
    is_mark = step.state is State.ATTEMPTING
    statement = tables.stepping(step.come_from, is_mark=is_mark)
    if not database.execute(statement, values).rowcount:
        return False
    if not is_mark and (step.reason or step.state is not State.QUEUED):
        event = (step.key, at, values[0] or State.UNKNOWN.value, step.reason, step.code, step.by)
        database.execute(tables.EVENT, event)
    if step.answered_at is not None:
        database.execute(tables.ANSWER, (step.key, micros(step.answered_at)))
    return True
