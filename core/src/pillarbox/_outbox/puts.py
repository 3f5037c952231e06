"""Keeping entries: those of many callers by a few statements, each caller's all or none."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from . import bursts, tables
from .contract import same
from .entry import Entry
from .rows import COLUMNS, entry_of, row_of
from .settings import OutboxSettings

_WIDTH = len(COLUMNS)
_SIZES = (128, 64, 32, 16, 8, 4, 2, 1)
"""How many rows one statement inserts; few sizes, so that SQLite keeps the statements ready."""


class Apart(Exception):
    """What was given together has to be done one by one."""


@attrs.frozen
class Given:
    """What one caller wants kept.

    Attributes:
        entries: All or none of them.
        rows: Theirs, made in the caller's own thread.
        at: When, microseconds.
    """

    entries: Sequence[Entry]
    rows: Sequence[tuple[Any, ...]]
    at: int

    @classmethod
    def of(cls, entries: Sequence[Entry], at: int) -> Given:
        """Return *entries* made ready.

        Raises:
            MessageError: An option of a message is nothing that can be kept.
        """
        return cls(entries, [row_of(entry) for entry in entries], at)


def keep(
    database: sqlite3.Connection, given: Sequence[Given], settings: OutboxSettings
) -> list[list[Entry] | Exception]:
    """Keep what all callers gave and return an answer for each: the entries as they are kept.

    Raises:
        Apart: A key is taken, and not all of *given* came from one caller.
        MessageError: A key is there with another digest; the transaction has to be undone.
    """
    rows = [row for one in given for row in one.rows]
    inserted = dict(_inserted(database, rows))
    if len(inserted) < len(rows) and len(given) > 1:
        raise Apart
    fresh = {entry.key: entry for one in given for entry in reversed(one.entries) if entry.key in inserted}
    _insert_bodies(
        database,
        [(inserted[key], one.submission.content, one.submission.bcc_header) for key, one in fresh.items()],
    )
    answers: list[list[Entry] | Exception] = [
        [
            same(fresh[entry.key] if entry.key in fresh else _there(database, entry), entry)
            for entry in one.entries
        ]
        for one in given
    ]
    _count(database, fresh.values(), given[-1].at, settings)
    return answers


def _inserted(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, int]]:
    """Insert *rows* and yield the key and number of each whose key was free; those of one statement follow each other."""
    for some in _in_sizes(rows):
        cursor = database.execute(tables.inserting(len(some)), [value for row in some for value in row])
        if cursor.rowcount == len(some) and cursor.lastrowid is not None:
            yield from zip(
                (row[0] for row in some), itertools.count(cursor.lastrowid - len(some) + 1), strict=False
            )
        elif cursor.rowcount:
            yield from database.execute(tables.LAST, (cursor.rowcount,)).fetchall()


def _insert_bodies(database: sqlite3.Connection, bodies: Sequence[tuple[int, bytes, bytes]]) -> None:
    for some in _in_sizes(bodies):
        database.execute(tables.inserting_bodies(len(some)), [value for body in some for value in body])


def _in_sizes(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    start = 0
    while start < len(rows):
        size = next(size for size in _SIZES if size <= len(rows) - start)
        yield rows[start : start + size]
        start += size


def _there(database: sqlite3.Connection, entry: Entry) -> Entry:
    row = database.execute(tables.BY_KEY, (entry.key,)).fetchone()
    return entry_of(row[:_WIDTH], row[_WIDTH], row[_WIDTH + 1])


def _count(database: sqlite3.Connection, fresh: Iterable[Entry], at: int, settings: OutboxSettings) -> None:
    """Count what is new for the burst limit, and pause who is over it."""
    minute = at // 60_000_000
    for scope, count in bursts.scopes(fresh, settings).items():
        database.execute(tables.BURST, (scope, minute, count))
        (total,) = database.execute(tables.BURSTED, (scope, minute - bursts.HOUR)).fetchone()
        pause = bursts.exceeded(scope, total, settings)
        if pause is not None:
            database.execute(tables.PAUSE, tables.pause_row(pause))
