"""One mail transaction as octets: paths and parameters checked, content fit for this server, dots doubled."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from pillarbox import InvalidSettings, MessageError, Submission
from pillarbox.settings import structure

from .capabilities import Capabilities
from .options import NONE, SmtpOptions

_ATOM = r"[^\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\].\s]+"
_QUOTED = r'"(?:[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|\\[\x20-\x7e])*"'
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_LITERAL = r"\[[A-Za-z0-9:.]+\]"
_PATH = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_DOMAIN}|{_LITERAL})")
CRLF = b"\r\n"
DATA = b"DATA\r\n"
RSET = b"RSET\r\n"


class Transaction:
    """A submission made ready for a server that offers certain capabilities.

    Attributes:
        submission: What it carries.
        commands: MAIL, one RCPT for each recipient, and DATA, each with its CRLF.
        pieces: The content as it goes on the wire, with the line that ends it.
        security: How the line is protected, in the words of the receipt.
    """

    __slots__ = ("commands", "pieces", "security", "submission")

    def __init__(
        self,
        submission: Submission,
        commands: tuple[bytes, ...],
        pieces: tuple[bytes, ...],
        security: str = "",
    ) -> None:
        self.submission: Submission = submission
        self.commands: tuple[bytes, ...] = commands
        self.pieces: tuple[bytes, ...] = pieces
        self.security: str = security

    def chunked(self, *, reset: bool) -> tuple[bytes, ...]:
        """Return all of it for BDAT (RFC 3030): MAIL, RCPT, and the content as one last chunk, octet by octet."""
        first = (RSET,) if reset else ()
        last = b"BDAT %d LAST\r\n" % self.submission.size
        return (*first, *self.commands[:-1], last, *self.submission.chunks)

    def begun(self, *, reset: bool) -> tuple[bytes, ...]:
        """Return MAIL, RCPT, and the first octet of the content as a chunk of its own; see `rest`."""
        first = (RSET,) if reset else ()
        octet = b"".join(self.submission.chunks[:1])[:1]
        return (*first, *self.commands[:-1], b"BDAT %d\r\n" % len(octet), octet)

    @property
    def rest(self) -> tuple[bytes, ...]:
        """What follows `begun`: the content but for its first octet, as the last chunk."""
        chunks = (b"".join(self.submission.chunks[:1])[1:], *self.submission.chunks[1:])
        return (b"BDAT %d LAST\r\n" % sum(map(len, chunks)), *chunks)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope's."""
        return self.submission.envelope.recipients

    @classmethod
    def of(
        cls, submission: Submission, offered: Capabilities, *, encrypted: bool, security: str = ""
    ) -> Transaction:
        """Return *submission* ready for a server with the capabilities *offered*; nothing is said to it.

        Raises:
            MessageError: It can't go to this server, or an address would not stay one address on the wire.
        """
        options = _options(submission.options)
        seven_bit = all(chunk.isascii() for chunk in submission.chunks)
        utf8 = _needs_smtputf8(submission, seven_bit=seven_bit)
        _refuse_unfit(submission, offered, options, seven_bit=seven_bit, utf8=utf8, encrypted=encrypted)
        parameters = _mail_parameters(submission.size, offered, options, seven_bit=seven_bit, utf8=utf8)
        mail = b"MAIL FROM:" + _sender(submission.envelope.sender) + parameters + b"\r\n"
        notify = _rcpt_parameters(options)
        rcpt = [
            b"RCPT TO:" + path(recipient) + notify + _original(recipient, options) + b"\r\n"
            for recipient in submission.envelope.recipients
        ]
        return cls(submission, (mail, *rcpt, DATA), wire(submission.chunks), security)


def _options(given: Any) -> SmtpOptions:
    """Return what the message asks of SMTP.

    Raises:
        MessageError: Something that there is not.
    """
    if not given:
        return NONE
    try:
        return structure(SmtpOptions, given, "options.smtp")
    except InvalidSettings as error:
        text = "; ".join(" ".join(problem.split()) for problem in error.problems)
    raise MessageError(f"The message's options can't be used: {text}.")


def _needs_smtputf8(submission: Submission, *, seven_bit: bool) -> bool:
    """Whether an address or a header can only travel with SMTPUTF8 (RFC 6531 3.4)."""
    if submission.envelope.smtputf8:
        return True
    return not seven_bit and not submission.content[: submission.header_size].isascii()


def _refuse_unfit(
    submission: Submission,
    offered: Capabilities,
    options: SmtpOptions,
    *,
    seven_bit: bool,
    utf8: bool,
    encrypted: bool,
) -> None:
    if offered.size is not None and submission.size > offered.size:
        raise MessageError(
            f"The message has {submission.size:,} octets; the server takes {offered.size:,}.",
            cure="Send less, or a link to it.",
        )
    if utf8 and not offered.smtputf8:
        raise MessageError(
            "An address of the message is not ASCII before its @, and the server does not take such addresses.",
            cure="Use another address of that recipient, or a server that offers SMTPUTF8.",
        )
    if not seven_bit and not offered.eightbit:
        raise MessageError(
            "The message has 8-bit content, and the server takes 7 bits.", cure="Encode the content."
        )
    if options.wants_dsn and not offered.dsn:
        raise MessageError(
            "The message asks for delivery notifications, which the server does not offer.",
            cure="Send it without the options notify, ret and envid.",
        )
    if options.require_tls and not (encrypted and offered.require_tls):
        raise MessageError(
            "The message asks that every server on the way use TLS, and this one does not offer to see to it.",
            cure="Send it without the option require_tls, or by a server that offers REQUIRETLS.",
        )


def _mail_parameters(
    size: int, offered: Capabilities, options: SmtpOptions, *, seven_bit: bool, utf8: bool
) -> bytes:
    words = [
        f" SIZE={size}" if "SIZE" in offered.names else "",
        "" if seven_bit and not utf8 else " BODY=8BITMIME",
        " SMTPUTF8" if utf8 else "",
        f" RET={options.ret.upper()}" if options.ret else "",
        f" ENVID={xtext(options.envid)}" if options.envid else "",
        " REQUIRETLS" if options.require_tls else "",
    ]
    return "".join(words).encode("ascii")


def _rcpt_parameters(options: SmtpOptions) -> bytes:
    return b" NOTIFY=" + ",".join(options.notify).upper().encode("ascii") if options.notify else b""


def _original(recipient: str, options: SmtpOptions) -> bytes:
    """Return the original recipient for notifications (RFC 3461 4.2), where its address type can say it."""
    if not options.notify or not recipient.isascii():
        return b""
    return b" ORCPT=rfc822;" + xtext(recipient).encode("ascii")


def xtext(text: str) -> str:
    """Return ASCII *text* encoded as a parameter's value (RFC 3461 4)."""
    return "".join(one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text)


def _sender(address: str | None) -> bytes:
    if address is None:
        raise MessageError("The envelope has no sender, and SMTP needs one.")
    return path(address) if address else b"<>"


@functools.lru_cache(maxsize=4096)
def path(address: str) -> bytes:
    """Return *address* in angle brackets, as octets that a server can only read as this one address.

    Raises:
        MessageError: It holds what would end the path or start a parameter or a command.
    """
    if not _PATH.fullmatch(address) or len(address.encode("utf-8", "replace")) > 254:
        raise MessageError(f"{address[:100]!r} can't stand in an envelope: it is not one e-mail address.")
    return f"<{address}>".encode()


def wire(chunks: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return *chunks* with the dots that start a line doubled, and with the line that ends the content.

    A chunk without such dots is passed on as it is.

    Raises:
        MessageError: A line starts with a dot after a lone CR or LF: what some servers take for the end (RFC 5321 2.3.8).
    """
    pieces: list[bytes] = []
    before = b"\r\n"
    for chunk in chunks:
        if chunk:
            pieces.append(_stuffed(before, chunk) if b"." in chunk else chunk)
            before = (before + chunk)[-2:] if len(chunk) < 2 else chunk[-2:]
    pieces.append(b".\r\n" if before == b"\r\n" else b"\r\n.\r\n")
    return tuple(pieces)


def _stuffed(before: bytes, chunk: bytes) -> bytes:
    """Return *chunk*, which follows the two octets *before*, with its leading dots doubled."""
    text = (before if before[1] in CRLF else b"  ") + chunk
    if b"\n." not in text and b"\r." not in text:
        return chunk
    if text.count(b"\n.") != text.count(b"\r\n.") or b"\r." in text:
        raise MessageError(
            "The message holds a line break that is not CRLF before a dot.", cure="Use CRLF only."
        )
    return text.replace(b"\r\n.", b"\r\n..")[2:]
