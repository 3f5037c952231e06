"""Group commit: many threads' work in one durable transaction (leader and followers)."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import attrs

from .. import _log
from .._errors import Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Together = Callable[[sqlite3.Connection, Sequence[Any]], Sequence[Any]]
SOON = 0.002
"""Seconds that what nobody waits for waits for company: so many at least, twice as many at most."""
_IDLE = 100
"""How often the thread that does it looks in vain before it ends."""
_PASSING = (sqlite3.OperationalError, Unavailable)
"""Failures that may pass: a full disk, a lock that is held for long, a file that is put back."""
_AGAIN = 0.5
"""Seconds between two tries of it while the storage fails."""
_SHORTLY = 0.000_1
"""Seconds between two tries to write while another process does: its commit takes about as long as the disk's sync."""
_LONGEST_GATHERING = 0.005
"""The most seconds for which a leader waits for company."""
_AT_MOST = 0.005
"""The longest of these; each is a half longer than the one before."""


@attrs.define(eq=False)
class _Job:
    """What one thread wants done: work of its own, or an item of what is done for all of its kind at once."""

    work: Work[Any] | None = None
    item: Any = None
    leads: bool = False
    answer: Any = None
    error: BaseException | None = None
    turn: threading.Lock = attrs.field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.turn.acquire()


def _nothing(_: sqlite3.Connection) -> None:
    """Have what nobody waits for committed."""


class Commits:
    """Runs work on one database, from any thread. Who waits gets their answer when it is on the disk.

    The first to come is the leader: it takes whatever has gathered, runs it in one transaction, and commits once for all.
    When it is done it hands the lead to the first of those who came meanwhile, and wakes nobody in vain. Work that
    fails is run again by itself, so that it spoils nobody else's.

    Threads that commit again and again would come by turns, one waiting while the other's is written. So a leader waits for
    as many as there were lately, no longer than a commit takes, and all go in one: what a sync of the disk costs is shared.

    Attributes:
        made: How many transactions were committed.
        patience: Seconds for which another process may write before this one gives up.

    Args:
        connection: Used by one thread at a time, the leader's.
        together: Does what `put` is given, the items of many callers at once; an answer for each, an exception
            where its caller is to get one.
        check: Raises where nothing may be written any more.
    """

    def __init__(
        self, connection: sqlite3.Connection, together: Together, check: Callable[[], None] = lambda: None
    ) -> None:
        self.made: int = 0
        self.patience: float = 30.0
        connection.execute(
            "PRAGMA busy_timeout = 0"
        )  # it would sleep for milliseconds where a fraction will do
        self._connection = connection
        self._together = together
        self._check = check
        self._state = threading.Lock()
        self._leading = False
        self._waiting: list[_Job] = []
        self._soon: list[_Job] = []
        self._flusher: threading.Thread | None = None
        self._failing = False
        self._expected = 1
        self._takes = 0.0
        self._gathering: threading.Lock | None = None

    def run(self, work: Work[T]) -> T:
        """Return what *work* answers, durable."""
        return cast("T", self._see_through(_Job(work)))

    def put(self, item: Any) -> Any:
        """Return the answer for *item*, which is done with others of its kind, durable."""
        return self._see_through(_Job(item=item))

    def soon(self, work: Work[Any]) -> None:
        """Do *work* with the next commit, a few milliseconds later at most; again and again while the storage fails."""
        with self._state:
            self._soon.append(_Job(work))
            if self._flusher is None:
                self._flusher = threading.Thread(target=self._flush, name="pillarbox-outbox", daemon=True)
                self._flusher.start()

    def _see_through(self, job: _Job) -> Any:
        with self._state:
            self._waiting.append(job)
            job.leads, self._leading = not self._leading, True
            if self._gathering is not None and len(self._waiting) >= self._expected:
                self._gathering.release()
                self._gathering = None
        try:
            if not job.leads:
                job.turn.acquire()
            if job.leads:
                self._gather()
        except BaseException:
            self._withdraw(job)
            raise
        if job.leads:
            self._lead()
        if job.error is not None:
            raise job.error
        return job.answer

    def _gather(self) -> None:
        """Wait for those who came lately and are likely to come again, no longer than a commit takes."""
        with self._state:
            if len(self._waiting) >= self._expected:
                return
            self._gathering = complete = threading.Lock()
            complete.acquire()
        complete.acquire(timeout=min(self._takes, _LONGEST_GATHERING))
        with self._state:
            self._gathering = None

    def _withdraw(self, job: _Job) -> None:
        """Leave the line (Ctrl-C, say): the lead never falls to who is gone."""
        with self._state:
            if job in self._waiting:
                self._waiting.remove(job)
                if job.leads:
                    self._hand_on()

    def _hand_on(self) -> None:
        """Give the lead to the first who waits."""
        self._leading = bool(self._waiting)
        if self._leading:
            self._waiting[0].leads = True
            self._waiting[0].turn.release()

    def _lead(self) -> None:
        """Do what has gathered, and give the lead on."""
        with self._state:
            batch, self._waiting = self._waiting, []
            soon, self._soon = self._soon, []
        began = time.monotonic()
        try:
            self._commit([*soon, *batch])
            self._keep(soon)
        finally:
            with self._state:
                self._takes = (self._takes + time.monotonic() - began) / 2
                self._expected = sum(job.work is not _nothing for job in (*batch, *self._waiting))
                self._hand_on()
            for job in batch:
                if not job.leads:
                    job.turn.release()

    def _keep(self, soon: list[_Job]) -> None:
        """Put back what nobody waits for and the storage did not take."""
        failed = [_Job(job.work) for job in soon if isinstance(job.error, _PASSING)]
        self._failing = bool(failed)
        if failed:
            with self._state:
                self._soon = failed + self._soon
        for job in soon:
            if job.error is not None:
                _log.event("error", "pillarbox.outbox_failed", error=type(job.error).__name__)

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._transaction(jobs)
        except BaseException as error:  # noqa: BLE001  (told to whom it belongs)
            if len(jobs) == 1:
                jobs[0].error = error
            else:
                for job in jobs:
                    self._commit([job])

    def _transaction(self, jobs: list[_Job]) -> None:
        connection = self._connection
        self._check()
        self._begin()
        try:
            self._put([job for job in jobs if job.work is None])
            for job in jobs:
                if job.work is not None:
                    job.answer = job.work(connection)
            connection.execute("COMMIT")
            self.made += 1
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _begin(self) -> None:
        """Become the one who writes."""
        give_up, wait = time.monotonic() + self.patience, _SHORTLY
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(wait)
                wait = min(1.5 * wait, _AT_MOST)
            else:
                return

    def _put(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        for job, answer in zip(
            jobs, self._together(self._connection, [job.item for job in jobs]), strict=True
        ):
            if isinstance(answer, Exception):
                job.error = answer
            else:
                job.answer = answer

    def _flush(self) -> None:
        """Commit what nobody waits for and nobody else's commit has taken along by the second look."""
        idle, seen = 0, None
        while True:
            time.sleep(_AGAIN if self._failing else SOON)
            with self._state:
                oldest = self._soon[0] if self._soon else None
                idle = 0 if oldest else idle + 1
                if idle > _IDLE:
                    self._flusher = None
                    return
            if oldest is None or oldest is not seen:
                seen = oldest
                continue
            with contextlib.suppress(sqlite3.Error, Unavailable):  # it is kept, and was logged
                self.run(_nothing)

    def close(self) -> None:
        """Write what is to be written, and close the connection."""
        with contextlib.suppress(sqlite3.Error, Unavailable):
            self.run(_nothing)
        self._connection.close()
