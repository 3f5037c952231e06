"""Makes the mail that a recipient gets of the fields that a client gave in JSON."""

from __future__ import annotations

import email.policy
import email.utils
import re
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from ._errors import GraphError
from ._items import File, Item

ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
"""What a recipient's address must look like for a mail to be sent."""
_LISTS = {"To": "toRecipients", "Cc": "ccRecipients", "Bcc": "bccRecipients", "Reply-To": "replyTo"}
_PLACE = 48
"""Octets of a line of base64 that stands for a file until the mail is written."""
_POLICY = email.policy.SMTP.clone(max_line_length=78)


def person(given: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the name and the address of *given*, a `recipient` of Graph's; empty where there is none."""
    told = (given or {}).get("emailAddress") or {}
    return str(told.get("name") or ""), str(told.get("address") or "")


def recipient(told: tuple[str, str]) -> dict[str, Any]:
    """Return a name and an address as a `recipient` of Graph's."""
    name, address = told
    return {"emailAddress": {"name": name or address, "address": address}}


def people(fields: Mapping[str, Any], *names: str) -> Iterator[str]:
    """Give the addresses in the lists *names* of *fields*, in order."""
    for name in names:
        for given in fields.get(name) or []:
            yield person(given)[1]


def recipients(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return everybody who gets it: To, Cc, Bcc."""
    return tuple(people(fields, "toRecipients", "ccRecipients", "bccRecipients"))


def written(item: Item, *, shown: tuple[str, str], sender: tuple[str, str] | None, message_id: str) -> bytes:
    """Return *item* as a mail, Bcc included.

    Args:
        item: What it holds.
        shown: The name and the address of its From.
        sender: Those of its Sender, None for a mail without.
        message_id: Its Message-ID.

    Raises:
        GraphError: A field can't stand in a mail; 400.
    """
    mail = EmailMessage(_POLICY)
    try:
        _head(mail, item.fields, shown, sender, message_id)
        files = _body(mail, item)
        return _filled(mail.as_bytes(), files)
    except (ValueError, IndexError, MessageError) as error:
        raise GraphError(400, "ErrorInvalidRequest", f"The message can't be written: {error}") from error


def _head(
    mail: EmailMessage,
    fields: Mapping[str, Any],
    shown: tuple[str, str],
    sender: tuple[str, str] | None,
    message_id: str,
) -> None:
    mail["From"] = _address(shown)
    if sender:
        mail["Sender"] = _address(sender)
    for name, field in _LISTS.items():
        told = (person(one) for one in fields.get(field) or [])
        if addresses := [_address(one) for one in told if ADDRESS.fullmatch(one[1])]:
            mail[name] = addresses
    mail["Subject"] = str(fields.get("subject") or "")
    mail["Message-ID"] = message_id
    if (importance := str(fields.get("importance") or "normal").lower()) != "normal":
        mail["Importance"] = importance
    for header in fields.get("internetMessageHeaders") or []:
        mail[header["name"]] = header["value"]
    if "Date" not in mail:
        mail["Date"] = email.utils.localtime()


def _address(told: tuple[str, str]) -> Address:
    name, address = told
    return Address(name, addr_spec=address)


def _body(mail: EmailMessage, item: Item) -> dict[bytes, File]:
    """Write the body and a place for each file; what is returned says which file goes where."""
    body = item.fields.get("body") or {}
    html = str(body.get("contentType") or "text").lower() == "html"
    mail.set_content(str(body.get("content") or ""), subtype="html" if html else "plain", cte="base64")
    places = {}
    for file in sorted(item.files, key=lambda file: not file.inline):
        place = secrets.token_bytes(_PLACE)
        places[b64encode(place)] = file
        main, sub = _kind(file)
        if file.inline:
            name = f"<{file.content_id}>" if file.content_id else None
            mail.add_related(place, main, sub, cid=name, filename=file.name, disposition="inline")
        else:
            mail.add_attachment(place, main, sub, filename=file.name)
    return places


def _filled(octets: bytes, places: Mapping[bytes, File]) -> bytes:
    """Return *octets* with each file in its place; the standard library would take a second for ten megabytes."""
    if not places:
        return octets
    return re.sub(b"|".join(map(re.escape, places)), lambda place: _lines(places[place[0]].content), octets)


def _lines(content: bytes) -> bytes:
    """Return *content* in base64, in lines of 76 octets (RFC 2045 6.8)."""
    text = b64encode(content)
    return b"\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))


def _kind(file: File) -> tuple[str, str]:
    """Return the two halves of its media type; a mail within the mail goes as octets, since these are given as such."""
    main, _, sub = file.content_type.partition(";")[0].strip().partition("/")
    return (
        (main, sub)
        if main and sub and main not in {"message", "multipart"}
        else ("application", "octet-stream")
    )
