"""A message as a mailbox keeps it: its fields, its files, its tags, and its two ids."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import math
import secrets
from collections.abc import Mapping
from typing import Any

import attrs

DRAFTS, SENT, INBOX, OUTBOX = "drafts", "sentitems", "inbox", "outbox"
FOLDERS = (DRAFTS, SENT, INBOX, OUTBOX)
_counter = itertools.count(1)
EMPTY: Mapping[str, Any] = {
    "subject": "",
    "importance": "normal",
    "body": {"contentType": "text", "content": ""},
    "toRecipients": [],
    "ccRecipients": [],
    "bccRecipients": [],
    "replyTo": [],
    "categories": [],
    "flag": {"flagStatus": "notFlagged"},
    "inferenceClassification": "focused",
    "isDeliveryReceiptRequested": False,
    "isReadReceiptRequested": False,
    "isRead": True,
}
"""What a message that says nothing has."""


def new_id(kind: str = "AAMkA") -> str:
    """Return an id as long as Exchange's, with the `-`, `_` and `=` that clients must bring back unharmed."""
    told = next(_counter).to_bytes(8, "big") + secrets.token_bytes(93) + b"\xfb\xff\xfe"
    return f"{kind}{base64.urlsafe_b64encode(told).decode()}AAA="


def now() -> str:
    """Return the time as Graph writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@attrs.define(eq=False, kw_only=True)
class File:
    """An attachment.

    Attributes:
        name: Its file name.
        content: Its octets.
        content_type: Its media type.
        inline: Whether the body shows it.
        content_id: By what name the body shows it.
    """

    name: str
    content: bytes = attrs.field(repr=False)
    content_type: str = "application/octet-stream"
    inline: bool = False
    content_id: str = ""
    id: str = attrs.field(factory=new_id)

    def shown(self, *, content: bool = True) -> dict[str, Any]:
        """Return it as Graph shows it, with or without its octets."""
        told: dict[str, Any] = {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "id": self.id,
            "lastModifiedDateTime": now(),
            "name": self.name,
            "contentType": self.content_type,
            "size": len(self.content),
            "isInline": self.inline,
            "contentId": self.content_id or None,
        }
        return {**told, "contentBytes": base64.b64encode(self.content).decode()} if content else told


@attrs.define(eq=False, kw_only=True)
class Item:
    """A draft, a copy in Sent Items, a mail in the Inbox.

    Attributes:
        folder: One of `FOLDERS`.
        fields: What Graph's message has, files and tags aside.
        files: Its attachments.
        properties: Its single-value extended properties, by id.
        mime: Its octets, where it came as MIME and was not changed since.
        id: The id that changes when it moves.
        immutable_id: The one that does not.
        is_draft: Whether it can be changed and sent; a draft may lie in any folder.
        seen_from: The clock's reading from which it can be found.
        seen_until: The one from which it can't any more.
    """

    folder: str
    fields: dict[str, Any]
    files: list[File] = attrs.field(factory=list)
    properties: dict[str, str] = attrs.field(factory=dict)
    mime: bytes | None = attrs.field(default=None, repr=False)
    id: str = attrs.field(factory=new_id)
    immutable_id: str = attrs.field(factory=lambda: new_id("AAkALg"))
    created: str = attrs.field(factory=now)
    is_draft: bool = True
    seen_from: float = 0.0
    seen_until: float = math.inf

    @property
    def message_id(self) -> str:
        """Its internetMessageId."""
        return str(self.fields.get("internetMessageId") or "")

    def named(self, wanted: str) -> bool:
        """Whether *wanted* is one of its ids."""
        return wanted in {self.id, self.immutable_id}

    def shown(self, *, immutable: bool) -> dict[str, Any]:
        """Return it as Graph shows it, without its files and tags."""
        preview = str((self.fields.get("body") or {}).get("content") or "")[:255]
        return {
            "@odata.etag": f'W/"{self.id[-20:]}"',
            "id": self.immutable_id if immutable else self.id,
            "createdDateTime": self.created,
            "lastModifiedDateTime": self.created,
            "receivedDateTime": self.created,
            "sentDateTime": self.created,
            "changeKey": self.id[-20:],
            "hasAttachments": any(not file.inline for file in self.files),
            "bodyPreview": preview,
            "parentFolderId": folder_id(self.folder),
            "conversationId": f"AAQkA{self.immutable_id[-40:]}",
            "isDraft": self.is_draft,
            "webLink": f"https://outlook.office365.com/owa/?ItemID={self.id}",
            **EMPTY,
            **self.fields,
        }


def folder_id(name: str) -> str:
    """Return the id of the folder that is well known as *name*."""
    return f"AAMkAFolder{base64.urlsafe_b64encode(name.encode()).decode()}AAA="


def folder_named(wanted: str) -> str | None:
    """Return the well-known name of the folder that *wanted* is the name or the id of."""
    return next((one for one in FOLDERS if wanted.lower() == one or wanted == folder_id(one)), None)
