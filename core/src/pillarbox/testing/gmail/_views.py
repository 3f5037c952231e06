"""Messages, drafts, lists and aliases as Gmail shows them in JSON."""

from __future__ import annotations

import base64
import email
from collections.abc import Iterable, Mapping, Sequence
from email.message import Message
from typing import Any

from ._errors import Refused
from ._mailbox import Mailbox, Stored

MOST = 500
"""The longest page of a list."""


def brief(stored: Stored) -> dict[str, Any]:
    """Return what an answer to a send, or to the making of a draft, says of a message."""
    return {"id": stored.id, "threadId": stored.thread, "labelIds": list(stored.labels)}


def message(stored: Stored, form: str, only: Sequence[str] = ()) -> dict[str, Any]:
    """Return *stored* in the format *form*; for `metadata` with the headers *only*, all if there are none."""
    octets = stored.content.octets
    said = brief(stored) | {
        "snippet": "",
        "sizeEstimate": len(octets),
        "historyId": str(stored.history),
        "internalDate": str(int(stored.at * 1000)),
    }
    if form == "raw":
        return said | {"raw": _base64(octets)}
    if form == "minimal":
        return said
    parsed = email.message_from_bytes(octets)
    if form == "metadata":
        wanted = {name.lower() for name in only}
        headers = [one for one in _headers(parsed) if not wanted or one["name"].lower() in wanted]
        return said | {"payload": {"mimeType": parsed.get_content_type(), "headers": headers}}
    return said | {"payload": _part(parsed, "")}


def _headers(part: Message) -> list[dict[str, str]]:
    lines = ((name, str(value)) for name, value in part.items())
    return [{"name": name, "value": value.replace("\r", "").replace("\n", "")} for name, value in lines]


def _part(part: Message, number: str) -> dict[str, Any]:
    """Return one part and those in it; Gmail numbers them from 0."""
    said: dict[str, Any] = {
        "partId": number,
        "mimeType": part.get_content_type(),
        "filename": part.get_filename() or "",
        "headers": _headers(part),
    }
    inner = part.get_payload()
    if isinstance(inner, list):
        numbered = ((one, f"{number}.{at}" if number else str(at)) for at, one in enumerate(inner))
        return said | {"body": {"size": 0}, "parts": [_part(one, name) for one, name in numbered]}
    data = part.get_payload(decode=True)
    octets = data if isinstance(data, bytes) else b""
    return said | {"body": {"size": len(octets), "data": _base64(octets)}}


def _base64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode()


def page(name: str, found: Sequence[Mapping[str, Any]], most: str, token: str) -> dict[str, Any]:
    """Return one page of *found* under *name*, which is left out when there is nothing to list.

    Args:
        name: `messages` or `drafts`.
        found: All there are.
        most: How many on a page, as it was asked for.
        token: Which page, as a page before named it; "" for the first.

    Raises:
        Refused: 400, for a number or a token that is none.
    """
    start = int(token) if token.isascii() and token.isdigit() else 0
    if token and (str(start) != token or start > len(found)):
        raise Refused("invalidArgument", "Invalid pageToken")
    if not (most.isascii() and most.isdigit()):
        raise Refused("invalid", f"Invalid value at 'max_results' (TYPE_UINT32), \"{most}\"")
    end = start + (min(int(most[:9]), MOST) or 100)
    said: dict[str, Any] = {"resultSizeEstimate": len(found)}
    if found[start:end]:
        said[name] = list(found[start:end])
    return said | ({"nextPageToken": str(end)} if end < len(found) else {})


def newest_first(stored: Iterable[Stored]) -> list[Stored]:
    """Return *stored* in the order of Gmail's lists."""
    return sorted(stored, key=lambda one: -one.history)


def profile(mailbox: Mailbox) -> dict[str, Any]:
    """Return the profile of *mailbox*."""
    return {
        "emailAddress": mailbox.address,
        "messagesTotal": len(mailbox.messages),
        "threadsTotal": len({stored.thread for stored in mailbox.messages.values()}),
        "historyId": str(mailbox.history),
    }


def send_as(mailbox: Mailbox) -> dict[str, Any]:
    """Return what *mailbox* may show: itself first, which has no verificationStatus, then its aliases."""
    common = {"replyToAddress": "", "signature": ""}
    own: dict[str, Any] = {
        "sendAsEmail": mailbox.address,
        "displayName": mailbox.name,
        "isPrimary": True,
        "isDefault": True,
    }
    others: list[dict[str, Any]] = [
        {
            "sendAsEmail": alias.address,
            "displayName": alias.name,
            "treatAsAlias": True,
            "verificationStatus": "accepted" if alias.verified else "pending",
        }
        for alias in mailbox.aliases
    ]
    return {"sendAs": [{**one, **common} for one in (own, *others)]}
