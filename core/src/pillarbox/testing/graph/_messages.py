"""Answers whoever writes: drafts are made, changed and removed, mails are sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._http.values import Reply
from ._attachments import file_of
from ._bodies import read_json, require_short
from ._errors import GraphError
from ._items import DRAFTS, Item, folder_named
from ._looking import shown
from ._office import Turn
from ._reading import decoded, item_of
from ._sending import new_message_id, submit

_READ_ONLY = {"id", "isDraft", "hasAttachments", "bodyPreview", "changeKey", "parentFolderId", "webLink"}
_KEEPS_MIME = {
    "internetMessageId",
    "categories",
    "isRead",
    "flag",
    "inferenceClassification",
    "parentFolderId",
}
_PROPERTY = re.compile(
    r"(String|Integer|Boolean|Double|Long|Short|SystemTime|Binary|CLSID) (0x[0-9a-f]{1,8}|\{[0-9a-f-]{36}\} "
    r"(Name .+|Id 0x[0-9a-f]{1,8}))",
    re.IGNORECASE,
)


def send_mail(turn: Turn) -> Reply:
    """Send in one step, from JSON or MIME."""
    require_short(turn)
    if turn.call.media_type == "text/plain":
        submit(turn, item_of(decoded(turn.call.body)))
    else:
        told = read_json(turn, "sendMail")
        keep = told.get("saveToSentItems")
        submit(turn, _item(told["message"]), keep=keep is None or bool(keep))
    return Reply(202)


def draft(turn: Turn) -> Reply:
    """Make a draft, from JSON or MIME."""
    require_short(turn)
    folder = folder_named(turn.route.folder or DRAFTS)
    if folder is None:
        raise GraphError(404, "ErrorItemNotFound")
    mime = turn.call.media_type == "text/plain"
    item = item_of(decoded(turn.call.body)) if mime else _item(read_json(turn, "draft"))
    item.folder = folder
    item.fields["internetMessageId"] = item.message_id or new_message_id(turn.mailbox)
    turn.mailbox.items.append(item)
    return shown(turn, item, 201)


def patch(turn: Turn) -> Reply:
    """Change a draft, or of another message what may be."""
    item = turn.item()
    require_short(turn)
    told = read_json(turn, "patch")
    if "attachments" in told:
        raise GraphError(400, "ErrorInvalidRequest", "Attachments are added and removed one by one.")
    tags = _properties(told.pop("singleValueExtendedProperties", None))
    fields = {name: one for name, one in told.items() if name not in _READ_ONLY and not name.startswith("@")}
    if not item.is_draft and not set(fields) <= _KEEPS_MIME - {"internetMessageId"}:
        raise GraphError(
            400, "ErrorInvalidPropertySet", "Of a message that is no draft this can't be changed."
        )
    item.properties |= tags
    item.fields |= fields
    if item.is_draft and not set(fields) <= _KEEPS_MIME:
        item.mime = None
    return shown(turn, item)


def delete(turn: Turn) -> Reply:
    """Remove a message."""
    turn.mailbox.items.remove(turn.item())
    return Reply(204)


def send(turn: Turn) -> Reply:
    """Send a draft."""
    if turn.call.body.strip() not in {b"", b"{}"}:
        raise GraphError(400, "BadRequest", "Sending a draft takes no body.")
    submit(turn, turn.draft())
    return Reply(202)


def _item(message: Mapping[str, Any]) -> Item:
    """Return the draft that *message* describes.

    Raises:
        GraphError: A header, a tag or an attachment is not as it must be; 400.
    """
    told = {name: one for name, one in message.items() if name not in _READ_ONLY and not name.startswith("@")}
    attached = [file_of(one) for one in told.pop("attachments", None) or []]
    tags = _properties(told.pop("singleValueExtendedProperties", None))
    for header in told.get("internetMessageHeaders") or []:
        if not str(header.get("name", "")).lower().startswith("x-"):
            raise GraphError(
                400,
                "InvalidInternetMessageHeader",
                f"The internet message header name '{header.get('name')}' should start with 'x-' or 'X-'.",
            )
    return Item(folder=DRAFTS, fields=told, files=attached, properties=tags)


def _properties(told: list[Mapping[str, str]] | None) -> dict[str, str]:
    tags = {str(one.get("id")): str(one.get("value") or "") for one in told or []}
    for name in tags:
        if not _PROPERTY.fullmatch(name):
            raise GraphError(400, "ErrorInvalidRequest", f"The extended property's id {name!r} is not valid.")
    return tags
