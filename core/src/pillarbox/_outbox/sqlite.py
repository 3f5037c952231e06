"""The embedded outbox: one SQLite file for several processes on one machine; no service, no clock for who is alive."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _log
from .._errors import OutboxError, SendDeferred, Unavailable
from .._locks import ThreadLock
from .._mail import State, now
from .._settings import Account
from .._sqlite_rows import open_database
from . import tables
from .claims import Claims
from .commits import Commits
from .contract import Outbox
from .entry import Entry, Event, LaneCount, Pause, Search, Step, Wanted
from .lives import Lives
from .moves import event_of, moved, values_of
from .puts import Given, keep
from .rows import COLUMNS, entry_of, micros, moment, or_none, text_of
from .same_file import SameFile
from .searching import lane_count, where
from .settings import OutboxSettings

if TYPE_CHECKING:
    from .._reports import KeptReport, Recorded, Report

_WIDTH = len(COLUMNS)
_LOOK_ROUND = 0.1
"""The most seconds between two looks whether another process has written."""
_FIRST_ROUND = 0.001
"""The seconds before the first of them; each further one is twice as long."""


class SqliteOutbox(Outbox):
    """Submissions in one SQLite file that only its owner can read (WAL, every commit on the disk when it returns).

    A worker is alive while it holds its lock file beside the database: one that is stopped still does, one that was killed
    does not, at once.

    Args:
        path: The file; made, owner-only, on first use.
        settings: How long things wait, and how much is a burst.
        clock: What time it is; tests put their own in its place.

    Raises:
        SettingsError: On first use: it can be read by others, or lies on a network share (rule 40).
    """

    def __init__(
        self,
        path: str | Path,
        settings: OutboxSettings | None = None,
        *,
        clock: Callable[[], dt.datetime] = now,
    ) -> None:
        self.path: Path = Path(path)
        self.settings: OutboxSettings = settings or OutboxSettings()
        self.clock = clock
        self._guard = ThreadLock()
        self._news = 0
        self._lives = Lives(self.path.with_name(f"{self.path.name}.workers"))
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._commits: Commits | None = None
        self._came = threading.Condition()
        self._local = threading.local()
        self._claims = Claims()

    def _writer(self) -> Commits:
        commits = self._commits
        if commits is not None and self._pid == os.getpid():
            return commits
        with self._guard:
            if self._pid != os.getpid():  # a child of a fork opens its own
                self._begin()
                self._lives.forget()
            if self._commits is None:
                database = _opened(self.path)
                self._same = SameFile(self.path)
                self._commits = Commits(database, self._keep, self._same.check)
            return self._commits

    @property
    def _reader(self) -> sqlite3.Connection:
        """This thread's connection for reading; readers never wait for the writer."""
        self._writer()
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            self._same.check()  # else another would be made in the place of one that was removed
            connection = self._local.connection = _opened(self.path)
        return connection

    def _keep(
        self, database: sqlite3.Connection, given: Sequence[Given]
    ) -> Sequence[Sequence[Entry] | Exception]:
        return keep(database, given, self.settings)

    def _now(self) -> int:
        return micros(self.clock())

    def _latest(self) -> int:
        """Return a moment later than any that pillarbox lets something wait for: what does was put off by a wrong clock."""
        return self._now() + 2_000_000 * round(max(self.settings.longest_wait, 86_400.0))

    def put(self, entries: Sequence[Entry]) -> list[Entry]:
        """See `Outbox`."""
        given = Given.of(entries, self._now())
        try:
            kept: list[Entry] = self._writer().put(given)
        except sqlite3.Error as error:
            raise Unavailable(
                f"The outbox can't be written: {error}.", cure=f"Look at the disk of {self.path}."
            ) from None
        self._tell()
        return kept

    def take(self, moves: Iterable[Step], *, soon: bool = False) -> list[bool]:
        """See `Outbox`."""
        steps, at = list(moves), self._now()
        values = [values_of(step, at) for step in steps]

        def work(database: sqlite3.Connection) -> list[bool]:
            return [moved(database, step, its, at) for step, its in zip(steps, values, strict=True)]

        if soon:
            self._writer().soon(work)
            taken: list[bool] = []
        else:
            taken = self._writer().run(work)
        if any(step.state is State.QUEUED or step.state is State.UNKNOWN for step in steps):
            self._tell()
        return taken

    def note(self, entry: Entry, name: str, value: str) -> None:
        """See `Outbox`."""

        def work(database: sqlite3.Connection) -> bool:
            query = (
                "SELECT notes FROM entries WHERE key = ? AND fence = ? AND state IN ('claimed', 'attempting')"
            )
            found = database.execute(query, (entry.key, entry.fence)).fetchone()
            if found is None:
                return False
            notes = {**(json.loads(found[0]) if found[0] else {}), name: value}
            database.execute("UPDATE entries SET notes = ? WHERE key = ?", (text_of(notes), entry.key))
            return True

        if not self._writer().run(work):
            raise SendDeferred("The entry is not this worker's any more; nothing left.", stage="hand-over")

    def claim(self, wanted: Wanted) -> list[Entry]:
        """See `Outbox`."""
        stamp, latest = self._now(), self._latest()

        def work(database: sqlite3.Connection) -> list[Entry]:
            if not self._lives.is_ours(wanted.worker):  # what it claimed would be taken for a dead worker's
                raise OutboxError("The worker has left this outbox.", cure="Let it enter again.")
            database.execute(tables.PROMOTE, {"now": stamp, "latest": latest})
            database.execute(tables.UNPAUSE, (latest,))
            found = self._claims.found(database, wanted, stamp)
            database.executemany(tables.CLAIM, [(wanted.worker, stamp, seq) for seq in found])
            rows = [database.execute(tables.CLAIMED, (seq,)).fetchone() for seq in found]
            entries = list(_readable(rows, _entry))
            for key in {row[0] for row in rows}.difference(entry.key for entry in entries):
                database.execute(tables.HOLD_UNREADABLE, (key,))
            return entries

        return self._writer().run(work)

    def abandoned(self) -> list[Entry]:
        """See `Outbox`."""
        found = self._reader.execute(tables.BUSY).fetchall()
        dead = [worker for (worker,) in found if not self._lives.is_alive(worker)]
        rows = [
            row
            for worker in dead
            for row in self._reader.execute(f"{tables.TAKEN} AND e.worker = ?", (worker,)).fetchall()
        ]
        return list(_readable(rows, entry_of))

    def due_looks(self, limit: int = 100, *, users: frozenset[str] | None = None) -> list[Entry]:
        """See `Outbox`."""
        desks = json.dumps(sorted(users or ()))
        values = {"now": self._now(), "latest": self._latest(), "users": desks, "limit": limit}
        return list(_readable(self._reader.execute(tables.LOOKS, values).fetchall(), _entry))

    def expired(self, limit: int = 100) -> list[Entry]:
        """See `Outbox`."""
        rows = self._reader.execute(tables.EXPIRED, (self._now(), limit)).fetchall()
        return list(_readable(rows, entry_of))

    def enter(self, kind: str) -> str:
        """See `Outbox`."""
        self._writer()
        return self._lives.begin(kind)

    def leave(self, worker: str) -> None:
        """See `Outbox`."""
        self._lives.end(worker)

    def get(self, key: str) -> Entry | None:
        """See `Outbox`."""
        row = self._reader.execute(tables.BY_KEY, (key,)).fetchone()
        if row is None and 6 <= len(key) < 32 and key.isalnum():
            query = "SELECT key FROM entries WHERE key >= ? AND key < ? LIMIT 2"
            found = self._reader.execute(query, (key, f"{key}~")).fetchall()
            row = self._reader.execute(tables.BY_KEY, found[0]).fetchone() if len(found) == 1 else None
        return None if row is None else _entry(row)

    def history(self, key: str) -> list[Event]:
        """See `Outbox`."""
        query = (
            "SELECT v.at, v.state, v.reason, v.code, v.by FROM events v JOIN entries e USING (seq)"
            " WHERE e.key = ? ORDER BY v.number"
        )
        return [
            Event(at=moment(at), state=State(state), reason=reason, code=code, by=by)
            for at, state, reason, code, by in self._reader.execute(query, (key,)).fetchall()
        ]

    def lanes(self, user: str | None = None) -> list[LaneCount]:
        """See `Outbox`."""
        found: dict[str, list[Any]] = {}
        for row in self._reader.execute(tables.LANES, {"user": user}).fetchall():
            found.setdefault(row[0], []).append(row)
        return [lane_count(rows) for rows in found.values()]

    def workers(self) -> int:
        """See `Outbox`."""
        return self._lives.count("worker")

    def pause(self, pause: Pause) -> None:
        """See `Outbox`."""
        self._writer().run(lambda database: _paused(database, pause))

    def resume(self, scope: str) -> bool:
        """See `Outbox`."""

        def work(database: sqlite3.Connection) -> bool:
            database.execute("DELETE FROM bursts WHERE scope = ?", (scope,))
            return database.execute("DELETE FROM pauses WHERE scope = ?", (scope,)).rowcount > 0

        was_paused = self._writer().run(work)
        self._tell()
        return was_paused

    def pauses(self) -> list[Pause]:
        """See `Outbox`."""
        query = "SELECT * FROM pauses WHERE until IS NULL OR until > ? ORDER BY scope"
        return [
            Pause(scope=scope, reason=reason, since=moment(since), until=or_none(until), by=by, kind=kind)
            for scope, reason, since, until, by, kind in self._reader.execute(
                query, (self._now(),)
            ).fetchall()
        ]

    def re_point(self, entry: Entry, account: Account, reason: str, *, by: str = "") -> bool:
        """See `Outbox`."""
        at = self._now()
        values = {
            "key": entry.key,
            "from": entry.account,
            "fence": entry.fence,
            "lane": account.key,
            "owner": account.owner,
            "method": account.method,
            "mailbox": account.mailbox,
            "reason": reason,
            "now": at,
        }

        def work(database: sqlite3.Connection) -> bool:
            was_there = database.execute(tables.RE_POINT, values).rowcount > 0
            if was_there:
                database.execute(tables.EVENT, event_of(entry.key, at, "queued", reason, "", by))
            return was_there

        was_there = self._writer().run(work)
        self._tell()
        return was_there

    def renamed(self, company: str, old: str, new: str) -> None:
        """See `Outbox`."""
        values = {"company": company, "old": old, "new": new}

        def work(database: sqlite3.Connection) -> None:
            for statement in tables.RENAME:
                database.execute(statement, values)

        self._writer().run(work)

    def answered(self, method: str, mailbox: str, since: dt.datetime) -> list[dt.datetime]:
        """See `Outbox`."""
        query = "SELECT at FROM answers WHERE mailbox = ? AND method = ? AND at > ? ORDER BY at"
        rows = self._reader.execute(query, (mailbox, method, micros(since))).fetchall()
        return [moment(at) for (at,) in rows]

    def next_due(self) -> dt.datetime | None:
        """See `Outbox`."""
        (due,) = self._reader.execute(tables.NEXT_DUE).fetchone()
        return or_none(due)

    def erase(self, before: dt.datetime) -> int:
        """See `Outbox`."""

        def work(database: sqlite3.Connection) -> int:
            stamp = micros(before)
            yesterday = self._now() - 86_400_000_000
            database.execute("DELETE FROM answers WHERE at < ?", (yesterday,))
            database.execute("DELETE FROM bursts WHERE minute < ?", (yesterday // 60_000_000,))
            database.execute("DELETE FROM pauses WHERE until < ?", (yesterday,))
            found = database.execute(tables.ERASABLE, (stamp,)).fetchall()
            database.executemany("DELETE FROM bodies WHERE seq = ?", found)
            database.executemany("UPDATE entries SET erased = 1 WHERE seq = ?", found)
            return len(found)

        erased = 0
        while count := self._writer().run(work):  # in pieces, so that nobody waits for long
            erased += count
        return erased

    def wait(self, seconds: float) -> None:
        """See `Outbox`."""
        give_up = time.monotonic() + seconds
        commits = self._writer()
        before: tuple[int, int, int] = getattr(
            self._local, "seen", (-1, 0, 0)
        )  # behind the last wait of this thread
        news, made, version = before
        waits = _FIRST_ROUND
        while (left := give_up - time.monotonic()) > 0:
            with self._came:
                if self._came.wait_for(lambda: self._news != news, timeout=min(left, waits)):
                    break
            is_alone = commits.made == made  # else it can't be told whether another process wrote too
            if (is_alone or waits >= _LOOK_ROUND) and self._version() != version:
                break
            waits = min(2 * waits, _LOOK_ROUND)
        self._local.seen = self._news, commits.made, self._version()

    def _version(self) -> int:
        (version,) = self._reader.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _tell(self) -> None:
        with self._came:
            self._news += 1
            self._came.notify_all()

    def wake(self) -> None:
        """Let whoever waits in this process look again."""
        self._tell()

    def close(self) -> None:
        """See `Outbox`."""
        with self._guard:
            commits, self._commits = self._commits, None
            inherited = self._pid != os.getpid()
        if commits is None or inherited:
            return
        with contextlib.suppress(sqlite3.Error, Unavailable):
            commits.run(self._end_idle)
        commits.close()
        reader = getattr(self._local, "connection", None)
        if reader is not None:
            reader.close()
        self._local = threading.local()

    def _end_idle(self, database: sqlite3.Connection) -> None:
        """End the lives of this process's workers that have nothing: an attempt that is under way outlives the closing."""
        self._lives.end_all_but(worker for (worker,) in database.execute(tables.BUSY))

    def record(
        self,
        reports: Sequence[Report],
        *,
        company: str,
        owner: str | None = None,
        source: str = "",
        cursor: str = "",
    ) -> Recorded:
        """See `Outbox`."""
        from . import reporting

        at = self._now()

        def work(database: sqlite3.Connection) -> Recorded:
            return reporting.recorded(
                database, reports, at, company=company, owner=owner, source=source, cursor=cursor
            )

        return self._writer().run(work)

    def reports(self, key: str) -> list[KeptReport]:
        """See `Outbox`."""
        from . import reporting

        return reporting.kept_reports(self._reader, key)

    def cursor(self, source: str) -> str | None:
        """See `Outbox`."""
        from . import reporting

        return reporting.kept_cursor(self._reader, source)

    def list(self, search: Search | None = None) -> list[Entry]:
        """See `Outbox`."""
        query, values = where(search or Search())
        return list(_readable(self._reader.execute(query, values).fetchall(), entry_of))


def _opened(path: Path) -> sqlite3.Connection:
    connection = open_database(path, tables.SCHEMA, tables.SCHEMA_VERSION)
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = FAST")
    return connection


def _readable(rows: Sequence[Sequence[Any]], entry: Callable[[Sequence[Any]], Entry]) -> Iterator[Entry]:
    """Yield what *rows* hold; one that was damaged stops no other."""
    for row in rows:
        try:
            yield entry(row)
        except Exception as error:  # noqa: BLE001  (what stands in a damaged row may raise anything)
            _log.event("error", "pillarbox.outbox_failed", submission=row[0], error=type(error).__name__)


def _paused(database: sqlite3.Connection, pause: Pause) -> None:
    database.execute(tables.PAUSE, tables.pause_row(pause))


def _entry(row: Sequence[Any]) -> Entry:
    return entry_of(row[:_WIDTH], row[_WIDTH], row[_WIDTH + 1])
