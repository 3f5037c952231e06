"""Reads a composed message without copying it: its header, what it shows, and where in its octets each file lies."""

from __future__ import annotations

import functools
from binascii import a2b_base64, a2b_qp, b2a_base64
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import Any

import attrs

from pillarbox import Submission

from .octets import Octets

_BLOCK = 3 * 64 * 1024
_LINES = 2_520
"""Lines of base64 that are looked at together: of 76 letters, nearly a block."""
_DEEPEST = 20


@functools.lru_cache(maxsize=256)
def _field(name: str, value: str) -> Any:
    return policy.default.header_fetch_parse(name, value)


class _Remembering(policy.EmailPolicy):
    """Parses a field when it is asked for, and remembers it: the same few are asked for again and again."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _field(name, value)


_PARSER = BytesHeaderParser(policy=_Remembering())


@attrs.frozen(eq=False)
class Leaf:
    """A part that holds no others.

    Attributes:
        head: Its header.
        octets: The message; the part lies from `start` to `end` in it.
        encoding: Its Content-Transfer-Encoding; read once, since reading a field parses it.
        width: Letters of each line of its base64 but the last; 0 where they differ, or it is no base64.
        size: Octets of what it holds, decoded.
    """

    head: EmailMessage = attrs.field(repr=False)
    octets: Octets = attrs.field(repr=False)
    start: int
    end: int
    encoding: str = attrs.field(init=False)
    width: int = attrs.field(init=False)
    size: int = attrs.field(init=False)

    @encoding.default
    def _read_encoding(self) -> str:
        return str(self.head.get("content-transfer-encoding", "7bit")).strip().lower()

    @width.default
    def _measured_width(self) -> int:
        return _width(self)

    @size.default
    def _measured_size(self) -> int:
        return _size(self)

    @property
    def name(self) -> str:
        """Its file name; a name made from its type where it has none."""
        return self.head.get_filename() or f"attachment.{self.head.get_content_subtype()}"

    @property
    def kind(self) -> str:
        """Its media type."""
        return self.head.get_content_type()

    @property
    def content_id(self) -> str:
        """By what the HTML shows it, or ""."""
        return str(self.head.get("content-id", "")).strip().strip("<>")

    @property
    def is_inline(self) -> bool:
        """Whether the HTML shows it."""
        return bool(self.content_id) and self.head.get_content_disposition() != "attachment"

    @property
    def base64_size(self) -> int:
        """Octets of its base64, without line breaks."""
        return -(-self.size // 3) * 4

    def base64(self) -> Iterator[bytes]:
        """Give what it holds in base64 without line breaks; what is in base64 already is not decoded for it."""
        if self.encoding == "base64":
            yield from self.letters()
            return
        view = memoryview(self.text())
        for start in range(0, len(view), _BLOCK):
            yield b2a_base64(view[start : start + _BLOCK], newline=False)

    def decoded(self) -> Iterator[bytes]:
        """Give what it holds, decoded, in pieces."""
        if self.width:
            yield from self._lines_from(0)
        elif self.encoding == "base64":
            yield from self._decoded_letters()
        else:
            yield self.text()

    def between(self, start: int, end: int) -> Iterator[bytes]:
        """Give what it holds from *start* to before *end*, decoded, in pieces; lines before it are not decoded."""
        per_line = self.width // 4 * 3
        line, skipped = divmod(start, per_line) if per_line else (0, start)
        left = end - start
        for piece in self._lines_from(line) if per_line else self.decoded():
            part = piece[skipped : skipped + left] if skipped or len(piece) > left else piece
            skipped -= min(skipped, len(piece))
            left -= len(part)
            if part:
                yield part
            if not left:
                return

    def text(self) -> bytes:
        """Return what it holds, decoded, in one piece."""
        if self.encoding == "base64":
            return b"".join(self.decoded())
        raw = self.octets[self.start : self.end]
        return a2b_qp(raw) if self.encoding == "quoted-printable" else raw

    def letters(self) -> Iterator[bytes]:
        """Give its base64 without line breaks."""
        for start in range(self.start, self.end, _BLOCK):
            yield self.octets[start : min(start + _BLOCK, self.end)].translate(None, b"\r\n")

    def _lines_from(self, line: int) -> Iterator[bytes]:
        """Give what its lines hold, decoded, from the one of this number on; each begins anew in base64."""
        step = self.width + 2
        for start in range(self.start + line * step, self.end, step * _LINES):
            yield a2b_base64(self.octets[start : min(start + step * _LINES, self.end)])

    def _decoded_letters(self) -> Iterator[bytes]:
        rest = b""
        for letters in self.letters():
            whole = rest + letters if rest else letters
            end = len(whole) // 4 * 4
            yield a2b_base64(whole[:end])
            rest = whole[end:]
        if rest:
            yield a2b_base64(rest + b"=" * (-len(rest) % 4))


def _width(leaf: Leaf) -> int:
    """Return how many letters each line of its base64 has but the last, as they are composed; else 0."""
    octets, start, end = leaf.octets, leaf.start, _end_of_letters(leaf)
    width = octets.find(b"\r\n", start, end) - start
    if leaf.encoding != "base64" or width <= 0 or width % 4:
        return 0
    ends, more = (octets.every(width + 2, start + width + one, end) for one in (0, 1))
    if ends.strip(b"\r") or more.strip(b"\n") or len(ends) != len(more):
        return 0
    return width


def _end_of_letters(leaf: Leaf) -> int:
    end = leaf.end
    while end - 2 >= leaf.start and leaf.octets[end - 2 : end] == b"\r\n":
        end -= 2
    return end


def _size(leaf: Leaf) -> int:
    if leaf.encoding != "base64":
        return len(leaf.text()) if leaf.encoding == "quoted-printable" else leaf.end - leaf.start
    end = _end_of_letters(leaf)
    lines, last = divmod(end - leaf.start, leaf.width + 2)
    count = lines * leaf.width + last if leaf.width else sum(map(len, leaf.letters()))
    padding = leaf.octets[max(leaf.start, end - 4) : end].count(b"=")
    return count // 4 * 3 - padding


@attrs.frozen
class Parts:
    """A message taken apart.

    Attributes:
        head: Its header, Bcc included.
        html: Whether `text` is HTML.
        text: What it shows.
        files: Everything else, in order.
    """

    head: EmailMessage = attrs.field(repr=False)
    html: bool
    text: str = attrs.field(repr=False)
    files: tuple[Leaf, ...] = attrs.field(repr=False)


def read(whole: bytes | Octets, bcc_header: bytes = b"") -> Parts:
    """Return a message taken apart; it was composed here, so that it is well formed.

    What it shows is its HTML where there is one. Graph has room for one form only, so plain text beside HTML, and a calendar's
    second form, are left out; the file of the calendar stays.
    """
    octets = whole if isinstance(whole, Octets) else Octets((whole,))
    end = octets.find(b"\r\n\r\n")
    header = octets[: end + 2] if end >= 0 else octets[:]
    head = _parsed(header + bcc_header)
    leaves = list(_leaves(head, octets, len(header) + 2, len(octets), 0))
    bodies = [leaf for leaf in leaves if _is_body(leaf)]
    shown = next((leaf for leaf in bodies if leaf.kind == "text/html"), bodies[0] if bodies else None)
    text = "" if shown is None else shown.text().decode(_charset(shown), "replace")
    files = tuple(leaf for leaf in leaves if leaf not in bodies)
    return Parts(head, shown is not None and shown.kind == "text/html", text, files)


def _parsed(header: bytes) -> EmailMessage:
    return _PARSER.parsebytes(header)  # type: ignore[return-value,unused-ignore]


def _is_body(leaf: Leaf) -> bool:
    named = leaf.head.get_filename() or leaf.head.get_content_disposition() == "attachment"
    return not named and leaf.kind in {"text/plain", "text/html", "text/calendar"}


def _charset(leaf: Leaf) -> str:
    named = leaf.head.get_content_charset("utf-8")
    try:
        "".encode(named)
    except LookupError:
        return "utf-8"
    return named


def _leaves(head: EmailMessage, octets: Octets, start: int, end: int, depth: int) -> Iterator[Leaf]:
    boundary = head.get_boundary() if head.get_content_maintype() == "multipart" else None
    if not boundary or depth > _DEEPEST:
        yield Leaf(head, octets, start, end)
        return
    for first, last in _between(octets, start, end, b"--" + boundary.encode()):
        stop = octets.find(b"\r\n\r\n", first, last)
        inner = _parsed(octets[first : stop + 2] if stop >= 0 else b"")
        yield from _leaves(inner, octets, stop + 4 if stop >= 0 else first, last, depth + 1)


def _between(octets: Octets, start: int, end: int, line: bytes) -> Iterator[tuple[int, int]]:
    """Give where each part begins and ends between the lines of a boundary (RFC 2046, 5.1.1)."""
    at = start if octets.startswith(line, start) else octets.find(b"\r\n" + line, start, end) + 2
    while at >= start and not octets.startswith(b"--", at + len(line)):
        first = octets.find(b"\r\n", at, end) + 2
        after = octets.find(b"\r\n" + line, first - 2, end)
        if first < 2 or after < 0:
            return
        yield first, after
        at = after + 2


def header_of(submission: Submission) -> EmailMessage:
    """Return the header of *submission*, Bcc included."""
    header = b""
    for chunk in submission.chunks:
        header += chunk[: submission.header_size - len(header)]
        if len(header) >= submission.header_size:
            break
    return _parsed(header + submission.bcc_header)
