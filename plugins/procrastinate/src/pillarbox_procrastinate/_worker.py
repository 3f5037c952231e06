"""Core's worker, served by the engine: it claims of those lanes that the engine gave to this process, and of no others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from pillarbox.outbox import Entry, Only, OutboxSettings, Post, Wanted, Worker, micros

from . import _tables
from ._engine import Engine
from ._grants import Grants
from ._outbox import PostgresOutbox

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_LOOK = 0.5
"""Seconds between two looks at lanes that are said to be busy: one that only rests needs no place."""


class Served(PostgresOutbox):
    """An outbox as a worker sees it that the engine gives lanes to.

    Args:
        whole: The outbox; its connections, leases and notifications are shared.
        most: How many lanes are served at a time.
    """

    def __init__(self, whole: PostgresOutbox, most: int) -> None:
        vars(self).update(vars(whole))
        self.grants = Grants(most, self.wake)
        self.is_drained = False
        self._next_look = 0.0

    def claim(self, wanted: Wanted) -> list[Entry]:
        """See `Outbox`."""
        if self.is_drained:
            return super().claim(wanted)
        self.release_lost()
        granted = self.grants.lanes
        asked = granted - wanted.busy
        entries: list[Entry] = []
        if asked:
            each = min(wanted.each, -(-wanted.most // len(asked)))  # a deep lane leaves room for the others
            entries = super().claim(attrs.evolve(wanted, accounts=asked, each=each))
        self._let_go(granted, asked - {entry.account for entry in entries}, wanted.worker)
        return entries

    def _let_go(self, granted: AbstractSet[str], empty: AbstractSet[str], worker: str) -> None:
        """End the jobs of lanes in which nothing is this worker's: they are empty, rest, or are another's."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK
            self.grants.rotate()
            empty = granted  # the busy too: a lane that rests is given again when its time has come
        if empty:
            rows = self._rows(_tables.STILL_MINE, (sorted(empty), worker))
            self.grants.over(empty - {lane for (lane,) in rows})


class EngineWorker(Worker):
    """Core's worker, to which the engine gives lanes; with `drain` it takes all lanes by itself."""

    def __init__(self, outbox: PostgresOutbox, post: Post, settings: OutboxSettings, only: Only) -> None:
        self._served = Served(outbox, settings.threads)
        super().__init__(self._served, post, settings, only=only)
        self._engine = Engine(outbox.database, outbox.lease, self._served.grants, only.methods, self._stamps)

    def _stamps(self) -> tuple[int, int]:
        at = self._served.clock()
        return micros(at), self._served.latest(at)

    def run(self, *, drain: bool = False) -> None:
        """See `Worker`."""
        self._served.migrate()
        self._served.is_drained = drain
        if drain:
            super().run(drain=True)
            self._engine.catch_up()
        else:
            with self._engine.running():
                super().run()
