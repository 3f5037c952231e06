"""The plot of the ratios: a bar for each row, its spread across it, and a mark where the bound is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import attrs

from docs.drawing import drawing
from tests.benchmarks.harness import Row, Spread
from tests.benchmarks.table import number

WIDTH = 900
LEFT, RIGHT = 350, 790
"""Where bars begin, and where the longest ends; to the right of it stand the figures."""
STEP = 26
HEAD = 56
KINDS = {"met": "good", "met?": "open", "missed?": "open", "missed": "bad"}


@attrs.frozen
class Bar:
    """One row: what it is called, and how long it is drawn."""

    label: str
    row: Row
    figure: Spread


@attrs.frozen
class Panel:
    """Bars of one kind, one below the other: from 1 to the ratio, on a scale where a factor is the same length everywhere.

    Attributes:
        top: Where it begins.
    """

    title: str
    bars: Sequence[Bar]
    top: float

    @property
    def bottom(self) -> float:
        return self.top + HEAD + STEP * len(self.bars)

    def svg(self) -> str:
        lines = (self._line(10.0**power) for power in range(-4, 5))
        bars = (self._bar(bar, self.top + HEAD + STEP * place) for place, bar in enumerate(self.bars))
        return "\n".join([_text(20, self.top + 24, self.title, "head"), *filter(None, lines), *bars])

    def _range(self) -> tuple[float, float]:
        values = [1.0]
        for bar in self.bars:
            values += [bar.figure.low, bar.figure.high, *([bar.row.bound.value] if bar.row.bound else [])]
        return min(values) / 1.2, max(values) * 1.2

    def _x(self, value: float) -> float:
        low, high = self._range()
        return LEFT + math.log(value / low) / math.log(high / low) * (RIGHT - LEFT)

    def _line(self, value: float) -> str:
        """Return a line at *value*, with its name, or "" where it lies outside."""
        low, high = self._range()
        if not low <= value <= high:
            return ""
        x, y = self._x(value), self.top + HEAD
        return _text(x - 4, y - 4, f"{value:g} x") + _box(x, y, 0.1, self.bottom - y)

    def _bar(self, bar: Bar, y: float) -> str:
        figure, bound = bar.figure, bar.row.bound
        parts = [
            _text(20, y + 18, bar.label),
            f'<g class="{KINDS.get(bar.row.verdict, "step")}">{self._from_to(1.0, figure.median, y + 5, 17)}</g>',
            self._from_to(figure.low, figure.high, y + 13, 1),
            _text(RIGHT + 10, y + 18, f"{number(figure.median)} {bar.row.unit}"),
        ]
        if bound is not None:
            parts.append(_box(self._x(bound.value) - 1, y + 2, 2, 23))
        return "".join(parts)

    def _from_to(self, one: float, other: float, y: float, height: float) -> str:
        left, right = sorted([self._x(one), self._x(other)])
        return _box(left, y, right - left, height)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    kind = f"start {more}".strip()
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" style="text-anchor: start">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"/>'


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Return a bar for each of *rows* that was measured, of the one that is ours and stands first."""
    shown = [row for row in rows if row.ours.name == rows[0].ours.name]
    several = len({row.name for row in shown}) > 1
    return [
        Bar(f"{_case(row)}: {row.peer.name}" if several else row.peer.name, row, row.figure)
        for row in shown
        if row.figure is not None
    ]


def _case(row: Row) -> str:
    """Return which message a row is about."""
    return row.name.partition(", ")[2].removesuffix(", CPU")


def plot(panels: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """Return the drawing of *panels*: what each shows, and its rows."""
    drawn: list[Panel] = []
    for title, rows in panels:
        drawn.append(Panel(title, bars(rows), drawn[-1].bottom if drawn else 10))
    return drawing("pillarbox against its peers", told(drawn), (WIDTH, round(drawn[-1].bottom + 20)), drawn)


def told(panels: Sequence[Panel]) -> str:
    """Return in words what is drawn."""
    return " ".join(
        f"{panel.title}: "
        + "; ".join(f"{bar.label} {number(bar.figure.median)} {bar.row.unit}" for bar in panel.bars)
        + "."
        for panel in panels
    )
