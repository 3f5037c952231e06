"""What a scripted server remembers, and the pure reading of commands, replies and content behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

REPLY_LINE_OCTETS = 512
"""The longest line of a valid reply, its CRLF included (RFC 5321 4.5.3.1.5)."""


@attrs.frozen
class MailPath:
    """The address of one MAIL or RCPT command and what followed it (RFC 5321 4.1.2).

    Attributes:
        address: What stood between the angle brackets; "" for the null sender.
        parameters: The ESMTP parameters, names in capitals: `{"SIZE": "1024", "SMTPUTF8": ""}`.
    """

    address: str
    parameters: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Received:
    """A message whose last octet of content arrived, whatever was answered.

    Attributes:
        connection: The number of its connection, from 1.
        sender: The path of MAIL.
        recipients: The paths of those RCPT that were answered 2yz, in order.
        content: Its octets, dots unstuffed, the final dot left out.
        tls: Whether it came through TLS.
        authenticated_as: The user who had signed in, or None.
        answer: The code of the complete valid reply that was given to it, or None.
    """

    connection: int
    sender: MailPath
    recipients: tuple[MailPath, ...]
    content: bytes = attrs.field(repr=lambda content: f"<{len(content):,} octets>")
    tls: bool
    authenticated_as: str | None
    answer: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the client was told 2yz: the server took charge (RFC 5321 4.2.5)."""
        return self.answer is not None and self.answer // 100 == 2


@attrs.frozen(kw_only=True)
class Heard:
    """Something a client sent: one command line, one message's content, one final dot.

    Attributes:
        connection: The number of its connection, from 1.
        point: What it was: a point's name, or `other` (no known command) or `unread` (nobody read it as SMTP).
        octets: As they came, line ends and stuffed dots included.
        tls: Whether they came through TLS.
        read: The number of the read, within the connection, that brought the last of them.
    """

    connection: int
    point: str
    octets: bytes
    tls: bool
    read: int


@attrs.frozen(kw_only=True)
class Connection:
    """One connection as it is now, or as it ended.

    Attributes:
        number: In the order they came, from 1.
        peer: The client's address and port.
        tls: The version of TLS (`TLSv1.3`), or "" in clear.
        authenticated_as: The user who has signed in, or None.
        ended: Why it ended, in words (`quit`, `the client left`, `cut`, `handshake failed: ...`); "" while it lives.
    """

    number: int
    peer: tuple[str, int]
    tls: str
    authenticated_as: str | None
    ended: str


@attrs.frozen
class Said:
    """A complete valid reply (RFC 5321 4.2): its code, and the text of each of its lines."""

    code: int
    lines: tuple[bytes, ...]


_REPLY_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r\n")


def first_reply(octets: bytes) -> Said | None:
    """Return the reply that *octets* begin with; None while it is not complete, and when it never will be.

    A reply is not valid when its lines differ in code, when a code is none of RFC 5321's, or when a line is longer
    than `REPLY_LINE_OCTETS`.
    """
    texts: list[bytes] = []
    codes: set[bytes] = set()
    position = 0
    while found := _REPLY_LINE.match(octets, position):
        codes.add(found[1])
        if len(codes) > 1 or len(found[0]) > REPLY_LINE_OCTETS:
            return None
        texts.append(found[3] or b"")
        position = found.end()
        if found[2] != b"-":
            return Said(int(found[1]), tuple(texts))
    return None


_PATH = re.compile(
    rb"(?:MAIL FROM|RCPT TO): ?"
    rb'<((?:"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"|[^"<>\x00-\x20\x7f])*)>'
    rb"((?: +[^ ]+)*) *",
    re.IGNORECASE,
)


def mail_path(command: bytes) -> MailPath | None:
    """Return the path of a MAIL or RCPT *command* (without its line end), or None where it is none."""
    found = _PATH.fullmatch(command)
    if found is None:
        return None
    named = (word.partition("=") for word in _text(found[2]).split())
    return MailPath(_text(found[1]), {name.upper(): value for name, _, value in named})


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def unstuffed(content: bytes) -> bytes:
    """Return *content* as it was before the client doubled the dots (RFC 5321 4.5.2)."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n")[2:]
