"""The results on paper: a table for people, JSON for programs, and what to think of the machine they come from."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import attrs

from tests.benchmarks.harness import Row

PACKAGES = ("pillarbox", "pillarbox-smtp", "Django", "aiosmtplib", "redmail")
HEADINGS = ("", "ours", "peer", "median (min-max)", "bound", "")


@attrs.frozen
class Machine:
    """What ran the benchmarks, as far as it matters to reading them."""

    python: str
    cores: int
    load: float
    """The load average of the last minute: how many others wanted a core."""
    packages: dict[str, str]


def machine() -> Machine:
    """Return this machine, now."""
    return Machine(
        python=platform.python_version(),
        cores=len(os.sched_getaffinity(0)),
        load=round(os.getloadavg()[0], 2),
        packages={name: version(name) for name in PACKAGES},
    )


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as aligned text."""
    lines = [HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    figure = row.figure
    shown = f"{_number(figure.median)} ({_number(figure.low)}-{_number(figure.high)}) {row.unit}"
    bound = f"{row.bound.relation} {_number(row.bound.value)}" if row.bound else ""
    return row.name, row.ours, row.peer, shown, bound, row.verdict


def _number(value: float) -> str:
    """Return *value* with two or three digits that count."""
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def caution(before: Machine, after: Machine, rows: Iterable[Row]) -> str:
    """Return what a reader has to know before believing the table."""
    told = [
        f"Python {after.python}, {after.cores} cores; load {before.load} before and {after.load} after.",
        "A figure is the median of the rounds' own ratios, with the lowest and the highest in brackets.",
        "A question mark: the median is on one side of the bound, some rounds were on the other; run it again.",
    ]
    if before.load > 0.5 * after.cores:
        told.append(
            "The machine was not idle: CPU ratios bear that, a single miss by a little means nothing."
        )
    told += [f"{_full_name(row)}: its rounds differ by more than two; noise." for row in rows if _wild(row)]
    return "\n".join(told)


def _full_name(row: Row) -> str:
    return f"{row.name}, {row.peer.partition(':')[0]}"


def _wild(row: Row) -> bool:
    return row.unit == "x" and row.figure.high > 2 * row.figure.low


def as_json(before: Machine, after: Machine, effort: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "effort": effort,
        "before": attrs.asdict(before),
        "after": attrs.asdict(after),
        "rows": [{**attrs.asdict(row), "verdict": row.verdict} for row in rows],
    }
