"""What goes and comes over HTTP: a body in pieces, a complete answer, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

LARGEST_ANSWER = 1024 * 1024
"""Octets of an answer; whatever is longer is none."""


class Broken(Exception):
    """The exchange began and no valid answer came: the other side may have processed the request, or not.

    Attributes:
        how: A clause: `no answer came in time`.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@attrs.frozen
class Answer:
    """A complete answer.

    Attributes:
        status: Of HTTP.
        headers: By their names in lower case.
        body: Its octets, at most `LARGEST_ANSWER`.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def told(self) -> dict[str, Any] | None:
        """The JSON object that it is, or None where it is something else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


@attrs.frozen
class Pieces:
    """A request's body that is sent piece by piece, without being put together first.

    Attributes:
        size: Octets of all of them.
        parts: Gives them, as often as it is asked.
    """

    size: int
    parts: Callable[[], Iterable[bytes | memoryview]] = attrs.field(repr=False)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes | memoryview]:
        return iter(self.parts())
