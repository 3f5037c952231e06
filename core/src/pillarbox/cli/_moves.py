"""What waits for an account that was changed: shown, and moved where it may be (rule 27)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .._errors import PillarboxError
from .._settings import Company, User
from ._app import State
from ._entries import SHORT
from ._output import clean, say, say_aside
from ._record import actor

if TYPE_CHECKING:
    from .._moving import Stranded

SHOWN = 10
"""How many are listed one by one."""


def waiting_of(state: State, record: Company | User) -> list[Stranded]:
    """Return what waits for the account of *record* as it was."""
    user = record.id if isinstance(record, User) else None
    found: list[Stranded] = state.mailer.stranded(user)
    return found


def show_waiting(found: Sequence[Stranded]) -> None:
    """Print what waits, with why it can't go by the account as it is now."""
    movable = sum(one.can_move for one in found)
    waits = f"{len(found):,} mails wait" if len(found) > 1 else "1 mail waits"
    say(f"{waits} for the account as it was. {movable:,} of them can go by the account as it is now.")
    for one in found[:SHOWN]:
        to = one.entry.submission.envelope.recipients[0]
        why = one.why_not or "can be moved"
        say(clean(f"  {one.entry.key[:SHORT]}  {one.entry.subject or '(no subject)'} to {to}: {why}"))
    if len(found) > SHOWN:
        say(
            f"  and {len(found) - SHOWN:,} more: pillarbox outbox --state queued --state deferred --state held"
        )


def wants_to_move(found: Sequence[Stranded], given: bool | None) -> bool:
    """Say whether to move them: as it was *given*, else as a person at the terminal says."""
    if not any(one.can_move for one in found):
        return False
    if given is None and sys.stdin.isatty():
        return click.confirm("Move those that can be moved?", err=True)
    return bool(given)


def move_all(state: State, found: Sequence[Stranded]) -> list[str]:
    """Move what can be moved, and return the keys; what moved on meanwhile is told."""
    moved = []
    for one in found:
        if one.can_move:
            try:
                moved.append(str(state.mailer.move(one.entry.key, by=actor().name).key))
            except PillarboxError as error:
                say_aside(clean(str(error)))
    return moved


def as_json(found: Sequence[Stranded], moved: Sequence[str]) -> list[dict[str, Any]]:
    """Return what waits as a program gets it."""
    return [{"key": one.entry.key, "moved": one.entry.key in moved, "why_not": one.why_not} for one in found]
