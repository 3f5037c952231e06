"""Answers what is asked of messages: drafts, their attachments, sending, looking."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .._http.values import Reply
from . import _queries as queries
from ._errors import GraphError
from ._items import DRAFTS, File, Item, folder_id, folder_named
from ._manners import MIB
from ._office import Turn
from ._reading import decoded, item_of
from ._sending import new_message_id, pictured, submit
from ._uploads import begun

REQUEST_OCTETS = 4 * MIB
"""The longest request, base64 and JSON included."""
ATTACHMENT_OCTETS = 3 * MIB
"""An attachment that comes by one POST is smaller."""
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


def me(turn: Turn) -> Reply:
    """The owner of the mailbox."""
    person = turn.mailbox.person()
    if "proxyaddresses" in turn.call.asked.get("$select", "").lower():
        person["proxyAddresses"] = turn.mailbox.addresses()
    context = {"@odata.context": f"{_base(turn)}/$metadata#users/$entity"}
    return Reply.json({**context, **queries.selected(person, turn.call.asked)})


def send_mail(turn: Turn) -> Reply:
    """Send in one step, from JSON or MIME."""
    _require_short(turn)
    if turn.call.media_type == "text/plain":
        submit(turn, item_of(decoded(turn.call.body)))
    else:
        told = _json(turn, "sendMail")
        keep = told.get("saveToSentItems")
        submit(turn, _item(told["message"]), keep=keep is None or bool(keep))
    return Reply(202)


def draft(turn: Turn) -> Reply:
    """Make a draft, from JSON or MIME."""
    _require_short(turn)
    folder = folder_named(turn.route.folder or DRAFTS)
    if folder is None:
        raise GraphError(404, "ErrorItemNotFound")
    mime = turn.call.media_type == "text/plain"
    item = item_of(decoded(turn.call.body)) if mime else _item(_json(turn, "draft"))
    item.folder = folder
    item.fields.setdefault("internetMessageId", new_message_id(turn.mailbox))
    turn.mailbox.items.append(item)
    return _shown(turn, item, 201)


def patch(turn: Turn) -> Reply:
    """Change a draft, or of another message what may be."""
    item = turn.item()
    _require_short(turn)
    told = _json(turn, "patch")
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
    return _shown(turn, item)


def get(turn: Turn) -> Reply:
    """One message."""
    queries.require_known(turn.call.asked)
    return _shown(turn, turn.item())


def raw(turn: Turn) -> Reply:
    """One message as MIME."""
    item = turn.item()
    octets = item.mime if item.mime is not None else pictured(turn.mailbox, item).content
    return Reply(200, octets, {"Content-Type": "text/plain"})


def delete(turn: Turn) -> Reply:
    """Remove a message."""
    turn.mailbox.items.remove(turn.item())
    return Reply(204)


def folder(turn: Turn) -> Reply:
    """One of the folders that there are."""
    name = folder_named(turn.route.folder)
    if name is None:
        raise GraphError(404, "ErrorItemNotFound")
    inside = sum(item.folder == name for item in turn.office.visible(turn.mailbox))
    told = {"id": folder_id(name), "displayName": name, "totalItemCount": inside, "unreadItemCount": 0}
    return Reply.json({"@odata.context": f"{_base(turn)}/$metadata#mailFolders/$entity", **told})


def listed(turn: Turn) -> Reply:
    """The messages of a folder, or of all."""
    asked = turn.call.asked
    queries.require_known(asked)
    found = queries.wanted(_in_folder(turn), asked)
    skip, top = queries.page(asked)
    told: dict[str, Any] = {"@odata.context": f"{_base(turn)}/$metadata#users('me')/messages"}
    if asked.get("$count", "").lower() == "true":
        told["@odata.count"] = len(found)
    if len(found) > skip + top:
        path = quote(turn.call.path, safe="/")
        told["@odata.nextLink"] = f"{turn.office.url()}{path}?{urlencode({**asked, '$skip': skip + top})}"
    told["value"] = [_told(turn, item) for item in found[skip : skip + top]]
    return Reply.json(told, headers=turn.headers)


def send(turn: Turn) -> Reply:
    """Send a draft."""
    if turn.call.body.strip() not in {b"", b"{}"}:
        raise GraphError(400, "BadRequest", "Sending a draft takes no body.")
    submit(turn, turn.draft())
    return Reply(202)


def attach(turn: Turn) -> Reply:
    """Add a small attachment to a draft."""
    item = turn.draft()
    _require_short(turn, ATTACHMENT_OCTETS * 4 // 3 + 100_000, "ErrorAttachmentSizeLimitExceeded")
    file = _file(_json(turn, "attach"))
    if len(file.content) >= ATTACHMENT_OCTETS:
        raise GraphError(413, "ErrorAttachmentSizeLimitExceeded", "Use an upload session from 3 MB on.")
    item.files.append(file)
    item.mime = None
    context = {"@odata.context": f"{_base(turn)}/$metadata#attachments/$entity"}
    return Reply.json({**context, **file.shown()}, 201)


def files(turn: Turn) -> Reply:
    """The attachments of a message."""
    return Reply.json(
        {"value": [queries.selected(one.shown(), turn.call.asked) for one in turn.item().files]}
    )


def file(turn: Turn) -> Reply:
    """One attachment."""
    return Reply.json(queries.selected(_named(turn).shown(), turn.call.asked))


def octets(turn: Turn) -> Reply:
    """The octets of one attachment."""
    found = _named(turn)
    return Reply(200, found.content, {"Content-Type": found.content_type})


def drop(turn: Turn) -> Reply:
    """Remove an attachment from a draft."""
    item = turn.draft()
    item.files.remove(_named(turn))
    item.mime = None
    return Reply(204)


def session(turn: Turn) -> Reply:
    """Begin the upload of a large attachment."""
    upload = begun(turn.draft(), _json(turn, "session")["AttachmentItem"], turn.office.clock())
    turn.office.uploads[upload.id] = upload
    address = (
        f"{turn.office.url()}/api/gv1.0/users('{turn.mailbox.id}')/messages('{turn.route.message}')"
        f"/AttachmentSessions('{upload.id}')?authtoken={upload.secret}"
    )
    context = {"@odata.context": f"{_base(turn)}/$metadata#microsoft.graph.uploadSession"}
    return Reply.json({**context, "uploadUrl": address, **upload.progress(first=True)}, 201)


ACTIONS: Mapping[str, Callable[[Turn], Reply]] = {
    "attach": attach,
    "delete": delete,
    "draft": draft,
    "drop": drop,
    "file": file,
    "files": files,
    "folder": folder,
    "get": get,
    "list": listed,
    "me": me,
    "octets": octets,
    "patch": patch,
    "raw": raw,
    "send": send,
    "sendMail": send_mail,
    "session": session,
}
"""Who answers what."""


def _base(turn: Turn) -> str:
    return f"{turn.office.url()}/v1.0"


def _require_short(turn: Turn, most: int = REQUEST_OCTETS, code: str = "ErrorMessageSizeExceeded") -> None:
    if len(turn.call.body) > most:
        raise GraphError(413, code, "Maximum request length exceeded.")


def _json(turn: Turn, step: str) -> dict[str, Any]:
    if turn.call.media_type != "application/json":
        raise GraphError(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    return turn.office.checker.read(turn.call.body, step)


def _item(message: Mapping[str, Any]) -> Item:
    """Return the draft that *message* describes.

    Raises:
        GraphError: A header, a tag or an attachment is not as it must be; 400.
    """
    told = {name: one for name, one in message.items() if name not in _READ_ONLY and not name.startswith("@")}
    attached = [_file(one) for one in told.pop("attachments", None) or []]
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
    tags = {str(one.get("id")): str(one.get("value")) for one in told or []}
    for name in tags:
        if not _PROPERTY.fullmatch(name):
            raise GraphError(400, "ErrorInvalidRequest", f"The extended property's id {name!r} is not valid.")
    return tags


def _file(told: Mapping[str, Any]) -> File:
    kind = str(told.get("@odata.type", "")).removeprefix("#").lower()
    if kind != "microsoft.graph.fileattachment":
        raise GraphError(
            400,
            "RequestBodyRead",
            "The property 'contentBytes' does not exist on type 'microsoft.graph.attachment'; name the @odata.type"
            " #microsoft.graph.fileAttachment, the one that the fake knows.",
        )
    try:
        content = base64.b64decode(told.get("contentBytes") or "", validate=True)
    except (binascii.Error, ValueError):
        raise GraphError(400, "RequestBodyRead", "contentBytes is no base64.") from None
    if not told.get("name"):
        raise GraphError(400, "ErrorRequiredPropertyMissing", "Required property 'name' is missing.")
    return File(
        name=told["name"],
        content=content,
        content_type=told.get("contentType") or "application/octet-stream",
        inline=bool(told.get("isInline")),
        content_id=told.get("contentId") or "",
    )


def _in_folder(turn: Turn) -> list[Item]:
    items = turn.office.visible(turn.mailbox)
    if not turn.route.folder:
        return items
    name = folder_named(turn.route.folder)
    if name is None:
        raise GraphError(404, "ErrorItemNotFound")
    return [item for item in items if item.folder == name]


def _named(turn: Turn) -> File:
    for found in turn.item().files:
        if found.id == turn.route.file:
            return found
    raise GraphError(404, "ErrorItemNotFound")


def _told(turn: Turn, item: Item) -> dict[str, Any]:
    """Return what the client is shown of *item*."""
    shown = item.shown(immutable=turn.immutable)
    return {**queries.selected(shown, turn.call.asked), **queries.expanded(item, turn.call.asked)}


def _shown(turn: Turn, item: Item, status: int = 200) -> Reply:
    context = {"@odata.context": f"{_base(turn)}/$metadata#users('me')/messages/$entity"}
    return Reply.json({**context, **_told(turn, item)}, status, turn.headers)
