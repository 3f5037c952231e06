"""What waits for the account as it is, and whether it could go by the account as it would be (rule 27)."""

from __future__ import annotations

from collections.abc import Iterator

from .._errors import PillarboxError
from .._moving import obstacle
from .._outbox import Entry
from .._route import Finding, Level
from .._settings import Company, User
from .._transports import Transport
from .change import Change

MOST_TOLD = 10


def waiting(change: Change, transport: type[Transport]) -> Iterator[Finding]:
    """Yield what waits: how much may be moved, and what would be held and why."""
    writers: dict[str | None, User | None] = {
        writer.id if writer else None: writer for writer in change.writers
    }
    reasons = [(entry, _why_not(change, entry, writers, transport)) for entry in change.open]
    held = [(entry, why) for entry, why in reasons if why]
    if len(held) < len(reasons):
        seen = f"{len(reasons) - len(held):,} that wait may go by the account as it would be"
        yield Finding("waiting", Level.OK, "change-waiting", seen, f"Move them: {_command(change)} --move")
    for entry, why in held[:MOST_TOLD]:
        yield Finding(
            "waiting", Level.WARN, "change-waiting-held", f"{entry.key[:8]} would be held: {why}", _CURE
        )
    if len(held) > MOST_TOLD:
        seen = f"{len(held) - MOST_TOLD:,} more would be held"
        yield Finding("waiting", Level.WARN, "change-waiting-held", seen, _CURE)


_CURE = "Let it leave before the change: pillarbox worker --drain"


def _command(change: Change) -> str:
    whose = "company set" if isinstance(change.record, Company) else f"user set {change.record.id}"
    return f"pillarbox {whose} --method {change.to}"


def _why_not(
    change: Change, entry: Entry, writers: dict[str | None, User | None], transport: type[Transport]
) -> str:
    if entry.user not in writers:
        return "Its writer has another account by now."
    route = change.after(writers[entry.user])
    if isinstance(route, PillarboxError):
        return route.detail
    return obstacle(entry, change.history(entry.key), route, transport)
