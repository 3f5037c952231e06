"""Texts and octets that carriers, and the programs before them, are known to alter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TEXTS: Mapping[str, str] = {
    "no final line end": "text",
    "one long line": "word " * 400,
    "blank ends": "\n\n\ntext\n\n\n",
    "not ASCII": "Grüße, 你好, \N{ENVELOPE}\n" * 30,
    "empty": "",
}
"""What a host may write; composing it makes the bytes."""

BODIES: Mapping[str, bytes] = {
    "a dot first": b".\r\n",
    "lines of dots": b".\r\n..\r\n...\r\n.hidden\r\nend .\r\n",
    "a dot last": b"text\r\n.\r\n",
    "another session": b"a\r\n.\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<eve@evil.example>\r\nDATA\r\nb\r\n.\r\n",
    "from": b"From the start\r\nFrom here on\r\n>From there\r\n",
    "empty lines last": b"text\r\n\r\n\r\n\r\n",
    "only empty lines": b"\r\n\r\n\r\n",
    "white space last": b"trailing   \r\n\t\r\n  \r\n-- \r\n",
    "998 octets": b"x" * 998 + b"\r\n." + b"y" * 997 + b"\r\n",
    "no body": b"",
}
"""Bodies of lines that end in CRLF, of at most 998 octets (RFC 5322 2.1.1), as they stand behind a header."""


def large(octets: int = 300_000) -> bytes:
    """Return a body of about so many octets, each line other than the last, a dot at the start of many."""
    lines: list[bytes] = []
    size = number = 0
    while size < octets:
        lines.append(b"." * (number % 3) + b"%d " % number + b"z" * (number % 71) + b"\r\n")
        size += len(lines[-1])
        number += 1
    return b"".join(lines)


def divisions(content: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yield *content* in pieces that end where a careless writer goes wrong: within line ends, before and behind dots."""
    for mark, offset in ((b"\r\n.", 1), (b"\r\n.", 2), (b"\r\n.", 3), (b"\r\n", 1)):
        yield tuple(_cut(content, mark, offset))
    yield tuple(content[position : position + 1] for position in range(len(content)))


def _cut(content: bytes, mark: bytes, offset: int) -> Iterator[bytes]:
    """Yield the pieces of *content*, cut so many octets into each *mark*."""
    start = 0
    found = content.find(mark)
    while found >= 0:
        yield content[start : found + offset]
        start = found + offset
        found = content.find(mark, found + 1)
    if start < len(content):
        yield content[start:]
