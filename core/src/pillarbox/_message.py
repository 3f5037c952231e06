"""What the host wrote: a message, validated when it is built and never changed after."""

from __future__ import annotations

import datetime as dt
import mimetypes
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ._address import Address, AddressLike, addresses, printable
from ._errors import MessageError

if TYPE_CHECKING:
    from email.message import EmailMessage

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_MSG_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_CONTENT_ID = re.compile(r"[!-;=?-~]+")
MOST_RECIPIENTS = 10_000
"""The most recipients of one message; carriers allow far fewer (`Limits.recipients`)."""

OURS = frozenset(
    "from sender to cc bcc reply-to subject date message-id in-reply-to references mime-version return-path received"
    " auto-submitted importance x-priority disposition-notification-to list-unsubscribe list-unsubscribe-post".split()
)
"""Header names that pillarbox writes itself; `Message.headers` may not hold them."""


def _bytes(content: bytes | bytearray | memoryview) -> bytes:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise MessageError(f"An attachment's content must be bytes, not {type(content).__name__}.")


@attrs.frozen
class Attachment:
    """A file that goes with the message.

    Attributes:
        filename: The name that the recipient sees.
        content: The bytes.
        content_type: `type/subtype`, with parameters if wanted; guessed from the file name by default.
        inline: Whether HTML shows it, by `cid:` and its `content_id`.
        content_id: The name HTML uses for it, without angle brackets.
    """

    filename: str
    content: bytes = attrs.field(converter=_bytes, repr=lambda content: f"<{len(content):,} bytes>")
    content_type: str = ""
    inline: bool = attrs.field(default=False, kw_only=True)
    content_id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not printable(self.filename, "attachment's file name", longest=255):
            raise MessageError("An attachment needs a file name.")
        object.__setattr__(self, "content_type", _content_type(self.content_type, self.filename))
        if self.inline and not self.content_id:
            raise MessageError(f"{self.filename} is inline and has no content_id.", cure='Give the name after "cid:".')
        if self.content_id and not _CONTENT_ID.fullmatch(self.content_id):
            raise MessageError(f"{self.content_id[:70]!r} is not a content id.", cure="Leave out spaces and < >.")

    @classmethod
    def from_path(cls, path: str | Path, content_type: str = "") -> Attachment:
        """Return the file at *path*, read now, under its own name."""
        return cls(Path(path).name, Path(path).read_bytes(), content_type)


def _content_type(given: str, filename: str) -> str:
    if not given:
        guess, encoding = mimetypes.guess_type(filename)
        return guess if guess and not encoding and not guess.startswith("multipart/") else "application/octet-stream"
    printable(given, "content type", longest=500)
    if not given.isascii():
        raise MessageError(f"{given[:70]!r} is not a content type.")
    main, _, sub = given.partition(";")[0].strip().partition("/")
    if not (TOKEN.fullmatch(main) and TOKEN.fullmatch(sub)) or main.lower() == "multipart":
        raise MessageError(f"{given[:70]!r} is not an attachment's content type.", cure="Write it as type/subtype.")
    return given


@attrs.frozen
class Calendar:
    """An invitation (RFC 5545, RFC 6047): shown by calendars, and attached as `invite.ics`.

    Attributes:
        content: The iCalendar text; its METHOD property is used for both parts.
    """

    content: str = attrs.field(repr=lambda content: f"<{len(content):,} characters>")
    filename: str = "invite.ics"

    def __attrs_post_init__(self) -> None:
        printable(self.filename, "invitation's file name", longest=255)
        if not isinstance(self.content, str) or "BEGIN:VCALENDAR" not in self.content:
            raise MessageError("The invitation is not an iCalendar text (BEGIN:VCALENDAR is missing).")
        _ = self.method

    @property
    def method(self) -> str:
        """The METHOD property, upper case: REQUEST, CANCEL, REPLY ..."""
        found = re.search(r"^METHOD:([A-Za-z-]+)\s*$", self.content, re.MULTILINE)
        if found is None:
            raise MessageError("The invitation has no METHOD.", cure="Add a line METHOD:REQUEST.")
        return found[1].upper()


@attrs.frozen
class Unsubscribe:
    """Where a recipient can leave the list (RFC 2369), with one click when `url` takes a POST (RFC 8058)."""

    url: str = ""
    mailto: str = ""
    one_click: bool = True

    def __attrs_post_init__(self) -> None:
        for value in (self.url, self.mailto):
            if not printable(value, "unsubscribe address", longest=2_000).isascii() or re.search(r"[<>\s,]", value):
                raise MessageError("An unsubscribe address holds a space, a comma, < or >, or is not ASCII.")
        if not self.url and not self.mailto:
            raise MessageError("Unsubscribe needs a url or a mailto.")
        if self.url and not self.url.startswith("https://"):
            raise MessageError("The unsubscribe url must start with https:// (RFC 8058).")


def _headers(value: Mapping[str, str] | Iterable[tuple[str, str]] | None) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value or ()
    return tuple(_header(name, text) for name, text in pairs)


def _header(name: str, value: str) -> tuple[str, str]:
    printable(name, "header name", longest=200)
    if not _HEADER_NAME.fullmatch(name):
        raise MessageError(f"{name[:70]!r} is not a header name (RFC 5322 3.6.8).")
    if name.lower() in OURS or name.lower().startswith("content-"):
        raise MessageError(f"{name} can't be given as an extra header.", cure="Use the message's own field for it.")
    return name, printable(value, f"header {name}")


def _message_ids(value: str | Iterable[str] | None) -> tuple[str, ...]:
    ids = value.split() if isinstance(value, str) else tuple(value or ())
    return tuple(message_id(one) for one in ids)


def message_id(value: str) -> str:
    """Return *value*, `<left@right>`, when it may stand as a Message-ID (RFC 5322 3.6.4); brackets are added.

    Raises:
        MessageError: It may not.
    """
    printable(value, "Message-ID", longest=900)
    bracketed = value if value.startswith("<") else f"<{value}>"
    if not _MSG_ID.fullmatch(bracketed):
        raise MessageError(f"{value[:70]!r} is not a Message-ID.", cure="Write it as <left@right>.")
    return bracketed


def _aware(value: dt.datetime | None) -> dt.datetime | None:
    if value is not None and value.tzinfo is None:
        raise MessageError("not_after has no time zone.", cure="Use datetime.now(timezone.utc) + timedelta(...).")
    return value


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
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=tuple)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_headers)
    in_reply_to: tuple[str, ...] = attrs.field(default=(), converter=_message_ids)
    references: tuple[str, ...] = attrs.field(default=(), converter=_message_ids)
    importance: Literal["high", "normal", "low"] = "normal"
    read_receipt: bool = False
    unsubscribe: Unsubscribe | None = None
    calendar: Calendar | None = None
    reference: str = ""
    not_after: dt.datetime | None = attrs.field(default=None, converter=_aware)
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_options)

    def __attrs_post_init__(self) -> None:
        printable(self.subject, "subject", longest=8_000)
        printable(self.reference, "reference", longest=200)
        _body(self.text, "text")
        _body(self.html, "html")
        if self.importance not in {"high", "normal", "low"}:
            raise MessageError(f"importance is high, normal or low, not {self.importance!r}.")
        if not all(isinstance(one, Attachment) for one in self.attachments):
            raise MessageError("attachments holds something that is not an Attachment.")
        if not self.recipients:
            raise MessageError("The message has no recipient.", cure="Give at least one address in to, cc or bcc.")
        if len(self.recipients) > MOST_RECIPIENTS:
            raise MessageError(f"The message has more than {MOST_RECIPIENTS:,} recipients.")

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody the message goes to, each mailbox once, in the order of to, cc, bcc."""
        once = {address.wire: address for address in reversed((*self.to, *self.cc, *self.bcc))}
        return tuple(reversed(once.values()))

    @classmethod
    def from_email(cls, email: EmailMessage) -> Message:
        """Return the standard library's *email* as a message; From, Date and Message-ID are left to the route.

        Raises:
            MessageError: It holds something that would be lost, a signature for instance.
        """
        from ._conversion import from_email

        return from_email(email)


def _body(value: str | None, what: str) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise MessageError(f"The {what} must be text, not {type(value).__name__}.")
    if "\x00" in value:
        raise MessageError(f"The {what} holds a NUL character.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise MessageError(f"The {what} holds half of a surrogate pair.") from None
