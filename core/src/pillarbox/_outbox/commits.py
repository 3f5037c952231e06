"""Group commit: many threads' work in one durable transaction (leader and followers)."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

import attrs

from .. import _log

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
SOON = 0.002
"""Seconds that what nobody waits for may wait for company."""
_AGAIN = 0.5
"""Seconds between two tries of it while the storage fails."""


@attrs.define(eq=False)
class _Job(Generic[T]):
    work: Work[T]
    done: bool = False
    answer: Any = None
    error: BaseException | None = None


class Commits:
    """Runs work on one database, from any thread. Who waits gets their answer when it is on the disk.

    The first to come is the leader: it takes whatever has gathered, runs it in one transaction, and commits once for all.
    Work that fails is run again by itself, so that it spoils nobody else's.

    Args:
        connection: Used by one thread at a time, the leader's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._state = threading.Condition()
        self._leading = False
        self._waiting: list[_Job[Any]] = []
        self._soon: list[_Job[Any]] = []
        self._flusher: threading.Thread | None = None
        self._closed = False
        self._failing = False

    def run(self, work: Work[T]) -> T:
        """Return what *work* answers, durable."""
        job = _Job(work)
        with self._state:
            self._waiting.append(job)
        self._see_through(job)
        if job.error is not None:
            raise job.error
        return cast("T", job.answer)

    def soon(self, work: Work[Any]) -> None:
        """Do *work* with the next commit, a few milliseconds later at most; again and again while the storage fails."""
        with self._state:
            self._soon.append(_Job(work))
            if self._flusher is None or not self._flusher.is_alive():
                self._flusher = threading.Thread(target=self._flush, name="pillarbox-outbox", daemon=True)
                self._flusher.start()
            self._state.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading, between two commits."""
        with self._state:
            while self._leading:
                self._state.wait()
            self._leading = True
        try:
            yield self._connection
        finally:
            self._step_down()

    def _see_through(self, job: _Job[Any]) -> None:
        with self._state:
            while not job.done and self._leading:
                self._state.wait()
            if job.done:
                return
            self._leading = True
            batch, self._waiting = self._waiting, []
            soon, self._soon = self._soon, []
        try:
            self._commit([*soon, *batch])
            self._keep(soon)
        finally:
            self._step_down()

    def _step_down(self) -> None:
        with self._state:
            self._leading = False
            self._state.notify_all()

    def _keep(self, soon: list[_Job[Any]]) -> None:
        """Put back what nobody waits for and the storage did not take."""
        failed = [_Job(job.work) for job in soon if isinstance(job.error, sqlite3.OperationalError)]
        self._failing = bool(failed)
        if failed:
            with self._state:
                self._soon = failed + self._soon
        for job in soon:
            if job.error is not None:
                _log.event("error", "pillarbox.outbox_failed", error=type(job.error).__name__)

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        try:
            self._transaction(jobs)
        except BaseException as error:  # noqa: BLE001  (told to whom it belongs)
            if len(jobs) == 1:
                jobs[0].error = error
            else:
                for job in jobs:
                    self._commit([job])
        for job in jobs:
            job.done = True

    def _transaction(self, jobs: list[_Job[Any]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                job.answer = job.work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _flush(self) -> None:
        pause = SOON
        while True:
            with self._state:
                if (
                    not self._state.wait_for(lambda: self._soon or self._closed, timeout=1.0)
                    or not self._soon
                ):
                    self._flusher = None
                    return
            time.sleep(pause)
            if not self._soon:  # somebody's commit has taken it along
                continue
            job: _Job[None] = _Job(lambda _: None)
            with self._state:
                self._waiting.append(job)
            self._see_through(job)
            pause = _AGAIN if self._failing or job.error is not None else SOON

    def close(self) -> None:
        """Write what is to be written, and close the connection."""
        with contextlib.suppress(sqlite3.Error):
            self.run(lambda _: None)
        with self._state:
            self._closed = True
            self._state.notify_all()
        with self.alone() as connection:
            connection.close()
