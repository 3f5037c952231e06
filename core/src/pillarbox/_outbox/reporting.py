"""Which mail a report is about, and the row that keeps it: the same in every SQL outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from .._reports import KeptReport, Recorded, Report, ReportKind
from .rows import micros, moment

MOST_EACH = 16
"""Reports that are kept of one recipient of one mail; what comes after them is counted and dropped."""
NO_MOMENT = -1
"""Kept where the provider does not say when."""
Places = Sequence[tuple[int, str]]
"""Entries as (number, recipients, one a line)."""

_REFERENCE = "CASE WHEN json_valid(receipt) THEN json_extract(receipt, '$.reference') END"
TABLES = (
    """
CREATE TABLE IF NOT EXISTS reports (
    seq INTEGER NOT NULL, recipient TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, detail TEXT NOT NULL,
    recorded INTEGER NOT NULL, PRIMARY KEY (seq, recipient, kind, at, detail)
) WITHOUT ROWID
""",
    "CREATE TABLE IF NOT EXISTS cursors (source TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID",
    f"CREATE INDEX IF NOT EXISTS answered_as ON entries ({_REFERENCE}) WHERE receipt IS NOT NULL",
)
"""Made with the first report: an outbox that nobody reports to pays for none of it."""
_HERE = "SELECT seq, recipients FROM entries WHERE company = :company AND (:owner IS NULL OR owner = :owner)"
_BY_KEY = f"{_HERE} AND (key = :name OR part_of = :name)"
_BY_REFERENCE = f"{_HERE} AND receipt IS NOT NULL AND {_REFERENCE} = :name LIMIT 100"
_SAME = "SELECT 1 FROM reports WHERE seq = ? AND recipient = ? AND kind = ? AND at = ? AND detail = ?"
_COUNT = "SELECT count(*) FROM reports WHERE seq = ? AND recipient = ?"
_INSERT = "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?)"
_CURSOR = "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor"
_KEPT = """
SELECT r.recipient, r.kind, r.detail, r.at, r.recorded FROM reports r JOIN entries e USING (seq)
WHERE e.key = ? ORDER BY r.recorded, r.at, r.recipient, r.kind
"""


def placed(
    report: Report, by_key: Callable[[str], Places], by_reference: Callable[[str], Places]
) -> tuple[int, str] | None:
    """Return the entry that *report* is about, by its number, and the recipient as the entry has it; None where that is not certain.

    Args:
        report: What came.
        by_key: Returns the entries of a key, its parts included.
        by_reference: Returns the entries whose receipt has this reference.
    """
    key = report.message_id.strip("<>").rpartition("@")[0]
    found = by_key(key) if key else ()
    if not found and report.provider_id:
        found = by_reference(report.provider_id)
    wanted = report.recipient.lower()
    whom = [
        (number, one)
        for number, recipients in found
        for one in recipients.split("\n")
        if one.lower() == wanted
    ]
    if not whom:  # forwarded since, or not named: of a mail to one alone it is certain all the same
        whom = [(number, one) for number, recipients in found for one in recipients.split("\n")]
    return whom[0] if len(whom) == 1 else None


def values_of(report: Report, place: tuple[int, str], now: int) -> tuple[int, str, str, int, str, int]:
    """Return the row that keeps *report*."""
    at = NO_MOMENT if report.at is None else micros(report.at)
    return (*place, report.kind.value, at, report.detail, now)


def kept_report(row: Sequence[Any]) -> KeptReport:
    """Return what a row keeps: recipient, kind, detail, at, recorded."""
    recipient, kind, detail, at, recorded = row
    return KeptReport(
        recipient=recipient,
        kind=ReportKind(kind),
        detail=detail,
        at=None if at == NO_MOMENT else moment(at),
        recorded_at=moment(recorded),
    )


def recorded(
    database: sqlite3.Connection,
    reports: Sequence[Report],
    now: int,
    *,
    company: str,
    owner: str | None,
    source: str,
    cursor: str,
) -> Recorded:
    """Keep *reports* in the embedded outbox, in the transaction that is open."""
    for statement in TABLES:
        database.execute(statement)
    among = {"company": company, "owner": owner}
    sums = Recorded()
    for report in reports:
        place = placed(
            report,
            lambda name: database.execute(_BY_KEY, {**among, "name": name}).fetchall(),
            lambda name: database.execute(_BY_REFERENCE, {**among, "name": name}).fetchall(),
        )
        sums += Recorded(unknown=1) if place is None else _kept(database, values_of(report, place, now))
    if source:
        database.execute(_CURSOR, (source, cursor))
    return sums


def _kept(database: sqlite3.Connection, values: tuple[int, str, str, int, str, int]) -> Recorded:
    if database.execute(_SAME, values[:5]).fetchone() is not None:
        return Recorded(again=1)
    (count,) = database.execute(_COUNT, values[:2]).fetchone()
    if count >= MOST_EACH:
        return Recorded(over=1)
    database.execute(_INSERT, values)
    return Recorded(new=1)


def kept_reports(database: sqlite3.Connection, key: str) -> list[KeptReport]:
    """Return what is kept of the entry *key*, in the order in which it came."""
    return (
        [kept_report(row) for row in database.execute(_KEPT, (key,)).fetchall()] if _is_made(database) else []
    )


def kept_cursor(database: sqlite3.Connection, source: str) -> str | None:
    """Return where the next look at *source* begins, or None."""
    if not _is_made(database):
        return None
    row = database.execute("SELECT cursor FROM cursors WHERE source = ?", (source,)).fetchone()
    return None if row is None else str(row[0])


def _is_made(database: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_schema WHERE name = 'cursors'"
    return database.execute(query).fetchone() is not None
