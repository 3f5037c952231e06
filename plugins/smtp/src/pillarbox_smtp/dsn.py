"""Delivery status notifications, read: what a server says of mail that it could not deliver (RFC 3464, RFC 6522).

Anybody can write such a message into a mailbox. What is read of it is bounded, and believed only as far as it is shown.
"""

from __future__ import annotations

import datetime as dt
import email
import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from pillarbox import MessageError, Report, ReportKind

LARGEST = 64 * 1024
"""Octets of a notification that are read; the original message, which comes last, may be cut."""
MOST_PARTS = 50
MOST_RECIPIENTS = 100
_KINDS = {"failed": ReportKind.BOUNCED, "delivered": ReportKind.ARRIVED}
"""By the Action field. `delayed` is no end, and behind `relayed` and `expanded` somebody else has it (RFC 3464 2.3.3)."""
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def reports_of(content: bytes) -> list[Report]:
    """Return what a message reports, one for each recipient that it tells something final of; none where it is no notification."""
    message = email.message_from_bytes(content[:LARGEST].replace(b"\0", b"?"), policy=policy.compat32)
    parts = list(_parts(message))
    about = [
        one
        for one in parts
        if one.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}
    ]
    if message.get_content_type() != "multipart/report" or not about:
        return []
    blocks = _blocks(about[0])
    message_id, moment = _message_id(parts), _moment(str(message.get("Date", "")))
    found = (_report(block, message_id, moment) for block in blocks[1 : MOST_RECIPIENTS + 1])
    return [one for one in found if one is not None]


def _parts(message: Message) -> Iterator[Message]:
    """Yield the parts directly inside a report: what the original message carries is none of them."""
    inner = message.get_payload() if message.is_multipart() else []
    yield from [one for one in inner if isinstance(one, Message)][:MOST_PARTS]


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields: of the message, then of each recipient.

    The standard library tells them apart in `message/delivery-status` alone; elsewhere it takes the first for a header.
    """
    inner: Any = part.get_payload()
    found = [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []
    if len(found) != 1:
        return found
    first, rest = found[0], found[0].get_payload()
    groups = re.split(r"\r?\n[ \t]*\r?\n", rest) if isinstance(rest, str) else []
    return [
        first,
        *(email.message_from_string(one.lstrip(), policy=policy.compat32) for one in groups if one.strip()),
    ]


def _message_id(parts: list[Message]) -> str:
    """Return the Message-ID of the original, which comes back whole or as its headers alone."""
    for part in parts:
        kind = part.get_content_type()
        inner: Any = part.get_payload()
        if kind in {"message/rfc822", "message/global"} and isinstance(inner, list) and inner:
            return str(inner[0].get("Message-ID", "")).strip()
        if kind in {"text/rfc822-headers", "message/global-headers"}:
            text = inner[0].as_string() if isinstance(inner, list) and inner else str(inner)
            return str(
                email.message_from_string(text.lstrip(), policy=policy.compat32).get("Message-ID", "")
            ).strip()
    return ""


def _report(block: Message, message_id: str, moment: dt.datetime | None) -> Report | None:
    kind = _KINDS.get(_field(block, "Action").lower())
    recipient = _address(_field(block, "Original-Recipient")) or _address(_field(block, "Final-Recipient"))
    if kind is None or not recipient or not message_id:
        return None
    diagnostic = _field(block, "Diagnostic-Code").partition(";")
    said = (diagnostic[2] or diagnostic[0]).strip()
    status = _field(block, "Status")
    try:
        return Report(
            kind=kind,
            recipient=recipient,
            message_id=message_id,
            detail=said if status and status in said else f"{status} {said}".strip(),
            at=_moment(_field(block, "Last-Attempt-Date")) or moment,
        )
    except MessageError:  # what it calls a recipient, or a Message-ID, is none
        return None


def _field(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())


def _address(field: str) -> str:
    """Return the address of a recipient's field: `rfc822; anna@acme.example`, what is not ASCII as xtext (RFC 3461 4)."""
    kind, _, address = field.partition(";")
    if kind.strip().lower() not in {"rfc822", "utf-8"}:
        return ""
    plain = _XTEXT.sub(lambda found: chr(int(found[1], 16)), address.strip())
    return plain.strip("<>")


def _moment(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
