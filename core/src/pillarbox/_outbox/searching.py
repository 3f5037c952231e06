"""From what is asked about many entries to a query, and from its rows to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._mail import State
from . import tables
from .entry import LaneCount, Search
from .rows import micros, moment


def where(search: Search) -> tuple[str, list[Any]]:
    """Return the query for *search* and its values; nothing of the search stands in the text."""
    exact = {
        "e.reference": search.reference,
        "e.lane": search.account,
        "e.company": search.company,
        "e.actor": search.user,
        "e.method": search.method,
        "e.part_of": search.part_of,
        "e.again_of": search.again_of,
    }
    conditions: list[tuple[str, Any]] = [(f"{column} = ?", value) for column, value in exact.items() if value]
    if search.to:
        conditions.append(("instr(lower(e.recipients), lower(?)) > 0", search.to))
    if search.since is not None:
        conditions.append(("e.created >= ?", micros(search.since)))
    if search.until is not None:
        conditions.append(("e.created < ?", micros(search.until)))
    if search.before:
        conditions.append(("e.seq < (SELECT seq FROM entries WHERE key = ?)", search.before))
    values: list[Any] = [value for _, value in conditions]
    texts = [text for text, _ in conditions]
    if search.states:
        states = sorted(state.value for state in search.states)
        texts.append(f"e.state IN ({', '.join('?' * len(states))})")
        values += states
    where = f" WHERE {' AND '.join(texts)}" if texts else ""
    return f"{tables.LIGHT}{where} ORDER BY e.seq DESC LIMIT ?", [*values, search.limit]


def lane_count(rows: Sequence[Sequence[Any]]) -> LaneCount:
    """Return how a lane stands, from its *rows*: one for each state."""
    lane, company, owner, method, mailbox = rows[0][:5]
    waiting = [row for row in rows if row[5] in {"queued", "deferred"}]
    return LaneCount(
        account=lane,
        company=company,
        owner=owner,
        method=method,
        mailbox=mailbox,
        counts={State(row[5]): row[6] for row in rows},
        oldest=min((moment(row[7]) for row in rows), default=None),
        next_due=min((moment(row[8]) for row in waiting), default=None),
    )
