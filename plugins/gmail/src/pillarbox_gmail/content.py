"""A submission as Gmail takes it: with its Bcc header, in pieces, from any octet to any other, and never put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from pillarbox import Submission

from .exchange import Pieces

PIECE = 256 * 1024
"""Octets that smaller chunks are gathered to, so that each is worth a call of the system."""


@attrs.frozen
class Content:
    """The octets of a message.

    Attributes:
        parts: They, in order.
        size: How many.
    """

    parts: tuple[memoryview, ...] = attrs.field(repr=False)
    size: int

    @classmethod
    def of(cls, submission: Submission) -> Content:
        """Return the content of *submission* with its Bcc header: Gmail reads it, strips it, and keeps it in the copy."""
        parts = tuple(_with_bcc(submission))
        return cls(parts, sum(map(len, parts)))

    def between(self, start: int, end: int) -> Pieces:
        """Return the octets from *start* to before *end*."""
        return Pieces(end - start, lambda: _gathered(self._cut(start, end)))

    @property
    def all(self) -> Pieces:
        """All of them."""
        return self.between(0, self.size)

    def _cut(self, start: int, end: int) -> Iterator[memoryview]:
        at = 0
        for part in self.parts:
            first, last = max(start - at, 0), min(end - at, len(part))
            if first < last:
                yield part[first:last]
            at += len(part)
            if at >= end:
                return


def _with_bcc(submission: Submission) -> Iterator[memoryview]:
    left = submission.header_size
    for chunk in submission.chunks:
        view = memoryview(chunk)
        if submission.bcc_header and 0 <= left < len(view):
            yield view[:left]
            yield memoryview(submission.bcc_header)
            view, left = view[left:], -1
        elif left >= 0:
            left -= len(view)
        yield view
    if submission.bcc_header and left == 0:  # a header without a body
        yield memoryview(submission.bcc_header)


def _gathered(parts: Iterable[memoryview]) -> Iterator[bytes | memoryview]:
    """Give *parts*, small ones put together, so that a message of many lines is not sent line by line."""
    small: list[memoryview] = []
    count = 0
    for part in parts:
        small.append(part)
        count += len(part)
        if count >= PIECE:
            yield small[0] if len(small) == 1 else b"".join(small)
            small, count = [], 0
    if small:
        yield b"".join(small)
