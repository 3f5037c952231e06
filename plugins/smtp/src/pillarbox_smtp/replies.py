"""Replies of an SMTP server: read from octets however they were cut, bounded, and taken apart."""

from __future__ import annotations

import re
from collections import deque

LONGEST_LINE = 512
"""Octets of one reply line with its CRLF (RFC 5321 4.5.3.1.5)."""
MOST_LINES = 128
MOST_OCTETS = 64 * 1024
CR = 13
_MARKS = (b" ", b"-", b"\r")
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


class Garbage(Exception):
    """What came is not a reply (RFC 5321 4.2), or more than a reply may be. Its text is a clause."""


class Reply:
    """One complete reply.

    Attributes:
        code: 200 to 599.
        lines: What follows the code on each line.
    """

    __slots__ = ("code", "lines")

    def __init__(self, code: int, lines: tuple[bytes, ...]) -> None:
        self.code: int = code
        self.lines: tuple[bytes, ...] = lines

    def __repr__(self) -> str:
        return f"Reply({self.code}, {self.lines!r})"

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 refused for now, 5 refused for good."""
        return self.code // 100

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 2034), or "" where there is none that agrees with the reply code."""
        found = _ENHANCED.match(self.lines[0])
        code = found[1].decode() if found else ""
        return code if code.startswith(str(self.kind)) else ""

    @property
    def status(self) -> str:
        """The codes as the server gave them: `550 5.1.1`, or `550`."""
        return f"{self.code} {self.enhanced}".rstrip()

    @property
    def text(self) -> str:
        """The words, lines joined by spaces, without the codes."""
        enhanced = self.enhanced.encode()
        words = (line.removeprefix(enhanced).strip() if enhanced else line.strip() for line in self.lines)
        return b" ".join(words).decode("utf-8", "replace")

    def without(self, secrets: tuple[bytes, ...]) -> Reply:
        """Return the reply with *secrets* blanked out, should the server repeat one."""
        lines = self.lines
        for secret in secrets:
            if any(secret in line for line in lines):
                lines = tuple(line.replace(secret, b"[secret]") for line in lines)
        return self if lines is self.lines else Reply(self.code, lines)


class ReplyReader:
    """Makes replies of octets. Only CRLF ends a line; a bare LF is refused, for it could hide a second reply."""

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[bytes] = []
        self._code = b""
        self._size = 0
        self._ready: deque[Reply] = deque()

    @property
    def pending(self) -> bool:
        """Whether there are octets of a reply that is not complete."""
        return bool(self._buffer or self._lines)

    def __len__(self) -> int:
        return len(self._ready)

    def take(self) -> Reply:
        """Return the next complete reply; there must be one."""
        return self._ready.popleft()

    def feed(self, data: bytes) -> None:
        """Take in *data* as it came from the network.

        Raises:
            Garbage: It is not made of replies, or of one that is too long.
        """
        buffer = self._buffer + data if self._buffer else data
        start, end = 0, buffer.find(b"\n")
        while end >= 0:
            self._line(buffer, start, end)
            start, end = end + 1, buffer.find(b"\n", end + 1)
        self._buffer = buffer[start:]
        if self._buffer and not self._buffer[:3].isdigit():
            raise Garbage(f"what is not a reply: {_shown(self._buffer[:60])}")
        if len(self._buffer) >= LONGEST_LINE:
            raise Garbage(f"a line of more than {LONGEST_LINE} octets")

    def _line(self, buffer: bytes, start: int, end: int) -> None:
        code, mark = buffer[start : start + 3], buffer[start + 3 : start + 4]
        if not (code.isdigit() and b"200" <= code <= b"599" and mark in _MARKS):
            raise Garbage(f"what is not a reply: {_shown(buffer[start : min(end, start + 60)])}")
        if buffer[end - 1] != CR:
            raise Garbage("a line that does not end with CRLF")
        if end + 1 - start > LONGEST_LINE:
            raise Garbage(f"a line of more than {LONGEST_LINE} octets")
        if self._lines and code != self._code:
            raise Garbage(f"a reply with both {self._code.decode()} and {code.decode()}")
        self._add(code, buffer[start + 4 : end - 1], more=mark == b"-")

    def _add(self, code: bytes, words: bytes, *, more: bool) -> None:
        if not more and not self._lines:
            self._ready.append(Reply(int(code), (words,)))
            return
        self._code = code
        self._lines.append(words)
        self._size += len(words) + 6
        if len(self._lines) > MOST_LINES or self._size > MOST_OCTETS:
            raise Garbage(f"a reply of more than {MOST_LINES} lines or {MOST_OCTETS:,} octets")
        if not more:
            self._ready.append(Reply(int(code), tuple(self._lines)))
            self._lines, self._size = [], 0


def _shown(octets: bytes) -> str:
    return f'"{octets.decode("ascii", "backslashreplace").strip()}"'
