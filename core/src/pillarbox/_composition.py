"""Freeze a message and a route into a submission."""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
from collections.abc import Iterable, Iterator

from ._address import Address
from ._errors import MessageError
from ._headers import address_field, folded, text_field
from ._mail import Envelope, Submission, now
from ._message import Message
from ._message import message_id as checked_id
from ._mime import Part, entity
from ._route import Route

_KEY = re.compile(r"[0-9a-f]{32}")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PRIORITIES = {"high": "1", "low": "5"}
NO_DOMAIN = "pillarbox.invalid"
"""The right side of a Message-ID when nobody here knows the From: no real domain (RFC 2606 2), no machine's name.

The program on the desktop that decides the From writes an id of its own.
"""
_SMALL = 16_384


def compose(
    message: Message,
    route: Route,
    *,
    key: str | None = None,
    message_id: str | None = None,
    at: dt.datetime | None = None,
) -> Submission:
    """Return *message* as it goes by *route*: envelope and bytes, made once.

    Args:
        message: What the host wrote.
        route: Whose account carries it, and which address it shows.
        key: Names the submission, 32 hexadecimal digits; a random one by default. The same message, route, key and
            moment make the same bytes.
        message_id: `<left@right>`; by default the key at the domain of From.
        at: What Date says, aware; now by default.

    Raises:
        MessageError: The key, the Message-ID or the moment can't stand, or a read receipt has nowhere to go.
    """
    key = _checked_key(key)
    at = aware(at)
    identity = _identity(message_id, key, route)
    whole = entity(message, key)
    header = "".join(_header(message, route, identity, at)) + whole.head
    envelope = Envelope(_reverse_path(route), tuple(address.wire for address in message.recipients))
    octets = header.encode()
    return Submission(
        key=key,
        message_id=identity,
        envelope=envelope,
        chunks=tuple(_gathered((octets, b"\r\n", *whole.body, _ending(whole)))),
        bcc_header=address_field("Bcc", message.bcc).encode() if message.bcc else b"",
        header_size=len(octets),
        from_header=route.from_address.wire if route.from_address else None,
        smtputf8=envelope.smtputf8 or not header.isascii(),
        reference=message.reference,
        not_after=message.not_after,
        options=message.options.get(route.account.method, {}),
        composed_at=at.astimezone(dt.UTC),
    )


def _checked_key(key: str | None) -> str:
    if key is None:
        return os.urandom(16).hex()
    if not _KEY.fullmatch(key):
        raise MessageError(f"{key[:70]!r} is not a submission's key.", cure="Give 32 hexadecimal digits.")
    return key


def aware(at: dt.datetime | None) -> dt.datetime:
    """Return *at*, or this moment for None.

    Raises:
        MessageError: It has no time zone.
    """
    if at is None:
        return now()
    if at.utcoffset() is None:
        raise MessageError("The Date has no time zone.", cure="Use datetime.now(timezone.utc).")
    return at


def _identity(given: str | None, key: str, route: Route) -> str:
    if given is not None:
        return checked_id(given)
    domain = route.from_address.wire.rpartition("@")[2] if route.from_address else NO_DOMAIN
    return f"<{key}@{domain}>"


def _reverse_path(route: Route) -> str | None:
    return Address(route.envelope_sender).wire if route.envelope_sender else route.envelope_sender


def _header(message: Message, route: Route, identity: str, at: dt.datetime) -> Iterator[str]:
    """Yield the fields of the header but for those of the content, in the order of RFC 5322 3.6."""
    yield f"Date: {date(at)}\r\n"
    yield from _originators(message, route)
    yield from _destinations(message)
    yield f"Message-ID: {identity}\r\n"
    if message.in_reply_to:
        yield folded("In-Reply-To", message.in_reply_to)
    if message.references:
        yield folded("References", message.references)
    yield text_field("Subject", message.subject, longest_word=76)
    yield from _wishes(message, route)
    for name, value in message.headers:
        yield text_field(name, value)
    yield "MIME-Version: 1.0\r\n"


def _originators(message: Message, route: Route) -> Iterator[str]:
    if route.from_address is not None:
        yield address_field("From", (route.from_address,))
    if route.sender is not None:
        yield address_field("Sender", (route.sender,))
    reply_to = message.reply_to or route.reply_to
    if reply_to:
        yield address_field("Reply-To", reply_to)


def _destinations(message: Message) -> Iterator[str]:
    if message.to:
        yield address_field("To", message.to)
    if message.cc:
        yield address_field("Cc", message.cc)
    if not message.to and not message.cc:
        yield "To: undisclosed-recipients:;\r\n"


def _wishes(message: Message, route: Route) -> Iterator[str]:
    if message.importance in _PRIORITIES:
        yield f"Importance: {message.importance}\r\nX-Priority: {_PRIORITIES[message.importance]}\r\n"
    if message.read_receipt:
        yield address_field("Disposition-Notification-To", (_receipts_to(message, route),))
    if message.unsubscribe is not None:
        uris = message.unsubscribe.addresses
        yield folded("List-Unsubscribe", ", ".join(f"<{uri}>" for uri in uris).split(" "))
        if message.unsubscribe.url and message.unsubscribe.one_click:
            yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    if route.automatic and not any(name.lower() == "auto-submitted" for name, _ in message.headers):
        yield "Auto-Submitted: auto-generated\r\n"


def _receipts_to(message: Message, route: Route) -> Address:
    for address in (route.from_address, *message.reply_to, *route.reply_to):
        if address is not None:
            return address
    raise MessageError(
        "The read receipt has nowhere to go: the account decides the From.", cure="Give a reply_to."
    )


def date(at: dt.datetime) -> str:
    """Return *at*, aware, as a header says it (RFC 5322 3.3), in its own offset, in English wherever it runs."""
    return _date(at.replace(microsecond=0), at.utcoffset())


@functools.lru_cache(maxsize=8)  # many mails have the second in common
def _date(at: dt.datetime, offset: dt.timedelta | None) -> str:
    offset = offset or dt.timedelta()
    minutes, rest = divmod(int(offset.total_seconds()), 60)
    if rest or offset.microseconds:
        return date(at.astimezone(dt.UTC))
    sign, (hours, minutes) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    day = f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04}"
    return f"{day} {at.hour:02}:{at.minute:02}:{at.second:02} {sign}{hours:02}{minutes:02}"


def _ending(whole: Part) -> bytes:
    last = whole.body[-1] if whole.body else b""
    return b"" if not last or last.endswith(b"\r\n") else b"\r\n"


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces*, the small ones joined to one until a large one comes: fewer writes, no copy of what is large."""
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < _SMALL:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield piece
    if small:
        yield b"".join(small)
