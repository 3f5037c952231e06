"""Reads a mail that came as MIME into the fields that Graph shows."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, Message
from typing import Any

from ._errors import GraphError
from ._items import DRAFTS, File, Item
from ._writing import recipient

_BODIES = {"text/plain", "text/html"}
_TOLD = {
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "message-id",
    "mime-version",
    "importance",
}
_LISTS = {"toRecipients": "to", "ccRecipients": "cc", "bccRecipients": "bcc", "replyTo": "reply-to"}


def decoded(body: bytes) -> bytes:
    """Return the mail that *body* holds in base64.

    Raises:
        GraphError: It is no base64, or no mail; 400.
    """
    try:
        mail = base64.b64decode(body.translate(None, b"\r\n"), validate=True)
    except (binascii.Error, ValueError):
        raise GraphError(
            400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content."
        ) from None
    if b":" not in mail.partition(b"\n")[0]:
        raise _invalid()
    return mail


def item_of(mime: bytes) -> Item:
    """Return a draft that holds *mime*, its fields read from it.

    Raises:
        GraphError: It is so malformed that it can't be read; 400.
    """
    try:
        mail = email.message_from_bytes(mime, policy=email.policy.default)
        return _read(mail, mime)
    except Exception as error:
        raise _invalid() from error  # the parser raises whatever it stumbles over


def _invalid() -> GraphError:
    return GraphError(400, "ErrorMimeContentInvalid", "The MIME content is not valid.")


def _read(mail: EmailMessage, mime: bytes) -> Item:
    fields: dict[str, Any] = {"subject": _told(mail, "subject"), "body": _body(mail)}
    for name, header in _LISTS.items():
        fields[name] = list(_people(mail, header))
    for name in ("from", "sender"):
        for person in _people(mail, name):
            fields.setdefault(name, person)
    if message_id := _told(mail, "message-id"):
        fields["internetMessageId"] = message_id
    if mail["importance"]:
        fields["importance"] = _told(mail, "importance").lower()
    fields["internetMessageHeaders"] = _other_headers(mail)
    return Item(folder=DRAFTS, fields=fields, files=list(_files(mail)), mime=mime)


def _clean(text: str) -> str:
    """Return *text* with octets that stood in a head unencoded read as UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _told(mail: EmailMessage, name: str) -> str:
    return _clean(str(mail.get(name) or "")).strip()


def _people(mail: EmailMessage, name: str) -> Iterator[dict[str, Any]]:
    for header in mail.get_all(name, []):
        for one in getattr(header, "addresses", ()):
            yield recipient((_clean(one.display_name), _clean(one.addr_spec)))


def _other_headers(mail: EmailMessage) -> list[dict[str, str]]:
    """Give those that no field of its own tells."""
    return [
        {"name": _clean(name), "value": _clean(str(value))}
        for name, value in mail.items()
        if name.lower() not in _TOLD and not name.lower().startswith("content-")
    ]


def _body(mail: EmailMessage) -> dict[str, str]:
    part = mail.get_body(("html", "plain"))
    if part is None:
        return {"contentType": "text", "content": ""}
    octets = _octets(part)
    charset = part.get_content_charset("utf-8")
    try:
        text = octets.decode(charset, "replace")
    except LookupError:
        text = octets.decode("utf-8", "replace")
    return {"contentType": "html" if part.get_content_subtype() == "html" else "text", "content": text}


def _files(mail: EmailMessage) -> Iterator[File]:
    """Give all parts but the bodies and what only holds others."""
    bodies = {id(mail.get_body((kind,))) for kind in ("html", "plain")}
    for part in _leaves(mail):
        named = _clean(part.get_filename() or "")
        if id(part) not in bodies and (named or part.get_content_type() not in _BODIES):
            yield File(
                name=named or "attachment",
                content=_octets(part),
                content_type=part.get_content_type(),
                inline=bool(part.get("content-id")) and part.get_content_disposition() != "attachment",
                content_id=_told(part, "content-id").strip("<>"),
            )


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    """Give the parts that hold no others; a mail within the mail is one."""
    if mail.is_multipart() and mail.get_content_maintype() == "multipart":
        for part in mail.iter_parts():
            assert isinstance(part, EmailMessage)
            yield from _leaves(part)
    else:
        yield mail


def _octets(part: Message) -> bytes:
    if part.get_content_maintype() == "message":
        return b"".join(inside.as_bytes() for inside in part.get_payload() if isinstance(inside, Message))
    octets = part.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else b""
