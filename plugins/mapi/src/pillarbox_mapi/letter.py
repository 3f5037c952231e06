"""A submission as Outlook takes it: fields, recipients, files; and what of it Outlook can't carry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from typing import Any

import attrs

from pillarbox import MessageError, Submission

NO_DOMAIN = "pillarbox.invalid"
"""The domain of the Message-ID that core writes where it does not know the From."""
TO, CC, BCC = 1, 2, 3
"""Of OlMailRecipientType."""
_KINDS = {"To": TO, "Cc": CC, "Bcc": BCC}
_IMPORTANCE = {"low": 0, "high": 2}
_KNOWN = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "importance",
        "x-priority",
        "disposition-notification-to",
    ]
)
_AS_PROPERTIES = frozenset(
    ["auto-submitted", "list-unsubscribe", "list-unsubscribe-post", "list-id", "precedence"]
)
_UNSAFE_IN_NAME = str.maketrans(dict.fromkeys('<>()[]{};,:"\\|', " "))


@attrs.frozen
class Person:
    """A recipient.

    Attributes:
        kind: 1 to, 2 cc, 3 bcc; 0 for an address for answers.
    """

    kind: int
    name: str
    address: str

    @property
    def shown(self) -> str:
        """As `Recipients.Add` takes it. A name can't bring another address in: what might part two is left out."""
        name = " ".join(self.name.translate(_UNSAFE_IN_NAME).split())
        return f"{name} <{self.address}>" if name else self.address


@attrs.frozen
class File:
    """An attachment; inline where HTML shows it by its content id."""

    name: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content):,} octets>")
    content_type: str = ""
    content_id: str = ""


@attrs.frozen(kw_only=True)
class Letter:
    """What Outlook is told of a message.

    Attributes:
        importance: Of OlImportance: 0 low, 1 normal, 2 high.
        headers: Fields of the Internet message that travel as properties.
        lost: What of the message Outlook can't carry, each a clause.
    """

    subject: str
    text: str = attrs.field(repr=False)
    html: str | None = attrs.field(repr=False)
    people: tuple[Person, ...]
    answers_to: tuple[Person, ...] = ()
    importance: int = 1
    read_receipt: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Octets of its bodies and files, roughly."""
        return len(self.text) + len(self.html or "") + sum(len(file.content) for file in self.files)

    @property
    def without(self) -> str:
        """What was left out, as the end of a sentence; "" for nothing."""
        return f", without {listed(self.lost)}" if self.lost else ""

    @classmethod
    def of(cls, submission: Submission, *, lossy: bool = False) -> Letter:
        """Return *submission* as Outlook takes it.

        Raises:
            MessageError: Outlook can't carry all of it, and it is not to be *lossy*.
        """
        message = submission.message()
        bodies, files, calendar = _content(message)
        letter = cls(
            subject=str(message.get("Subject", "")),
            text=bodies.get("plain", ""),
            html=bodies.get("html"),
            people=tuple(_people(message, submission)),
            answers_to=tuple(_addressed(message, "Reply-To", 0)),
            importance=_IMPORTANCE.get(str(message.get("Importance", "")).lower(), 1),
            read_receipt="Disposition-Notification-To" in message,
            headers=tuple(_properties(message)),
            files=tuple(files),
            lost=(*_lost(message, submission), *(("an invitation",) if calendar else ())),
        )
        if letter.lost and not lossy:
            raise MessageError(
                f"Outlook can't carry {listed(letter.lost)} of this message.",
                cure="Leave it out, or set mapi.lossy = true to send without.",
            )
        return letter


def listed(clauses: Iterable[str]) -> str:
    """Return *clauses*, one at least, as part of a sentence."""
    *before, last = clauses
    return f"{', '.join(before)} and {last}" if before else last


def _addressed(message: EmailMessage, field: str, kind: int) -> Iterator[Person]:
    for header in message.get_all(field, ()):
        for address in header.addresses:
            yield Person(kind, address.display_name, address.addr_spec)


def _people(message: EmailMessage, submission: Submission) -> Iterator[Person]:
    """Yield those of the envelope, shown as the header shows them; whom it does not show is a hidden one."""
    wanted = dict.fromkeys(submission.envelope.recipients)
    for field, kind in _KINDS.items():
        for person in _addressed(message, field, kind):
            if person.address in wanted:
                del wanted[person.address]
                yield person
    for address in wanted:
        yield Person(BCC, "", address)


def _lost(message: EmailMessage, submission: Submission) -> Iterator[str]:
    shown = {one.address for field, kind in _KINDS.items() for one in _addressed(message, field, kind)}
    if shown != set(submission.envelope.recipients):
        yield "an envelope that differs from To, Cc and Bcc"
    domain = (submission.from_header or "").rpartition("@")[2] or NO_DOMAIN
    if submission.message_id != f"<{submission.key}@{domain}>":
        yield "a Message-ID of its own"
    names = [name.lower() for name in message]
    unknown = (name for name in dict.fromkeys(message) if not _is_carried(name.lower()))
    twice = (name for name in dict.fromkeys(names) if _is_property(name) and names.count(name) > 1)
    yield from (f"the header {name[:80]}" for name in unknown)
    yield from (f"more than one header {name[:80]}" for name in twice)


def _is_carried(name: str) -> bool:
    return name in _KNOWN or name.startswith("content-") or _is_property(name)


def _is_property(name: str) -> bool:
    return name not in _KNOWN and (name.startswith("x-") or name in _AS_PROPERTIES)


def _properties(message: EmailMessage) -> Iterator[tuple[str, str]]:
    return ((name, str(value)) for name, value in message.items() if _is_property(name.lower()))


def _content(message: EmailMessage) -> tuple[dict[str, str], list[File], bool]:
    """Return the bodies by subtype, the files, and whether there is an invitation among the bodies."""
    bodies: dict[str, str] = {}
    files: list[File] = []
    calendar = False
    for part in _leaves(message):
        is_body = not part.is_attachment() and part.get_filename() is None and "Content-ID" not in part
        subtype = part.get_content_subtype()
        if is_body and part.get_content_maintype() == "text" and subtype in {"plain", "html"} - bodies.keys():
            bodies[subtype] = _text(part)
        elif is_body and part.get_content_type() == "text/calendar":
            calendar = True
        else:
            files.append(_file(part))
    return bodies, files, calendar


def _leaves(part: Any) -> Iterator[Any]:
    """Yield the parts that hold something, in order; a mail that is attached is one."""
    if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
        for inner in part.get_payload():
            yield from _leaves(inner)
    else:
        yield part


def _text(part: Any) -> str:
    octets: bytes = part.get_payload(decode=True) or b""
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = octets.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _file(part: Any) -> File:
    attached = part.get_payload()
    if part.get_content_maintype() == "message" and isinstance(attached, list) and attached:
        content = attached[0].as_bytes()
    else:
        content = part.get_payload(decode=True) or b""
    content_id = str(part.get("Content-ID", "")).strip().strip("<>")
    inline = part.get_content_disposition() == "inline" and content_id
    name = part.get_filename() or ("message.eml" if part.get_content_maintype() == "message" else "file")
    return File(str(name), content, part.get_content_type(), content_id if inline else "")
