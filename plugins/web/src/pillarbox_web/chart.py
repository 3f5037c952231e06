"""The last day of the outbox as bars: an hour each, what was accepted and what was not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

import attrs

from pillarbox import Entry, State

HOURS = 24
WIDTH, HEIGHT, GAP = 12, 60, 3
KINDS = {
    State.ACCEPTED: "accepted",
    State.REJECTED: "refused",
    State.CANCELLED: "refused",
    State.HELD: "held",
    State.UNKNOWN: "held",
}
ORDER = ("accepted", "waiting", "held", "refused")


@attrs.frozen
class Bar:
    """A rectangle of the chart, in its own units: 15 for an hour, 60 high."""

    x: int
    y: float
    height: float
    kind: str
    text: str


@attrs.frozen
class Chart:
    """The bars, the hours under them, and the same as numbers for who does not see it."""

    bars: tuple[Bar, ...]
    total: int
    counts: dict[str, int]
    width: int = HOURS * (WIDTH + GAP)


def chart(entries: Iterable[Entry], now: dt.datetime) -> Chart:
    """Return the chart of *entries*, those put in the 24 hours before *now*."""
    hours: dict[int, Counter[str]] = {}
    for one in entries:
        age = int((now - one.created_at).total_seconds() // 3600)
        if 0 <= age < HOURS:
            hours.setdefault(HOURS - 1 - age, Counter())[KINDS.get(one.state, "waiting")] += 1
    most = max((sum(counted.values()) for counted in hours.values()), default=0)
    bars = [bar for hour, counted in sorted(hours.items()) for bar in _bars(hour, counted, most, now)]
    sums = sum(hours.values(), Counter())
    return Chart(tuple(bars), sum(sums.values()), {kind: sums[kind] for kind in ORDER if sums[kind]})


def _bars(hour: int, counted: Counter[str], most: int, now: dt.datetime) -> Iterable[Bar]:
    top = float(HEIGHT)
    begins = (now - dt.timedelta(hours=HOURS - hour)).strftime("%H:%M")
    for kind in ORDER:
        if counted[kind]:
            height = round(HEIGHT * counted[kind] / most, 2)
            top = round(top - height, 2)
            yield Bar(hour * (WIDTH + GAP), top, height, kind, f"{begins}: {counted[kind]} {kind}")
