"""For outboxes of one's own: states, steps, entries, the worker, and what an outcome leads to. A public door."""

from __future__ import annotations

from ._batch import deliver_many
from ._delivery import Outcome, deliver, settled
from ._mail import TRANSITIONS, State
from ._outbox import (
    Enclosure,
    Entry,
    Event,
    KeptJournal,
    LaneCount,
    Only,
    OnUnknown,
    Outbox,
    OutboxSettings,
    Pause,
    Post,
    Search,
    Step,
    Wanted,
    Worker,
    scopes_of,
)
from ._outbox.sqlite import SqliteOutbox

__all__ = [
    "TRANSITIONS",
    "Enclosure",
    "Entry",
    "Event",
    "KeptJournal",
    "LaneCount",
    "OnUnknown",
    "Only",
    "Outbox",
    "OutboxSettings",
    "Outcome",
    "Pause",
    "Post",
    "Search",
    "SqliteOutbox",
    "State",
    "Step",
    "Wanted",
    "Worker",
    "deliver",
    "deliver_many",
    "scopes_of",
    "settled",
]
