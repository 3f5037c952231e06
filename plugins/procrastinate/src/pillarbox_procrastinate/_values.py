"""Between entries, steps and searches and what PostgreSQL is given of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pillarbox.outbox import (
    COLUMNS,
    Entry,
    LaneCount,
    Pause,
    Search,
    State,
    Step,
    desk_of,
    entry_of,
    micros,
    moment,
    receipt_text,
    row_of,
)

from . import _tables
from ._engine import queue_of

_WIDTH = len(COLUMNS)


def rows_of(entries: Sequence[Entry]) -> list[tuple[Any, ...]]:
    return [(*row_of(entry), entry.submission.content, entry.submission.bcc_header) for entry in entries]


def lanes_to_serve(entries: Iterable[Entry]) -> list[tuple[str, str, float]]:
    """Return the lanes in which something waits for a worker, their queues, and from when on, in seconds; 0 for at once.

    The engine's jobs are for who serves lanes whole: a lane with a desk is its user's worker's, which looks by itself.
    """
    lanes: dict[str, tuple[str, float]] = {}
    for entry in entries:
        if entry.state is State.QUEUED and not desk_of(entry.account):
            due = micros(entry.due_at) / 1e6
            earlier = lanes.get(entry.account, ("", due))[1]
            lanes[entry.account] = (queue_of(entry.method), min(earlier, due))
    return [(lane, queue, due) for lane, (queue, due) in lanes.items()]


def plain(text: str) -> str:
    """Return *text* as PostgreSQL can hold it: what a server says must not keep a step from being written."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def listed(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def step_values(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "state": step.state.value if step.state is not None else "",
        "come_from": [state.value for state in step.come_from],
        "fence": step.fence,
        "reason": plain(step.reason),
        "code": plain(step.code),
        "due": None if step.due_at is None else micros(step.due_at),
        "receipt": None if step.receipt is None else plain(receipt_text(step.receipt) or ""),
        "remaining": None if step.recipients is None else "\n".join(step.recipients),
        "counts": step.counts,
        "answered": None if step.answered_at is None else micros(step.answered_at),
        "tells": step.state is not State.ATTEMPTING and bool(step.reason or step.state is not State.QUEUED),
        "decided_by": plain(step.by),
    }


def pause_row(pause: Pause) -> tuple[Any, ...]:
    until = None if pause.until is None else micros(pause.until)
    return (pause.scope, pause.reason, micros(pause.since), until, pause.by, pause.kind)


def full_entry(row: Sequence[Any]) -> Entry:
    return entry_of(row[:_WIDTH], row[_WIDTH], row[_WIDTH + 1])


def query_for(search: Search) -> tuple[str, list[Any]]:
    """Return the query for *search* and its values; nothing of the search stands in the text."""
    conditions: list[tuple[str, Any]] = [
        ("e.reference = %s", search.reference),
        ("e.lane = %s", search.account),
        ("e.company = %s", search.company),
        ("e.actor = %s", search.user),
        ("e.method = %s", search.method),
        ("e.part_of = %s", search.part_of),
        ("e.again_of = %s", search.again_of),
        ("strpos(lower(e.recipients), lower(%s)) > 0", search.to),
        ("e.created >= %s", None if search.since is None else micros(search.since)),
        ("e.created < %s", None if search.until is None else micros(search.until)),
        ("e.seq < (SELECT seq FROM pillarbox.entries WHERE key = %s)", search.before),
        ("e.state = ANY (%s)", sorted(state.value for state in search.states)),
    ]
    used = [(text, value) for text, value in conditions if value or value == 0]
    where = f" WHERE {' AND '.join(text for text, _ in used)}" if used else ""
    values = [value for _, value in used]
    return f"{_tables.LIGHT}{where} ORDER BY e.seq DESC LIMIT %s", [*values, search.limit]


def lane_count(rows: Sequence[Sequence[Any]]) -> LaneCount:
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
