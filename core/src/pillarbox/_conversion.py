"""Turns the standard library's messages into ours, losing nothing silently."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from email.errors import MessageError as EmailError
from email.header import decode_header, make_header
from email.message import Message as Email
from email.utils import collapse_rfc2231_value, getaddresses
from typing import Any, Literal, TypeAlias

import attrs

from ._address import Address, printable
from ._attachment import Attachment, Calendar
from ._errors import MessageError
from ._message import OURS, Message, Unsubscribe

_AnyEmail: TypeAlias = "Email[Any, Any]"

_LEFT_TO_THE_ROUTE = frozenset(
    ["from", "sender", "date", "message-id", "mime-version", "return-path", "received"]
)
_LOST = ("resent-", "dkim-signature", "domainkey-signature", "arc-")
_SIGN = "Sign or encrypt where the mail leaves, at the server: pillarbox composes bytes of its own."
_CURES = {"multipart/signed": _SIGN, "multipart/encrypted": _SIGN, "application/pkcs7-mime": _SIGN}
_BODIES = {"text/plain": "text", "text/html": "html", "text/calendar": "calendar"}
_ALTERNATIVES = {*_BODIES, "multipart/related", "multipart/mixed"}
_KNOWN = {"multipart/mixed", "multipart/alternative", "multipart/related", "message/rfc822"}
_DEEPEST = 20
_IMPORTANCE: Mapping[str, Literal["high", "low"]] = {
    "high": "high",
    "1": "high",
    "2": "high",
    "low": "low",
    "4": "low",
    "5": "low",
}
_PARSER_FAULTS = (AttributeError, EmailError, LookupError, TypeError, ValueError)
"""What the standard library's parser of fields raises on damaged ones, when they are looked at."""


@attrs.define
class _Found:
    """What was met on the way through the parts."""

    text: str | None = None
    html: str | None = None
    calendar: str | None = None
    files: list[Attachment] = attrs.field(factory=list)

    @property
    def bodies(self) -> tuple[str | None, str | None]:
        return self.text, self.html


def from_email(email: _AnyEmail) -> Message:
    """Return *email*, an `EmailMessage` or an older `email.message.Message`, as a message.

    From, Sender, Date, Message-ID and the traces of a journey (Received, Return-Path) are left to the route; notes on
    parts that no reader shows (Content-Description, Content-Language) are dropped.

    Raises:
        MessageError: It holds something that would be lost: a signature, an encryption, a second body, a damaged
            part, the headers of a resent message.
    """
    if not isinstance(email, Email):
        raise MessageError(f"from_email takes an EmailMessage, not {type(email).__name__}.")
    try:
        return _converted(email)
    except _PARSER_FAULTS as fault:
        raise _lost(
            f"a field that can't be read ({type(fault).__name__})", "Mend the message first."
        ) from fault


def _converted(email: _AnyEmail) -> Message:
    found = _Found()
    _collect(email, found, 0)
    calendar, files = _calendar(found)
    fields = _Fields(email)
    return Message(
        to=fields.mailboxes("to"),
        cc=fields.mailboxes("cc"),
        bcc=fields.mailboxes("bcc"),
        reply_to=fields.mailboxes("reply-to"),
        subject=fields.one("subject"),
        text=found.text,
        html=found.html,
        attachments=files,
        headers=tuple(fields.extras()),
        in_reply_to=fields.one("in-reply-to"),
        references=fields.one("references"),
        importance=_importance(fields),
        read_receipt=bool(fields.all("disposition-notification-to")),
        unsubscribe=_unsubscribe(fields),
        calendar=calendar,
    )


def _lost(what: str, cure: str) -> MessageError:
    return MessageError(f"The message holds {what}, which would be lost.", cure=cure)


def _collect(part: _AnyEmail, found: _Found, depth: int) -> None:
    """Put what *part* holds into *found*."""
    kind = part.get_content_type()
    _check(part, kind, depth)
    if kind == "multipart/mixed":
        _mixed(part, found, depth)
    elif kind == "multipart/alternative":
        _alternative(part, found, depth)
    elif kind == "multipart/related":
        _related(part, found, depth)
    elif _is_body(part, kind):
        _body(part, kind, found)
    else:
        found.files.append(_file(part, kind))


def _check(part: _AnyEmail, kind: str, depth: int) -> None:
    if part.defects:
        raise _lost(f"a damaged part ({type(part.defects[0]).__name__})", "Mend the message first.")
    if depth > _DEEPEST:
        raise _lost(f"parts nested more than {_DEEPEST} deep", "Attach the inner ones as a message.")
    is_strange = part.is_multipart() or kind.startswith("multipart/")
    if kind in _CURES or (is_strange and kind not in _KNOWN):
        raise _lost(f"a {kind} part", _CURES.get(kind, "Give what it holds as attachments."))


def _children(part: _AnyEmail) -> Sequence[_AnyEmail]:
    children = part.get_payload()
    if not isinstance(children, list) or not children:
        raise _lost("a multipart without parts", "Mend the message first.")
    return [child for child in children if isinstance(child, Email)]


def _mixed(part: _AnyEmail, found: _Found, depth: int) -> None:
    has_body = False
    for child in _children(part):
        before = found.bodies
        _collect(child, found, depth + 1)
        if found.bodies != before:
            if has_body:
                raise _second_body(child.get_content_type())
            has_body = True


def _second_body(kind: str) -> MessageError:
    return _lost(
        f"a second body ({kind})", "Put text and html into one multipart/alternative, the rest in files."
    )


def _alternative(part: _AnyEmail, found: _Found, depth: int) -> None:
    children = _children(part)
    strange = {child.get_content_type() for child in children} - _ALTERNATIVES
    if strange:
        raise _lost(f"an alternative of the type {min(strange)}", "Give text, html and a calendar.")
    for child in children:
        _collect(child, found, depth + 1)


def _related(part: _AnyEmail, found: _Found, depth: int) -> None:
    root, *others = _children(part)
    _collect(root, found, depth + 1)
    for other in others:
        kind = other.get_content_type()
        _check(other, kind, depth)
        if kind.startswith("multipart/"):
            raise _lost(f"a {kind} beside the HTML", "Attach its parts one by one.")
        if other["Content-Location"]:
            raise _lost("a picture named by Content-Location", "Name it by Content-ID, and cid: in the HTML.")
        found.files.append(_file(other, kind, shown=True))


def _is_body(part: _AnyEmail, kind: str) -> bool:
    if part.get_content_disposition() == "attachment" or part.get_filename():
        return False
    if kind.startswith("text/") and kind not in _BODIES:
        raise _lost(f"a body of the type {kind}", "Give it a file name, or write text or html.")
    return kind in {"text/plain", "text/html"} or (kind == "text/calendar" and bool(part.get_param("method")))


def _body(part: _AnyEmail, kind: str, found: _Found) -> None:
    place = _BODIES[kind]
    if getattr(found, place) is not None:
        raise _second_body(kind)
    setattr(found, place, _text(part))


def _text(part: _AnyEmail) -> str:
    charset = part.get_content_charset("us-ascii")
    payload, octets = part.get_payload(), _octets(part)
    if isinstance(payload, str) and not payload.isascii() and payload.encode("raw-unicode-escape") == octets:
        # It was set as str and never encoded: this is what get_payload makes of such a text.
        return payload.replace("\r\n", "\n")
    try:
        # Every ASCII text is UTF-8, and many a UTF-8 text is said to be ASCII.
        text = octets.decode("utf-8" if charset == "us-ascii" else charset)
    except (LookupError, ValueError):
        raise _lost(f"a text that is not {charset}", "Give the text as str, by set_content.") from None
    return text.replace("\r\n", "\n")


def _octets(part: _AnyEmail) -> bytes:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes) or part.defects:
        raise _lost("a part that can't be decoded", "Mend its Content-Transfer-Encoding.")
    return octets


def _file(part: _AnyEmail, kind: str, *, shown: bool = False) -> Attachment:
    """Return *part* as a file, one that the HTML shows if it is *shown* or not said to be an attachment."""
    content_id = _value(part.get("Content-ID", "")).strip().strip("<>")
    is_message = kind == "message/rfc822" and part.is_multipart()
    return Attachment(
        _filename(part, kind),
        _message_octets(_children(part)[0]) if is_message else _octets(part),
        _content_type(part, kind),
        inline=bool(content_id) and (shown or part.get_content_disposition() != "attachment"),
        content_id=content_id,
    )


def _message_octets(email: _AnyEmail) -> bytes:
    try:
        return email.as_bytes(policy=email.policy.clone(linesep="\r\n"))
    except (EmailError, LookupError, ValueError) as error:
        raise _lost(
            f"a message that can't be written ({type(error).__name__})", "Attach its bytes."
        ) from None


def _filename(part: _AnyEmail, kind: str) -> str:
    given = _name(part, "Content-Disposition", "filename") or _name(part, "Content-Type", "name")
    if given:
        return given
    return (
        "message.eml"
        if kind == "message/rfc822"
        else f"attachment{mimetypes.guess_extension(kind) or '.bin'}"
    )


def _name(part: _AnyEmail, field: str, parameter: str) -> str:
    value: Any = part.get(field)
    if hasattr(value, "params"):
        return str(value.params.get(parameter, ""))
    given = part.get_param(parameter, "", field)
    return collapse_rfc2231_value(given) if isinstance(given, tuple) else _value(given)


def _content_type(part: _AnyEmail, kind: str) -> str:
    parameters = part.get_params(failobj=[], unquote=True)[1:]
    kept = [(name, value) for name, value in parameters if isinstance(value, str) and name.lower() != "name"]
    return "; ".join([kind, *(f'{name}="{_escaped(value)}"' for name, value in kept)])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _calendar(found: _Found) -> tuple[Calendar | None, list[Attachment]]:
    """Return the invitation, and the files without its twin, which composing attaches again."""
    if found.calendar is None:
        return None, found.files
    same = [
        one
        for one in found.files
        if one.kind in {"application/ics", "text/calendar"} and _is_twin(one, found)
    ]
    files = [one for one in found.files if one not in same]
    return Calendar(found.calendar, *(one.filename for one in same[:1])), files


def _is_twin(file: Attachment, found: _Found) -> bool:
    return file.content.split() == (found.calendar or "").encode().split()


class _Fields:
    """The header fields of an email, as texts, whether they were parsed, set or made by the older API."""

    def __init__(self, email: _AnyEmail) -> None:
        self._pairs = [(name, value) for name, value in email.raw_items()]

    def all(self, name: str) -> list[Any]:
        """Return the values of *name*, lower case, as they are kept."""
        return [value for one, value in self._pairs if one.lower() == name]

    def one(self, name: str) -> str:
        """Return the text of *name*, or "" without it."""
        values = self.all(name)
        if len(values) > 1:
            raise _lost(f"two {name} headers", "Leave one.")
        return _value(values[0]) if values else ""

    def mailboxes(self, name: str) -> list[Address]:
        """Return the mailboxes of all the fields of *name*, without the names of groups."""
        return [box for value in self.all(name) for box in _mailboxes(value)]

    def extras(self) -> Iterator[tuple[str, str]]:
        """Yield the fields that neither the message's own fields nor the route stand for."""
        for name, value in self._pairs:
            lower = name.lower()
            if lower.startswith(_LOST):
                raise _lost(f"a {name} header", "Remove it: pillarbox composes bytes of its own.")
            if lower not in OURS | _LEFT_TO_THE_ROUTE and not lower.startswith("content-"):
                yield name, _value(value)


def _value(value: Any) -> str:
    """Return the text of a header's *value*, decoded."""
    text = _unfolded(value)
    if hasattr(value, "defects") or "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (EmailError, LookupError, ValueError):
        raise MessageError(f"{text[:70]!r} can't be decoded.", cure="Set the header as plain text.") from None


def _unfolded(value: Any) -> str:
    """Return *value* on one line; a line break that is no fold stays, to be refused with all control characters."""
    text = re.sub(r"\r?\n(?=[ \t])", "", str(value)).replace("\t", " ")
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        raise MessageError(f"A header is not UTF-8: {text[:70]!a}.", cure="Set it as text.") from None


def _mailboxes(value: Any) -> list[Address]:
    if hasattr(value, "addresses"):
        return [Address(one.addr_spec, one.display_name) for one in value.addresses]
    text = printable(_unfolded(value), "address").strip()
    found = getaddresses([text])
    if found == [("", "")] and text.endswith(";"):
        return []
    return [Address(address, _value(name)) for name, address in found]


def _importance(fields: _Fields) -> Literal["high", "normal", "low"]:
    said = (fields.one("importance") or fields.one("x-priority")).split()
    return _IMPORTANCE.get(said[0].lower(), "normal") if said else "normal"


def _unsubscribe(fields: _Fields) -> Unsubscribe | None:
    uris = re.findall(r"<([^<>]*)>", fields.one("list-unsubscribe"))
    urls = [uri for uri in uris if not uri.lower().startswith("mailto:")]
    mailboxes = [uri for uri in uris if uri not in urls]
    if len(urls) > 1 or len(mailboxes) > 1:
        raise _lost("several places to unsubscribe", "Leave one https: and one mailto:.")
    if not uris:
        return None
    one_click = bool(fields.all("list-unsubscribe-post"))
    return Unsubscribe("".join(urls), "".join(mailboxes), one_click=one_click)
