"""Boxes and arrows as SVG: readable in light and in dark, with words for those who can't see them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Protocol, TypeAlias

import attrs

Point: TypeAlias = tuple[float, float]
LINE = 18
"""Pixels from one line of text to the next."""
STYLE = """
svg { --paper: #ffffff; --ink: #1f2328; --line: #59636e; --soft: #f6f8fa; --good: #dcf5e3; --bad: #fde5e3; --open: #fff4cc }
@media (prefers-color-scheme: dark) {
  svg { --paper: #131416; --ink: #e6e8eb; --line: #9aa4ae; --soft: #22262b; --good: #143b22; --bad: #4a1d1b; --open: #423608 }
}
text { font: 14px system-ui, sans-serif; fill: var(--ink); text-anchor: middle }
.name text, .head { font-weight: 600 }
.label { font-size: 13px; fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 5px }
.start { text-anchor: start }
.paper { fill: var(--paper); stroke: none }
rect { fill: var(--soft); stroke: var(--line); stroke-width: 1.5 }
.good rect { fill: var(--good) }
.bad rect { fill: var(--bad) }
.open rect { fill: var(--open) }
.group rect { fill: none; stroke-dasharray: 5 4 }
.edge { fill: none; stroke: var(--line); stroke-width: 1.5; stroke-linejoin: round; marker-end: url(#tip) }
#tip path { fill: var(--line) }
"""


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))


@attrs.frozen
class Box:
    """A box around lines of text, by its middle.

    Attributes:
        kind: Its colour: "" for a step, `good`, `bad` and `open` for an end, `group` for a frame.
    """

    x: float
    y: float
    lines: tuple[str, ...] = attrs.field(converter=_lines)
    kind: str = ""
    width: float = 130
    height: float = 48
    id: str = ""

    def svg(self) -> str:
        first = self.y - (len(self.lines) - 1) * LINE / 2 + 5
        if self.kind == "group":
            first = self.y - self.height / 2 + 18
        words = "".join(
            f'<text x="{self.x:g}" y="{first + number * LINE:g}">{escape(line)}</text>'
            for number, line in enumerate(self.lines)
        )
        named = f' id="{self.id}"' if self.id else ""
        left, top = self.x - self.width / 2, self.y - self.height / 2
        return (
            f'<g class="{self.kind or "step"}"{named}><rect x="{left:g}" y="{top:g}" width="{self.width:g}" '
            f'height="{self.height:g}" rx="7"/>{words}</g>'
        )


@attrs.frozen
class Arrow:
    """An arrow along *points*, from somewhere to somewhere, with a word beside it.

    Attributes:
        at: Where the word stands; by default in the middle of the first stretch.
    """

    points: Sequence[Point]
    word: str = ""
    at: Point | None = None
    start: str = ""
    end: str = ""

    def svg(self) -> str:
        way = " ".join(
            f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(self.points)
        )
        ends = f' data-from="{self.start}" data-to="{self.end}"' if self.end else ""
        return f'<path class="edge" d="{way}"{ends}/>{self._word()}'

    def _word(self) -> str:
        if not self.word:
            return ""
        (x, y), (after_x, after_y) = self.points[:2]
        at = self.at or ((x + after_x) / 2, (y + after_y) / 2 + 4)
        return "".join(
            f'<text class="label" x="{at[0]:g}" y="{at[1] + 15 * number:g}">{escape(line)}</text>'
            for number, line in enumerate(self.word.split("\n"))
        )


class Part(Protocol):
    """Anything that can be drawn."""

    def svg(self) -> str: ...


def drawing(title: str, told: str, size: tuple[int, int], parts: Sequence[Part]) -> str:
    """Return an SVG document; *told* says in words what it shows."""
    width, height = size
    inside = "\n".join(part.svg() for part in parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
role="img" aria-labelledby="title told">
<title id="title">{escape(title)}</title>
<desc id="told">{escape(told)}</desc>
<style>{STYLE}</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">\
<path d="M0 1 L10 5 L0 9 z"/></marker></defs>
<rect class="paper" width="{width}" height="{height}" rx="8"/>
{inside}
</svg>
"""
