"""Reports in PostgreSQL: which mail each is about, kept once, in the transaction that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pillarbox import Recorded, Report
from pillarbox.outbox import MOST_REPORTS, placed, report_row

from . import _tables
from ._values import plain

if TYPE_CHECKING:
    from psycopg import Connection


def recorded(
    connection: Connection[Any], reports: Sequence[Report], now: int, *, company: str, owner: str | None
) -> Recorded:
    """Keep *reports* of mail of *company*, of *owner*'s accounts where one is given."""
    connection.execute(_tables.ONE_REPORTER)
    if any(one.provider_id for one in reports):
        connection.execute(_tables.NAMED)
    among = {"company": plain(company), "owner": None if owner is None else plain(owner)}

    def found(query: str, name: str) -> list[tuple[int, str]]:
        return connection.execute(query, {**among, "name": plain(name)}).fetchall()

    sums = Recorded()
    for report in reports:
        place = placed(
            report,
            lambda name: found(_tables.OF_KEY, name),
            lambda name: found(_tables.OF_REFERENCE, name),
        )
        sums += Recorded(unknown=1) if place is None else _kept(connection, report_row(report, place, now))
    return sums


def _kept(connection: Connection[Any], values: Sequence[Any]) -> Recorded:
    if connection.execute(_tables.SAME_REPORT, values[:5]).fetchone() is not None:
        return Recorded(again=1)
    row = connection.execute(_tables.REPORTED, values[:2]).fetchone()
    if row is not None and row[0] >= MOST_REPORTS:
        return Recorded(over=1)
    connection.execute(_tables.REPORT, values)
    return Recorded(new=1)
