"""The results on paper: a table for people, and what to think of the machine they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.harness import Bound, Row, Spread
from tests.benchmarks.report import Report

HEADINGS = ("", "ours", "peer", "median (min-max)", "bound", "")


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as aligned text."""
    lines = [HEADINGS, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cells(row: Row) -> tuple[str, ...]:
    """Return what *row* says in each column."""
    return row.name, str(row.ours), str(row.peer), figure(row.figure, row.unit), bound(row.bound), row.verdict


def figure(spread: Spread | None, unit: str) -> str:
    """Return a median with its spread, in words."""
    if spread is None:
        return "-"
    return f"{number(spread.median)} ({number(spread.low)}-{number(spread.high)}) {unit}"


def bound(given: Bound | None) -> str:
    """Return a bound in words, "" for none."""
    return f"{given.relation} {number(given.value)}" if given else ""


def number(value: float) -> str:
    """Return *value* with two or three digits that count."""
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cautions(reports: Sequence[Report]) -> Iterator[str]:
    """Yield what a reader has to know before believing the table."""
    yield "A figure is the median of the rounds' own ratios, with the lowest and the highest in brackets."
    yield "A question mark: the median is on one side of the bound, some rounds were on the other; run it again."
    for report in reports:
        noise = report.conditions.noise(report.machine.cores)
        if noise:
            yield f"{report.benchmark}: the machine was noisy: {noise}."
        yield from (
            f"{report.benchmark}, {row.name}, {row.peer.name}: the rounds differ by more than two; noise."
            for row in report.rows
            if is_wild(row)
        )


def is_wild(row: Row) -> bool:
    """Whether the rounds of a ratio differ by more than a factor of two."""
    return row.unit == "x" and row.figure is not None and row.figure.high > 2 * row.figure.low
