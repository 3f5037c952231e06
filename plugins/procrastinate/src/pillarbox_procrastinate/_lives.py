"""Workers' lives: a lease each in the database, by its clock, renewed by a thread of this process."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pillarbox import PillarboxError

from . import _tables
from ._database import Database
from ._forks import begun
from ._log import failed

if TYPE_CHECKING:
    from psycopg import Connection

_AGAIN = 0.2
"""Seconds between two tries while the database does not answer: it is back before leases are counted again."""


class Lives:
    """The workers of this process, each alive as long as its lease is renewed.

    Args:
        database: Where the leases are.
        lease: Seconds for which a worker lives without a word of it. A process that is stopped for longer is taken for
            dead; when it goes on, the mark of its hand-over is refused.
    """

    def __init__(self, database: Database, lease: float) -> None:
        self.lease = lease
        self._database = database
        begun(self)

    def begin(self) -> None:
        """Forget what a process has: a child of a fork has nobody's life."""
        self._guard = threading.Lock()
        self._names: set[str] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def enter(self, kind: str) -> str:
        """Return the name of a new worker, alive from now on."""
        name = f"{kind}-{uuid.uuid4().hex}"
        self._renew([name])
        with self._guard:
            self._names.add(name)
            self._is_closed = False
            if self._thread is None:
                self._over = threading.Event()
                self._thread = threading.Thread(
                    target=self._beat, args=(self._over,), name="pillarbox-lease", daemon=True
                )
                self._thread.start()
        return name

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        """One of the pool's, or of its own after the outbox was closed."""
        with self._database.apart() if self._is_closed else self._database.connection() as connection:
            yield connection

    def _renew(self, names: list[str]) -> None:
        with self._connection() as connection:
            connection.execute(_tables.RENEW, (self.lease, names))

    def _beat(self, over: threading.Event) -> None:
        pause = self.lease / 5
        while not over.wait(pause):
            with self._guard:
                names = sorted(self._names)
            try:
                if names:
                    self._renew(names)
                if self._is_closed:
                    self.close()  # the attempt that outlived the closing may have ended
                pause = self.lease / 5
            except Exception as error:  # noqa: BLE001  (the lease runs on; the next try may do)
                if pause != _AGAIN:
                    failed(error)
                pause = _AGAIN

    def leave(self, name: str) -> None:
        """Let a worker's life end now."""
        with self._guard:
            if name not in self._names:
                return
            self._names.discard(name)
            if not self._names:
                self._stop()
        try:
            with self._connection() as connection:
                connection.execute(_tables.LEAVE, (name,))
        except PillarboxError as error:  # its lease runs out by itself
            failed(error)

    def _stop(self) -> None:
        self._over.set()
        self._thread = None

    def close(self) -> None:
        """End the life of every worker of this process that has nothing in hand; an attempt outlives the closing."""
        with self._guard:
            names = sorted(self._names)
        if not names:
            return
        self._is_closed = True
        try:
            with self._connection() as connection:
                busy = {name for (name,) in connection.execute(_tables.IN_HAND, (names,)).fetchall()}
        except PillarboxError as error:
            failed(error)
            busy = set()
        for name in names:
            if name not in busy:
                self.leave(name)
