"""The protocol of host and worker: one object of JSON a line, each of a bounded length, over the worker's stdin and stdout.

{"id": 7, "op": "submit", "seconds": 120}
{"id": 7, "answer": {}}        or        {"id": 7, "problem": {"name": "com", "step": "send", ...}}
"""

from __future__ import annotations

import json
from typing import IO, Any

LONGEST = 1_048_576
"""Octets of a line. Bodies and files go by the spool; ten thousand recipients fit."""


class Nonsense(Exception):
    """What came is no line of the protocol."""


def written(value: dict[str, Any]) -> bytes:
    """Return *value* as a line.

    Raises:
        Nonsense: It is too long.
    """
    line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    if len(line) > LONGEST:
        raise Nonsense(f"a line of {len(line):,} octets")
    return line


def read(source: IO[bytes]) -> dict[str, Any] | None:
    """Return the next line's object, or None at the end of the stream.

    Raises:
        Nonsense: It is too long, cut off, or no object of JSON.
    """
    line = source.readline(LONGEST + 1)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise Nonsense("a line that is too long, or has no end")
    return parsed(line)


def parsed(line: bytes) -> dict[str, Any]:
    """Return the object that *line* holds.

    Raises:
        Nonsense: It holds none.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise Nonsense("a line that is no JSON") from None
    if not isinstance(value, dict):
        raise Nonsense("a line that is no object")
    return value
