"""What the host wrote: a message, validated when it is built and never changed after."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ._address import Address, addresses, comparable, printable
from ._attachment import Attachment, Calendar, encodable
from ._errors import MessageError

if TYPE_CHECKING:
    from email.message import Message as Email

_HEADER_NAME = re.compile(r"[!-9;-~]+")
_MSG_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_REFERENCE = re.compile(r"<[!-;=?-~]+>")
MOST_RECIPIENTS = 10_000
"""The most recipients of one message; carriers allow far fewer (`Limits.recipients`)."""

OURS = frozenset(
    [
        "from",
        "sender",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "return-path",
        "received",
        "importance",
        "x-priority",
        "disposition-notification-to",
        "list-unsubscribe",
        "list-unsubscribe-post",
    ]
)
"""Header names that pillarbox writes itself; `Message.headers` may not hold them."""
_KEPT_OUT = ("content-", "resent-")
"""Prefixes of others: the parts' own, and those by which a server would send to somebody else."""


@attrs.frozen
class Unsubscribe:
    """Where a recipient can leave the list (RFC 2369), with one click when `url` takes a POST (RFC 8058)."""

    url: str = ""
    mailto: str = ""
    one_click: bool = True

    def __attrs_post_init__(self) -> None:
        for value in (self.url, self.mailto):
            printed = printable(value, "unsubscribe address", longest=900)
            if not printed.isascii() or re.search(r"[<>\s,]", printed):
                raise MessageError("An unsubscribe address holds a space, a comma, < or >, or is not ASCII.")
        if not self.url and not self.mailto:
            raise MessageError("Unsubscribe needs a url or a mailto.")
        if self.url and not self.url.startswith("https://"):
            raise MessageError("The unsubscribe url must start with https:// (RFC 8058).")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The URIs: the page's, then the mailbox's, those that there are."""
        mailto = self.mailto if self.mailto.startswith("mailto:") else f"mailto:{self.mailto}"
        return tuple(filter(None, (self.url, self.mailto and mailto)))


def _attachments(value: Attachment | Iterable[Attachment] | None) -> tuple[Attachment, ...]:
    several = (value,) if isinstance(value, Attachment) else value or ()
    if isinstance(several, Iterable):
        found = tuple(several)
        if all(isinstance(one, Attachment) for one in found):
            return found
    raise MessageError("attachments holds something that is not an Attachment.")


def _headers(value: Mapping[str, str] | Iterable[tuple[str, str]] | None) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value or ()
    try:
        return tuple(_header(name, text) for name, text in pairs)
    except (TypeError, ValueError):
        raise MessageError("headers must be a mapping, or pairs of name and value.") from None


def _header(name: str, value: str) -> tuple[str, str]:
    if not _HEADER_NAME.fullmatch(printable(name, "header name", longest=76)):
        raise MessageError(f"{name!r} is not a header name (RFC 5322 3.6.8).")
    if name.lower() in OURS or name.lower().startswith(_KEPT_OUT):
        raise MessageError(
            f"{name} can't be given as an extra header.", cure="Use the message's own field for it."
        )
    return name, printable(value, f"header {name}")


def _message_ids(value: str | Iterable[str] | None) -> tuple[str, ...]:
    ids = printable(value, "Message-ID").split() if isinstance(value, str) else value or ()
    return tuple(_reference(one) for one in ids)


def _reference(value: str) -> str:
    """Return *value* as somebody else's Message-ID: many in use have no @."""
    return _bracketed(value, _REFERENCE)


def message_id(value: str) -> str:
    """Return *value*, `<left@right>`, when it may stand as a Message-ID (RFC 5322 3.6.4); brackets are added.

    Raises:
        MessageError: It may not.
    """
    return _bracketed(value, _MSG_ID)


def _bracketed(value: str, pattern: re.Pattern[str]) -> str:
    printed = printable(value, "Message-ID", longest=900)
    bracketed = f"<{printed}>" if "@" in printed and printed[0] != "<" else printed
    if not pattern.fullmatch(bracketed):
        raise MessageError(f"{value[:70]!r} is not a Message-ID.", cure="Write it as <left@right>.")
    return bracketed


def _aware(value: dt.datetime | None) -> dt.datetime | None:
    if value is not None and (not isinstance(value, dt.datetime) or value.tzinfo is None):
        raise MessageError(
            "not_after is not a moment with a time zone.",
            cure="Use datetime.now(timezone.utc) + timedelta(...).",
        )
    return value


def _instance(kind: type) -> Any:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value is not None and not isinstance(value, kind):
            raise MessageError(f"{field.name} must be {kind.__name__}, not {type(value).__name__}.")

    return check


def _options(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return dict(value or {})


@attrs.frozen(kw_only=True)
class Message:
    """What the host wrote. From, Date and Message-ID are not its business: the route gives them.

    Attributes:
        to, cc, bcc, reply_to: One address or several, as `Address` or text. At least one of to, cc, bcc.
        subject: One line.
        text, html: The body, in one form or both.
        attachments: Files; those with `inline=True` belong to the HTML.
        headers: Extra headers, as a mapping or pairs; not those pillarbox writes itself.
        in_reply_to, references: Message-IDs (RFC 5322 3.6.4).
        importance: `high`, `normal` or `low`.
        read_receipt: Whether to ask the reader's program for a receipt (RFC 8098).
        unsubscribe: List-Unsubscribe, with one click.
        calendar: An invitation.
        reference: The host's own document number, for finding the message again; never sent.
        not_after: The moment from which the message fails rather than leaves late; aware.
        options: Extras of a transport, by method name.

    Raises:
        MessageError: A value that can't be sent.
    """

    to: tuple[Address, ...] = attrs.field(default=(), converter=addresses)
    cc: tuple[Address, ...] = attrs.field(default=(), converter=addresses)
    bcc: tuple[Address, ...] = attrs.field(default=(), converter=addresses)
    reply_to: tuple[Address, ...] = attrs.field(default=(), converter=addresses)
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=_attachments)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_headers)
    in_reply_to: tuple[str, ...] = attrs.field(default=(), converter=_message_ids)
    references: tuple[str, ...] = attrs.field(default=(), converter=_message_ids)
    importance: Literal["high", "normal", "low"] = "normal"
    read_receipt: bool = False
    unsubscribe: Unsubscribe | None = attrs.field(default=None, validator=_instance(Unsubscribe))
    calendar: Calendar | None = attrs.field(default=None, validator=_instance(Calendar))
    reference: str = ""
    not_after: dt.datetime | None = attrs.field(default=None, converter=_aware)
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_options)

    def __attrs_post_init__(self) -> None:
        printable(self.subject, "subject", longest=8_000)
        printable(self.reference, "reference", longest=200)
        if self.text is not None:
            encodable(self.text, "text")
        if self.html is not None:
            encodable(self.html, "html")
        if self.importance not in ("high", "normal", "low"):
            raise MessageError(f"importance is high, normal or low, not {self.importance!r}.")
        _content_ids_differ(self.attachments)
        count = len(self.recipients)
        if not count:
            raise MessageError(
                "The message has no recipient.", cure="Give at least one address in to, cc or bcc."
            )
        if count > MOST_RECIPIENTS:
            raise MessageError(f"The message has more than {MOST_RECIPIENTS:,} recipients.")

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody the message goes to, each mailbox once, in the order of to, cc, bcc."""
        once: dict[str, Address] = {}
        for address in (*self.to, *self.cc, *self.bcc):
            once.setdefault(comparable(address.address), address)
        return tuple(once.values())

    @classmethod
    def from_email(cls, email: Email[Any, Any]) -> Message:
        """Return *email*, an `EmailMessage` of the standard library or an older one of it, as a message.

        From, Sender, Date and Message-ID are left to the route.

        Raises:
            MessageError: It holds something that would be lost, a signature for instance.
        """
        from ._conversion import from_email

        return from_email(email)


def _content_ids_differ(attachments: tuple[Attachment, ...]) -> None:
    ids = [one.content_id for one in attachments if one.content_id]
    if len(set(ids)) < len(ids):
        raise MessageError("Two attachments have the same content_id.", cure="Give each image its own.")
