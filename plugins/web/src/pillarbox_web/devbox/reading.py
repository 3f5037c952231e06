"""A mail as the page shows it. Whatever is in it, it is read: a mail that a program got wrong is what this inbox is for."""

from __future__ import annotations

import base64
import codecs
import contextlib
import itertools
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32

import attrs

from pillarbox import quotation

from .box import Caught

MOST_PARTS = 200
MOST_HEADERS = 500
LONGEST_HEADER = 8_000
"""Characters of a header that are read: the standard library takes the square of its length over parameters."""
MOST_PICTURES = 32 * 1024 * 1024
"""Characters of pictures put into HTML: a small mail can name a large one any number of times."""
LONGEST_TEXT = 1_000_000
"""Characters of a body that are shown; all of it is in the source."""
_CID = re.compile(r"""cid:([^"'\s)>]{1,200})""")
# Each gap is bounded: two that may be of any length, side by side, take a hostile mail's time squared.
_THERE = r"""\s{0,20}["']?\s{0,20}(?:https?:)?//"""
_REMOTE = re.compile(
    rf"(?:src|srcset|background|poster)\s{{0,20}}={_THERE}|url\({_THERE}|@import{_THERE}"
    rf"|<link\s[^>]{{0,300}}?href\s{{0,20}}={_THERE}",
    re.IGNORECASE,
)
_NOT_OF_MAIL = {"unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined"}
"""Codecs of Python's own that are no charset: they give what is no text, or take a long time over it."""


class _Bounded(Compat32):
    """The standard library's reading, with headers cut where nobody's are longer."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


_BOUNDED = _Bounded()


@attrs.frozen(kw_only=True)
class Part:
    """An attachment, or a picture inside.

    Attributes:
        number: Its place in the mail.
        filename: Its name, without folders and control characters.
        kind: Its media type.
        size: Octets.
        content_id: What HTML calls it, or "".
    """

    number: int
    filename: str
    kind: str
    size: int
    content_id: str = ""


@attrs.frozen(kw_only=True)
class Letter:
    """A mail, read.

    Attributes:
        text, html: The bodies, or "".
        remote: How many things the HTML wants from elsewhere, none of which is fetched.
        problem: What of it could not be read, or "".
    """

    caught: Caught
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""
    parts: tuple[Part, ...] = ()
    remote: int = 0
    problem: str = ""

    def header(self, name: str) -> str:
        """Return the first header of that name, or ""."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


def read(caught: Caught) -> Letter:
    """Return *caught* as far as it can be read."""
    try:
        message = _parsed(caught)
        raw = itertools.islice(message.raw_items(), MOST_HEADERS)
        headers = tuple((quotation(name), _decoded(value)) for name, value in raw)
        text, html, parts = _sorted(message)
        is_cut = len(_leaves(message, MOST_PARTS + 1)) > MOST_PARTS
    except (MessageError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:
        return Letter(
            caught=caught, problem=f"It can't be taken apart ({type(error).__name__}); see its source."
        )
    subject = next((value for name, value in headers if name.lower() == "subject"), "")
    return Letter(
        caught=caught,
        subject=subject,
        headers=headers,
        text=text[:LONGEST_TEXT],
        html=html[:LONGEST_TEXT],
        parts=tuple(parts),
        problem=f"Only its first {MOST_PARTS} parts are shown; see its source." if is_cut else "",
        remote=len(_REMOTE.findall(html[:LONGEST_TEXT])),
    )


def octets_of(caught: Caught, number: int) -> tuple[Part, bytes] | None:
    """Return a part and what it holds, or None."""
    letter = read(caught)
    part = next((one for one in letter.parts if one.number == number), None)
    if part is None:
        return None
    return part, _payload(_leaves(_parsed(caught))[number])


def document(letter: Letter, most: int = MOST_PICTURES) -> str:
    """Return the HTML with its own pictures as `data:`; nothing else of it can be loaded, and nothing run."""
    known = {one.content_id: one for one in letter.parts if one.content_id and one.kind.startswith("image/")}
    leaves = _leaves(_parsed(letter.caught)) if known else []

    made: dict[str, str] = {}
    left = most

    def picture(found: re.Match[str]) -> str:
        nonlocal left
        one = known.get(found[1])
        if one is None:
            return found[0]
        if found[1] not in made:
            octets = base64.b64encode(_payload(leaves[one.number])).decode()
            made[found[1]] = f"data:{one.kind};base64,{octets}"
        left -= len(made[found[1]])
        return made[found[1]] if left >= 0 else found[0]

    return _CID.sub(picture, letter.html)


def source(caught: Caught) -> str:
    """Return what came, as text; an octet that is no UTF-8 is shown as such."""
    return caught.octets.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _parsed(caught: Caught) -> Message:
    # A NUL inside a name of a charset is more than the standard library bears.
    return message_from_bytes(caught.octets.replace(b"\x00", b"\xef\xbf\xbd"), policy=_BOUNDED)


def _leaves(message: Message, most: int = MOST_PARTS) -> list[Message]:
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) < most:
        one = waiting.pop(0)
        inner = one.get_payload()
        if isinstance(inner, list) and one.get_content_maintype() == "multipart":
            waiting[:0] = [part for part in inner if isinstance(part, Message)]
        else:
            found.append(one)
    return found


def _sorted(message: Message) -> tuple[str, str, Iterator[Part]]:
    bodies = {"text/plain": "", "text/html": ""}
    parts: list[Part] = []
    for number, one in enumerate(_leaves(message)):
        kind, octets = one.get_content_type(), _payload(one)
        is_attached = "attachment" in str(one.get("Content-Disposition", "")).lower()
        if kind in bodies and not bodies[kind] and not is_attached:
            bodies[kind] = _text(octets, str(one.get_content_charset() or "utf-8"))
            continue
        name = _filename(_decoded(one.get_filename() or "")) or f"part-{number}"
        content_id = str(one.get("Content-ID", "")).strip("<> \r\n\t")[:200]
        parts.append(
            Part(number=number, filename=name, kind=_kind(kind), size=len(octets), content_id=content_id)
        )
    return bodies["text/plain"], bodies["text/html"], iter(parts)


def _payload(part: Message) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):  # an attached mail
        return b"\r\n".join(one.as_bytes() for one in inner if isinstance(one, Message))
    octets = part.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else str(inner).encode("utf-8", "replace")


def _text(octets: bytes, charset: str) -> str:
    try:
        known = codecs.lookup(charset).name.replace("_", "-")
        text = octets.decode("utf-8" if known in _NOT_OF_MAIL else charset, "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    # UTF-7 and UTF-16 can hold halves of characters, which no page and no JSON can.
    return text.encode("utf-8", "replace").decode()


def _decoded(value: object) -> str:
    """Return a header's text, its encoded words (RFC 2047) read where they can be."""
    text = str(value)[:LONGEST_HEADER]
    # What can't be read stays as it stands: that is what there is to see.
    with contextlib.suppress(MessageError, LookupError, ValueError, TypeError, AssertionError):
        text = str(make_header(decode_header(text)))
    return quotation(text.encode("utf-8", "replace").decode())


def _filename(name: str) -> str:
    return re.sub(r'[\x00-\x1f\x7f/\\:"<>|?*]+', "_", name).strip(". ")[:150]


def _kind(kind: str) -> str:
    return kind if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", kind) else "application/octet-stream"
