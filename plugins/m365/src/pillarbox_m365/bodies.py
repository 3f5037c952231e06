"""What a request carries, in pieces made while it is sent: a message in base64, or JSON with files spliced in."""

from __future__ import annotations

import json
import secrets
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from pillarbox import Submission

from .parts import Leaf

_BLOCK = 3 * 64 * 1024
"""Octets encoded at once; a multiple of three, so that pieces of base64 join."""
HOLE = f"hole-{secrets.token_hex(16)}"
"""What stands in JSON where a file's base64 goes; nobody who writes a message knows it."""


@attrs.frozen(kw_only=True)
class Body:
    """The body of a request.

    Attributes:
        kind: Its media type.
        size: Its octets.
        pieces: Gives them, as often as it is called: a request may have to be repeated with another token.
    """

    kind: str
    size: int
    pieces: Callable[[], Iterator[bytes]] = attrs.field(repr=False)


def of_json(value: Any, files: Iterable[Leaf] = ()) -> Body:
    """Return *value* as JSON; each `HOLE` in it is filled with the base64 of the next of *files*."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    around, those = text.split(HOLE.encode()), tuple(files)
    if len(around) != len(those) + 1:
        raise ValueError("a place for each file")
    size = sum(map(len, around)) + sum(leaf.base64_size for leaf in those)
    return Body(kind="application/json", size=size, pieces=lambda: _spliced(around, those))


def _spliced(around: list[bytes], files: tuple[Leaf, ...]) -> Iterator[bytes]:
    yield around[0]
    for leaf, text in zip(files, around[1:], strict=True):
        yield from leaf.base64()
        yield text


def of_mime(submission: Submission) -> Body:
    """Return *submission* with its Bcc as Graph takes MIME: in base64, as text."""
    size = submission.size + len(submission.bcc_header)
    return Body(
        kind="text/plain",
        size=-(-size // 3) * 4,
        pieces=lambda: in_base64(_with_bcc(submission)),
    )


def _with_bcc(submission: Submission) -> Iterator[bytes]:
    """Give the chunks with the Bcc header where the header ends."""
    left = submission.header_size if submission.bcc_header else -1
    for chunk in submission.chunks:
        if 0 <= left <= len(chunk):
            yield chunk[:left]
            yield submission.bcc_header
            yield chunk[left:]
            left = -1
            continue
        yield chunk
        left -= len(chunk) if left > 0 else 0


def in_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give the base64 of all *pieces* together, without line breaks."""
    rest = b""
    for piece in pieces:
        whole = rest + piece if rest else piece
        end = len(whole) // 3 * 3
        view = memoryview(whole)
        for start in range(0, end, _BLOCK):
            yield b2a_base64(view[start : min(start + _BLOCK, end)], newline=False)
        rest = whole[end:]
    if rest:
        yield b2a_base64(rest, newline=False)


def of_octets(pieces: Callable[[], Iterator[bytes]], size: int) -> Body:
    """Return a part of a file as it is."""
    return Body(kind="application/octet-stream", size=size, pieces=pieces)
