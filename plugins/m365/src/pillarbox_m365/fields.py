"""A message in the fields of Microsoft Graph, for what can't go as MIME: another From, or more than one request holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from typing import Any

from pillarbox import MessageError, Submission

from .bodies import HOLE
from .parts import Leaf, Parts

TAG = "String {a8d7ea9c-be86-4914-98df-51b49dcaf2e7} Name pillarbox-key"
"""The extended property that holds a submission's key, by which a sent mail is found whatever became of its Message-ID."""
_HEADERS = "String {00020386-0000-0000-c000-000000000046} Name "
"""The extended properties that stand for header fields by name (PS_INTERNET_HEADERS, MS-OXPROPS 1.3.2)."""
_PROPERTIES = {"in-reply-to": "String 0x1042", "references": "String 0x1039"}
_ELSEWHERE = frozenset(
    {
        "from",
        "sender",
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
    }
)
_MOST_CUSTOM = 5
"""Custom headers in the field for them; those beyond go as properties."""


def tagged(submission: Submission) -> list[dict[str, str]]:
    """Return the property by which the mail of *submission* is found again."""
    return [{"id": TAG, "value": submission.key}]


def message_of(parts: Parts, submission: Submission, *, files: Iterable[Leaf] = ()) -> dict[str, Any]:
    """Return the message, with *files* as attachments whose content is a `HOLE` each."""
    head = parts.head
    custom, properties = _headers(head)
    told: dict[str, Any] = {
        "subject": str(head.get("subject", "")),
        "body": {"contentType": "html" if parts.html else "text", "content": parts.text},
        "internetMessageId": submission.message_id,
        "toRecipients": people(head, "to"),
        "ccRecipients": people(head, "cc"),
        "bccRecipients": people(head, "bcc"),
        "replyTo": people(head, "reply-to"),
        "singleValueExtendedProperties": [*tagged(submission), *properties],
    }
    for shown in people(head, "from")[:1]:
        told["from"] = shown
    if (importance := str(head.get("importance", "")).strip().lower()) in {"low", "high"}:
        told["importance"] = importance
    if "disposition-notification-to" in head:
        told["isReadReceiptRequested"] = True
    if custom:
        told["internetMessageHeaders"] = custom
    attached = [attachment(leaf) for leaf in files]
    return {**told, "attachments": attached} if attached else told


def attachment(leaf: Leaf) -> dict[str, Any]:
    """Return a file as an attachment whose content is a `HOLE`."""
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        **described(leaf),
        "contentBytes": HOLE,
    }


def described(leaf: Leaf) -> dict[str, Any]:
    """Return what is said of a file beside its content."""
    told: dict[str, Any] = {"name": leaf.name, "contentType": leaf.kind}
    return {**told, "isInline": True, "contentId": leaf.content_id} if leaf.is_inline else told


def people(head: EmailMessage, name: str) -> list[dict[str, Any]]:
    """Return those whom the fields *name* hold."""
    return [
        {
            "emailAddress": {"name": one.display_name, "address": one.addr_spec}
            if one.display_name
            else {"address": one.addr_spec}
        }
        for field in head.get_all(name, [])
        for one in getattr(field, "addresses", ())
    ]


def require_all(head: EmailMessage, submission: Submission) -> None:
    """Do nothing where the header names exactly those whom the envelope does: Graph has no envelope.

    Raises:
        MessageError: It does not.
    """
    listed = {
        one["emailAddress"]["address"].casefold()
        for name in ("to", "cc", "bcc")
        for one in people(head, name)
    }
    if listed != {path.casefold() for path in submission.envelope.recipients}:
        raise MessageError(
            "The message is to go to others than it names, and Microsoft 365 sends to those that it names.",
            cure="Send it by SMTP, or name them in To, Cc or Bcc.",
        )


def _headers(head: EmailMessage) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the header fields that Graph has no field for: custom ones, and those that go as properties."""
    custom: list[dict[str, str]] = []
    properties: list[dict[str, str]] = []
    for name, value in _others(head):
        if name.lower().startswith("x-") and len(custom) < _MOST_CUSTOM:
            custom.append({"name": name, "value": value})
        else:
            properties.append({"id": _PROPERTIES.get(name.lower(), f"{_HEADERS}{name}"), "value": value})
    return custom, properties


def _others(head: EmailMessage) -> Iterator[tuple[str, str]]:
    for name, value in head.items():
        if name.lower() not in _ELSEWHERE and not name.lower().startswith("content-"):
            yield name, " ".join(str(value).split())
