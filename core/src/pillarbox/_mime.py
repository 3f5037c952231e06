"""Writes the body of a message: encoded parts, nested only as deep as there is something to hold."""

from __future__ import annotations

import re
import struct
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Sequence

import attrs

from ._attachment import Attachment
from ._headers import extended_parameter, old_parameter, parameter, parameter_field
from ._message import Message

LONGEST_LINE = 990
"""Octets of a body line that goes as it is; RFC 5321 4.5.3.1.6 allows 998."""

_LINE = 57
"""Octets that base64 makes a line of 76 from (RFC 2045 6.8)."""
_LINES = 512
_BLOCK = _LINE * _LINES
_CUT = struct.Struct("76s" * _LINES).unpack
_QP_PLAIN = bytes({*range(32, 127), *b"\t\r\n"} - {*b"="})
_QP_LONG = re.compile(rb"^([^\r\n]{74,})(=(?:20|09))\r\n", re.MULTILINE)


@attrs.frozen
class Part:
    """A part of a message, or all of it.

    Attributes:
        kind: `type/subtype`.
        head: The `Content-` fields, each with its CRLF; ASCII.
        body: The encoded body in pieces, 7-bit, without the CRLF that a boundary brings.
        clear: Whether the body stands as it was written, so that it may hold any text.
    """

    kind: str
    head: str
    body: tuple[bytes, ...]
    clear: bool = False


def entity(message: Message, key: str) -> Part:
    """Return all that *message* holds as one part; its boundaries come from *key*, so that they are always the same.

    The nesting is mixed(related(alternative(text, html, calendar), inline files), attachments).
    """
    bodies = _bodies(message)
    inline, attached = _files(message)
    token = _absent_from([*bodies, *inline, *attached], key)
    shown = _nested("related", [_nested("alternative", bodies, token), *inline], token)
    return _nested("mixed", [shown, *attached], token)


def _bodies(message: Message) -> list[Part]:
    bodies = []
    if message.text is not None:
        bodies.append(text_part(message.text, "plain"))
    if message.html is not None:
        bodies.append(text_part(message.html, "html"))
    if message.calendar is not None:
        method = f"method={message.calendar.method}"
        bodies.append(text_part(message.calendar.content, "calendar", method))
    return bodies or [text_part("", "plain")]


def _files(message: Message) -> tuple[list[Part], list[Part]]:
    """Return the files that the HTML shows, and the others; without HTML there are only others."""
    inline: list[Part] = []
    attached: list[Part] = []
    for attachment in message.attachments:
        is_shown = attachment.inline and message.html is not None
        (inline if is_shown else attached).append(file_part(attachment))
    if message.calendar is not None:
        attached.append(_invitation(message.calendar.filename, message.calendar.content))
    return inline, attached


def _invitation(filename: str, content: str) -> Part:
    return file_part(Attachment(filename, crlf(content).encode(), "application/ics"))


def _absent_from(parts: Iterable[Part], key: str) -> str:
    """Return *key*, or a digest where a text holds it: whoever knows a key can't write a boundary into a message."""
    clear = [piece for part in parts if part.clear for piece in part.body]
    if not any(key.encode() in piece for piece in clear):
        return key
    from hashlib import blake2b

    return blake2b(b"".join([key.encode(), *clear]), digest_size=16).hexdigest()


def _nested(subtype: str, parts: Sequence[Part], token: str) -> Part:
    """Return *parts* as one multipart, or the one there is."""
    if len(parts) == 1:
        return parts[0]
    # "=_" can't stand in quoted-printable or base64 (RFC 2045 6.7).
    boundary = f"=_{subtype}_{token}"
    parameters = [f'boundary="{boundary}"']
    if subtype == "related":
        parameters.insert(0, f'type="{parts[0].kind}"')
    body: list[bytes] = []
    opening = f"--{boundary}\r\n"
    for part in parts:
        body += (f"{opening}{part.head}\r\n".encode(), *part.body)
        opening = f"\r\n--{boundary}\r\n"
    body.append(f"\r\n--{boundary}--".encode())
    kind = f"multipart/{subtype}"
    return Part(kind, parameter_field("Content-Type", kind, parameters), tuple(body))


def text_part(text: str, subtype: str, *parameters: str) -> Part:
    """Return *text* as a part: as it is where its lines allow, else the shorter of quoted-printable and base64."""
    octets = crlf(text).encode()
    encoding, body = _encoded(octets)
    kind = f"text/{subtype}"
    extra = "".join(f"; {one}" for one in parameters)
    head = f"Content-Type: {kind}; charset=utf-8{extra}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return Part(kind, head, body, clear=encoding == "7bit")


def crlf(text: str) -> str:
    """Return *text* with each line break, CR, LF or both, as CRLF, and one at its end unless it is empty."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n")


def _encoded(octets: bytes) -> tuple[str, tuple[bytes, ...]]:
    if is_clean(octets):
        return "7bit", (octets,)
    awkward = len(octets.translate(None, _QP_PLAIN))
    if len(octets) + 2 * awkward < len(octets) // 3 * 4:
        return "quoted-printable", (quoted_printable(octets),)
    return "base64", base64_lines(octets)


def is_clean(octets: bytes) -> bool:
    """Tell whether *octets*, whose line breaks are CRLF, may go as 7bit (RFC 2045 2.7)."""
    return octets.isascii() and not _has_long_line(octets)


def _has_long_line(octets: bytes) -> bool:
    """Tell whether a line is longer than `LONGEST_LINE`, by the last line break of each such stretch, not by every one."""
    start = 0
    while len(octets) - start > LONGEST_LINE:
        end = octets.rfind(b"\n", start, start + LONGEST_LINE + 2)
        if end < 0:
            return True
        start = end + 1
    return False


def quoted_printable(octets: bytes) -> bytes:
    """Return *octets*, which end in CRLF, as quoted-printable (RFC 2045 6.7)."""
    encoded = b2a_qp(octets, istext=True)
    if b" \r\n" in octets or b"\t\r\n" in octets:
        # b2a_qp makes such a line up to 78 long; 76 are allowed.
        encoded = _QP_LONG.sub(rb"\1=\r\n\2\r\n", encoded)
    return encoded


def base64_lines(octets: bytes) -> tuple[bytes, ...]:
    """Return *octets* as base64 in lines of 76, in a piece for each block; each but the last ends in CRLF."""
    view = memoryview(octets)
    rest = max(len(octets) - 1, 0) // _BLOCK * _BLOCK
    pieces = [_lines(view[start : start + _BLOCK]) for start in range(0, rest, _BLOCK)]
    last = b2a_base64(view[rest:], newline=False)
    pieces.append(b"\r\n".join(last[start : start + 76] for start in range(0, len(last), 76)))
    return tuple(pieces)


def _lines(block: memoryview) -> bytes:
    return b"\r\n".join((*_CUT(b2a_base64(block, newline=False)), b""))


def file_part(attachment: Attachment) -> Part:
    """Return *attachment* as a part, its bytes as they are."""
    if attachment.kind.startswith("message/"):
        return _message_part(attachment)
    return _file(attachment, attachment.kind, "base64", attachment._encoded_by(base64_lines))  # noqa: SLF001


def _message_part(attachment: Attachment) -> Part:
    """Return a message as an attachment: 7bit when it is clean, for RFC 2046 5.2.1 forbids base64; else a plain file.

    A file that has only LF, as Unix keeps messages, gets CRLF.
    """
    content = attachment.content
    if b"\r" not in content:
        content = content.replace(b"\n", b"\r\n")
    bare = content.replace(b"\r\n", b"")
    if b"\r" in bare or b"\n" in bare or b"\x00" in bare or not is_clean(content):
        return _file(attachment, "application/octet-stream", "base64", base64_lines(attachment.content))
    return _file(attachment, attachment.kind, "7bit", (content,))


def _file(attachment: Attachment, kind: str, encoding: str, body: tuple[bytes, ...]) -> Part:
    given = attachment.parameters if kind == attachment.kind else ()
    parameters = [parameter(name, value) for name, value in given if not name.startswith("name")]
    parameters.append(old_parameter("name", attachment.filename))
    disposition = "inline" if attachment.inline else "attachment"
    head = [
        parameter_field("Content-Type", kind, parameters),
        f"Content-Transfer-Encoding: {encoding}\r\n",
        parameter_field(
            "Content-Disposition", disposition, extended_parameter("filename", attachment.filename)
        ),
    ]
    if attachment.content_id:
        head.append(f"Content-ID: <{attachment.content_id}>\r\n")
    return Part(kind, "".join(head), body, clear=encoding == "7bit")
