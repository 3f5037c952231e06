"""The plot of the ratios: a bar for each row, its spread across it, and a mark where the bound is."""

from __future__ import annotations

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
HEAD = 44
KINDS = {"met": "good", "met?": "open", "missed?": "open", "missed": "bad"}


@attrs.frozen
class Bar:
    """One row: what it is called, and how long it is drawn."""

    label: str
    row: Row
    figure: Spread


@attrs.frozen
class Panel:
    """Bars of one kind, one below the other.

    Attributes:
        top: Where it begins.
    """

    title: str
    bars: Sequence[Bar]
    top: float

    @property
    def bottom(self) -> float:
        return self.top + HEAD + STEP * len(self.bars)

    @property
    def _scale(self) -> float:
        marks = [bar.row.bound.value for bar in self.bars if bar.row.bound]
        return (RIGHT - LEFT) / max([bar.figure.high for bar in self.bars] + marks)

    def svg(self) -> str:
        bars = (self._bar(bar, self.top + HEAD + STEP * number) for number, bar in enumerate(self.bars))
        return "\n".join([_text(20, self.top + 26, self.title, "head"), *bars])

    def _bar(self, bar: Bar, y: float) -> str:
        scale, figure, bound = self._scale, bar.figure, bar.row.bound
        parts = [
            _text(20, y + 15, bar.label),
            f'<g class="{KINDS.get(bar.row.verdict, "step")}">{_box(LEFT, y + 2, figure.median * scale, 17)}</g>',
            _box(LEFT + figure.low * scale, y + 10, (figure.high - figure.low) * scale, 1),
            _text(LEFT + figure.high * scale + 8, y + 15, f"{number(figure.median)} {bar.row.unit}"),
        ]
        if bound is not None:
            parts.append(_box(LEFT + bound.value * scale, y - 1, 1, 23))
        return "".join(parts)


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
