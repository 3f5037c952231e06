"""Durable submissions: what an outbox promises, the embedded one, and the worker that empties it."""

from __future__ import annotations

from .contract import KeptJournal, Outbox, scopes_of
from .entry import Enclosure, Entry, Event, LaneCount, Pause, Search, Step, Wanted
from .settings import OnUnknown, OutboxSettings
from .turn import Post
from .worker import Only, Worker

__all__ = [
    "Enclosure",
    "Entry",
    "Event",
    "KeptJournal",
    "LaneCount",
    "OnUnknown",
    "Only",
    "Outbox",
    "OutboxSettings",
    "Pause",
    "Post",
    "Search",
    "Step",
    "Wanted",
    "Worker",
    "scopes_of",
]
