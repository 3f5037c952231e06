"""The outbox on PostgreSQL: what `Outbox` promises, for workers on any number of machines."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pillarbox import SendDeferred
from pillarbox.outbox import (
    Entry,
    Event,
    LaneCount,
    Only,
    Outbox,
    OutboxSettings,
    Pause,
    Post,
    Search,
    State,
    Step,
    Wanted,
    Worker,
    burst_pause,
    burst_scopes,
    entry_of,
    kept_report,
    micros,
    moment,
    same,
)

from . import _tables
from ._database import Database, translated
from ._forks import begun
from ._hosts import raw_connection
from ._lives import Lives
from ._moves import re_point, rename
from ._news import News
from ._pending import Pending
from ._schema import migrate
from ._values import (
    full_entry,
    lane_count,
    lanes_to_serve,
    listed,
    pause_row,
    plain,
    query_for,
    rows_of,
    step_values,
)
from ._vault_rows import PostgresRows

if TYPE_CHECKING:
    from psycopg import Connection

    from pillarbox import Account, KeptReport, Recorded, Report

_DAY = 86_400_000_000
LEASE = 15.0
"""Seconds for which a worker lives without a word of it."""


class PostgresOutbox(Outbox):
    """Submissions in the schema `pillarbox` of a PostgreSQL database, for workers on any number of machines.

    A worker lives as long as its lease, which a thread renews; by the server's clock, which no worker can set. The tables
    are made, and brought up to date, on first use.

    Args:
        url: The database, as libpq takes it, without the password.
        settings: How long things wait, and how much is a burst.
        password: The database's.
        lease: Seconds for which a worker lives without a word of it.
        clock: What time it is, for all but leases; tests put their own in its place.

    Raises:
        SettingsError: The URL can't be used, or holds a password.
    """

    def __init__(
        self,
        url: str,
        settings: OutboxSettings | None = None,
        *,
        password: str | None = None,
        lease: float = LEASE,
        clock: Callable[[], dt.datetime] = Outbox.clock,
    ) -> None:
        self.clock = clock
        self.settings = settings or OutboxSettings()
        self.database = Database(url, password)
        self._lives = Lives(self.database, lease)
        self._news = News(self.database)
        self._pending = Pending(self._written)
        self._is_made = False
        begun(self)

    def begin(self) -> None:
        """Forget what a process has."""
        self._guard = threading.Lock()
        self._cursor = ""
        self._lost: list[tuple[str, int]] = []

    def __repr__(self) -> str:
        return f"PostgresOutbox({self.database!r})"

    def migrate(self) -> None:
        """Make the tables or bring them up to date, if they are not; the first use does it by itself.

        Raises:
            SettingsError: The database's user may not, or a later version made them.
            SendDeferred: The database does not answer.
        """
        with self._guard:
            if not self._is_made:
                migrate(self.database)
                self._is_made = True

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        if not self._is_made:
            self.migrate()
        with self.database.connection() as connection:
            yield connection

    def _rows(
        self, query: str, values: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(query, values).fetchall()

    def _now(self) -> int:
        return micros(self.clock())

    @property
    def lease(self) -> float:
        """Seconds for which a worker lives without a word of it."""
        return self._lives.lease

    def latest(self, at: dt.datetime) -> int:
        """Return the latest moment that anything is put off to: what lies behind it comes of a clock that was set back."""
        return micros(at + 2 * dt.timedelta(seconds=max(self.settings.longest_wait, 86_400.0)))

    def worker(self, post: Post, settings: OutboxSettings, only: Only) -> Worker:
        """See `Outbox`. For one user, or some accounts, it looks by itself: the engine's jobs are for who serves lanes whole."""
        from ._worker import EngineWorker

        if only.users is not None or only.accounts is not None:
            return Worker(self, post, settings, only=only)
        return EngineWorker(self, post, settings, only)

    def put(self, entries: Sequence[Entry]) -> list[Entry]:
        """See `Outbox`."""
        rows = rows_of(entries)
        with self._connection() as connection, connection.transaction():
            kept = self._put(connection, entries, rows)
        self._news.tell()
        return kept

    def put_in(self, connection: Any, entries: Sequence[Entry]) -> list[Entry]:
        """Keep *entries* inside the transaction of the host's own *connection*: what it takes back, it takes back.

        Args:
            connection: psycopg's, SQLAlchemy's connection or session, or Django's, to the outbox's database.
            entries: What to keep.

        Raises:
            MessageError: As `put`.
            SettingsError: It is no such connection, or leads to a database without the outbox's tables.
        """
        self.migrate()
        rows = rows_of(entries)
        raw = raw_connection(connection)
        with translated():
            raw.execute(
                "SELECT 1"
            )  # begins the host's transaction, where it has not yet, so that the next is a savepoint
            with raw.transaction():  # what fails in here spoils nothing of the host's
                return self._put(raw, entries, rows)

    def _put(
        self, connection: Connection[Any], entries: Sequence[Entry], rows: Sequence[tuple[Any, ...]]
    ) -> list[Entry]:
        from psycopg.rows import tuple_row

        at = self._now()
        with connection.cursor(row_factory=tuple_row) as cursor:
            kept: list[Entry] = []
            new: list[Entry] = []
            for entry, row in zip(entries, rows, strict=True):
                if cursor.execute(_tables.INSERT, row).fetchone() is not None:
                    new.append(entry)
                    kept.append(entry)
                else:
                    found = cursor.execute(_tables.BY_KEY, (entry.key,)).fetchone()
                    kept.append(same(full_entry(found or ()), entry))
            counted = burst_scopes(new, self.settings)
            jobs = [list(column) for column in zip(*lanes_to_serve(new), strict=True)] or [[], [], []]
            values = [list(counted), list(counted.values()), at // 60_000_000, *jobs]
            found = cursor.execute(_tables.ARRIVED, values).fetchone()
            for scope, total in zip(counted, found[0] or () if found else (), strict=False):
                pause = burst_pause(scope, int(total), self.settings)
                if pause is not None and cursor.execute(_tables.IS_PAUSED, (scope, at)).fetchone() is None:
                    cursor.execute(_tables.PAUSE, pause_row(pause))
        return kept

    def take(self, moves: Iterable[Step], *, soon: bool = False) -> list[bool]:
        """See `Outbox`."""
        steps = list(moves)
        if soon:
            self._pending.add(steps)
            taken: list[bool] = []
        else:
            along = self._pending.along()
            try:
                taken = self._taken([*along, *steps])[len(along) :]
            except BaseException:
                self._pending.back(along)
                raise
        if any(step.state in {State.QUEUED, State.UNKNOWN} for step in steps):
            self._news.tell()
        return taken

    def _written(self, steps: list[Step]) -> None:
        self._taken(steps)

    def _taken(self, steps: Sequence[Step]) -> list[bool]:
        """Take *steps* in one statement: in the order of keys, so that two who take the same never wait crosswise."""
        if not steps:
            return []
        order = sorted(range(len(steps)), key=lambda place: steps[place].key)
        text = json.dumps([step_values(steps[place]) for place in order])
        ((found,),) = self._rows(_tables.TAKE, (text, self._now()))
        taken = dict(zip(order, found, strict=True))
        return [taken[place] for place in range(len(steps))]

    def note(self, entry: Entry, name: str, value: str) -> None:
        """See `Outbox`."""
        if not self._rows(_tables.NOTE, (plain(name), plain(value), entry.key, entry.fence)):
            raise SendDeferred("The entry is not this worker's any more; nothing left.", stage="hand-over")

    def claim(self, wanted: Wanted) -> list[Entry]:
        """See `Outbox`."""
        self.release_lost()
        at = self.clock()
        stamp = micros(at)
        limits = (wanted.most, wanted.each, wanted.octets)
        filters = map(listed, (wanted.busy, wanted.methods, wanted.accounts, wanted.users))
        values = (wanted.worker, stamp, self.latest(at), *limits, *filters, self._cursor)
        try:
            entries = self._claimed(values)
        except SendDeferred:
            self._lost.append((wanted.worker, stamp))
            raise
        if entries:
            self._cursor = entries[-1].account
        return entries

    def _claimed(self, values: Sequence[Any]) -> list[Entry]:
        with self._connection() as connection:
            found = connection.execute(_tables.CLAIM, values).fetchone()
            if not found or not found[0]:
                return []
            rows = connection.execute(_tables.CLAIMED, (found[0],)).fetchall()
        return [full_entry(row) for row in rows]

    def release_lost(self) -> None:
        """Give back what was claimed with an answer that never came: nobody else would, since its worker lives."""
        while self._lost:
            self._rows(_tables.RELEASE, self._lost[0])
            self._lost.pop(0)

    def abandoned(self) -> list[Entry]:
        """See `Outbox`."""
        return [entry_of(row) for row in self._rows(_tables.ABANDONED, (self._lives.lease,))]

    def due_looks(self, limit: int = 100, *, users: frozenset[str] | None = None) -> list[Entry]:
        """See `Outbox`."""
        values = (self._now(), self.latest(self.clock()), sorted(users or ()), limit)
        return [full_entry(row) for row in self._rows(_tables.LOOKS, values)]

    def expired(self, limit: int = 100) -> list[Entry]:
        """See `Outbox`."""
        return [entry_of(row) for row in self._rows(_tables.EXPIRED, (self._now(), limit))]

    def enter(self, kind: str) -> str:
        """See `Outbox`."""
        self.migrate()
        return self._lives.enter(kind)

    def leave(self, worker: str) -> None:
        """See `Outbox`."""
        self._lives.leave(worker)

    def get(self, key: str) -> Entry | None:
        """See `Outbox`."""
        if "\0" in key:
            return None
        rows = self._rows(_tables.BY_KEY, (key,))
        if not rows and 6 <= len(key) < 32 and key.isalnum():
            found = self._rows(_tables.STARTS, (key, f"{key}~"))
            rows = self._rows(_tables.BY_KEY, found[0]) if len(found) == 1 else []
        return full_entry(rows[0]) if rows else None

    def history(self, key: str) -> list[Event]:
        """See `Outbox`."""
        return [
            Event(at=moment(at), state=State(state), reason=reason, code=code, by=by)
            for at, state, reason, code, by in self._rows(_tables.HISTORY, (key,))
        ]

    def lanes(self, user: str | None = None) -> list[LaneCount]:
        """See `Outbox`."""
        found: dict[str, list[Any]] = {}
        for row in self._rows(_tables.LANES, {"user": user}):
            found.setdefault(row[0], []).append(row)
        return [lane_count(rows) for rows in found.values()]

    def workers(self) -> int:
        """See `Outbox`."""
        ((count,),) = self._rows(_tables.WORKERS)
        return int(count)

    def pause(self, pause: Pause) -> None:
        """See `Outbox`."""
        with self._connection() as connection:
            connection.execute(_tables.PAUSE, pause_row(pause))

    def resume(self, scope: str) -> bool:
        """See `Outbox`."""
        with self._connection() as connection:
            was_paused = connection.execute(_tables.RESUME, {"scope": scope}).rowcount > 0
        self._news.tell()
        return was_paused

    def re_point(self, entry: Entry, account: Account, reason: str, *, by: str = "") -> bool:
        """See `Outbox`."""
        with self._connection() as connection:
            was_there = re_point(connection, entry, account, reason, by, self._now())
        self._news.tell()
        return was_there

    def renamed(self, company: str, old: str, new: str) -> None:
        """See `Outbox`."""
        with self._connection() as connection:
            rename(connection, company, old, new, self._now())
        self._news.tell()

    def pauses(self) -> list[Pause]:
        """See `Outbox`."""
        return [
            Pause(
                scope=scope,
                reason=reason,
                since=moment(since),
                until=None if until is None else moment(until),
                by=by,
                kind=kind,
            )
            for scope, reason, since, until, by, kind in self._rows(_tables.PAUSES, (self._now(),))
        ]

    def answered(self, method: str, mailbox: str, since: dt.datetime) -> list[dt.datetime]:
        """See `Outbox`."""
        return [moment(at) for (at,) in self._rows(_tables.ANSWERED, (mailbox, method, micros(since)))]

    def next_due(self) -> dt.datetime | None:
        """See `Outbox`."""
        ((due,),) = self._rows(_tables.NEXT_DUE)
        return None if due is None else moment(due)

    def erase(self, before: dt.datetime) -> int:
        """See `Outbox`."""
        stamp, yesterday = micros(before), self._now() - _DAY
        erased = 0
        with self._connection() as connection:
            for statement in _tables.TIDY:
                connection.execute(statement, {"yesterday": yesterday})
            while count := connection.execute(
                _tables.ERASE, (stamp,)
            ).rowcount:  # in pieces: nobody waits long
                erased += count
        return erased

    def wait(self, seconds: float) -> None:
        """See `Outbox`."""
        give_up = time.monotonic() + seconds
        self._news.wait(max(give_up - time.monotonic(), 0.0))

    def wake(self) -> None:
        """See `Outbox`."""
        self._news.tell()

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
        from ._reporting import recorded

        with self._connection() as connection, connection.transaction():
            done = recorded(connection, reports, self._now(), company=company, owner=owner)
            if source:
                connection.execute(_tables.SET_CURSOR, (plain(source), plain(cursor)))
        return done

    def reports(self, key: str) -> list[KeptReport]:
        """See `Outbox`."""
        return [kept_report(row) for row in self._rows(_tables.REPORTS, (plain(key),))]

    def cursor(self, source: str) -> str | None:
        """See `Outbox`."""
        rows = self._rows(_tables.CURSOR, (plain(source),))
        return str(rows[0][0]) if rows else None

    def vault_rows(self) -> PostgresRows:
        """See `Outbox`. They use this outbox's connections."""
        return PostgresRows(self.database)

    def close(self) -> None:
        """See `Outbox`."""
        self._pending.close()
        self._news.close()
        self._lives.close()
        self.database.close()

    def list(self, search: Search | None = None) -> list[Entry]:
        """See `Outbox`."""
        query, values = query_for(search or Search())
        return [entry_of(row) for row in self._rows(query, values)]
