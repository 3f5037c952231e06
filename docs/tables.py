"""Tables and sections of Markdown, as the pages of the reference are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell(one) for one in line) + " |\n" for line in lines)


def code(texts: Iterable[object]) -> str:
    """Return *texts* as code, with commas between."""
    return ", ".join(f"`{text}`" for text in texts)


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"
