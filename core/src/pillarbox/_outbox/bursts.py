"""The burst limit: a looping host, or a stolen login, pauses its own mail and nobody else's."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from .entry import Entry, Pause
from .settings import OutboxSettings

HOUR = 60
"""Minutes that count."""


def scopes(entries: Iterable[Entry], settings: OutboxSettings) -> collections.Counter[str]:
    """Return how many of *entries* count in each scope that has a limit."""
    counted: collections.Counter[str] = collections.Counter()
    for entry in entries:
        if settings.user_burst and entry.user is not None:
            counted[f"user:{entry.company}/{entry.user}"] += 1
        if settings.company_burst:
            counted[f"company:{entry.company}"] += 1
    return counted


def exceeded(scope: str, count: int, settings: OutboxSettings) -> Pause | None:
    """Return the pause that *count* messages within the hour ask for, or None."""
    limit = settings.user_burst if scope.startswith("user:") else settings.company_burst
    if count <= limit:
        return None
    who = scope.partition("/")[2] if scope.startswith("user:") else scope.partition(":")[2]
    reason = f"{count:,} messages of {who} came within an hour; the limit is {limit:,}. Nothing is lost."
    return Pause(scope=scope, reason=reason, kind="burst")
