"""What a worker knows of one account: what waits in it, what is at it, and whose hand-over was marked ahead."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import itertools
import threading
import time

import attrs

from .._transports import Limits
from . import steps
from .contract import Outbox
from .entry import Entry, Step
from .limits import Meter

FRESH = 1.0
"""Seconds for which a mark that was made ahead is used: what is looked for later counts from it."""


@attrs.define(eq=False)
class Lane:
    """What a worker knows of one account.

    Attributes:
        waiting: Claimed and not begun, in order.
        running: How many threads are at it.
        rests_until: `time.monotonic` before which nothing starts.
        limits, meter: What the carrier allows; known from the first turn on.
    """

    key: str
    waiting: collections.deque[Entry] = attrs.field(factory=collections.deque)
    running: int = 0
    rests_until: float = 0.0
    limits: Limits = attrs.field(factory=Limits)
    meter: Meter | None = None
    _guard: threading.Lock = attrs.field(factory=threading.Lock)
    _marked: dict[str, float] = attrs.field(factory=dict)
    _marking: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def has_room(self) -> bool:
        """Whether another thread may begin with what waits."""
        return bool(self.waiting) and self.running < max(1, self.limits.concurrency)

    @property
    def is_resting(self) -> bool:
        """Whether nothing may start now."""
        return time.monotonic() < self.rests_until

    def is_idle(self, at: dt.datetime) -> bool:
        """Whether a worker may forget it."""
        used = self.running or self.waiting or self.is_resting
        return not used and (self.meter is None or self.meter.is_idle(at))

    def rest(self, seconds: float) -> None:
        """Start nothing for so long."""
        self.rests_until = max(self.rests_until, time.monotonic() + seconds)

    def offer(self, entry: Entry) -> bool:
        """Let *entry*, claimed a moment ago, wait behind the others; False where the lane has begun to rest meanwhile."""
        with self._guard:
            if self.is_resting:  # what it gave back stands before this one
                return False
            self.waiting.append(entry)
            return True

    def mark(self, entry: Entry, ahead: int, outbox: Outbox) -> bool:
        """Mark the hand-over of *entry*, and in the same write those of up to *ahead* that wait; say whether it was taken."""
        if ahead <= 0:
            return self.was_marked(entry) or outbox.take([steps.attempting(entry)])[0]
        with self._marking:
            if self._marked.pop(entry.key, None) is not None:
                return True
            waiting = self._unmarked(ahead - len(self._marked))
            taken = outbox.take([steps.attempting(one) for one in (entry, *waiting)])
            at = time.monotonic()
            self._marked.update((one.key, at) for one, was in zip(waiting, taken[1:], strict=True) if was)
            return taken[0]

    def _unmarked(self, most: int) -> list[Entry]:
        if most <= 0:
            return []
        with self._guard:
            unmarked = (entry for entry in tuple(self.waiting) if entry.key not in self._marked)
            return list(itertools.islice(unmarked, most))

    def was_marked(self, entry: Entry) -> bool:
        """Whether the hand-over of *entry* was marked ahead; it is forgotten here."""
        with self._marking:
            return self._marked.pop(entry.key, None) is not None

    def is_stale(self, entry: Entry) -> bool:
        """Whether the hand-over of *entry* was marked ahead, and too long ago."""
        marked = self._marked.get(entry.key)
        return marked is not None and time.monotonic() - marked > FRESH

    def back(self, entry: Entry) -> Step:
        """Return the way back to the queue of *entry*, of which nothing left."""
        return steps.not_begun(entry) if self.was_marked(entry) else steps.released(entry)

    def give_back(self) -> list[Step]:
        """Forget what waits, and return its way back; another thread of the lane may take from it meanwhile."""
        waiting: list[Entry] = []
        with self._guard, contextlib.suppress(IndexError):
            while True:
                waiting.append(self.waiting.popleft())
        return list(map(self.back, waiting))
