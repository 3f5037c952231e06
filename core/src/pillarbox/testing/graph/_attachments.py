"""Answers what is asked of attachments: small ones, the beginning of a large one, looking, removing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from .._http.values import Reply
from . import _queries as queries
from ._bodies import base, read_json, require_short
from ._errors import GraphError
from ._items import File
from ._manners import MIB
from ._office import Turn
from ._uploads import begun

ATTACHMENT_OCTETS = 3 * MIB
"""An attachment that comes by one POST is smaller."""


def attach(turn: Turn) -> Reply:
    """Add a small attachment to a draft."""
    item = turn.draft()
    require_short(turn, ATTACHMENT_OCTETS * 4 // 3 + 100_000, "ErrorAttachmentSizeLimitExceeded")
    file = file_of(read_json(turn, "attach"))
    if len(file.content) >= ATTACHMENT_OCTETS:
        raise GraphError(413, "ErrorAttachmentSizeLimitExceeded", "Use an upload session from 3 MB on.")
    item.files.append(file)
    item.mime = None
    context = {"@odata.context": f"{base(turn)}/$metadata#attachments/$entity"}
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
    return Reply(200, _named(turn).content, {"Content-Type": "application/octet-stream"})


def drop(turn: Turn) -> Reply:
    """Remove an attachment from a draft."""
    item = turn.draft()
    item.files.remove(_named(turn))
    item.mime = None
    return Reply(204)


def session(turn: Turn) -> Reply:
    """Begin the upload of a large attachment."""
    upload = begun(turn.draft(), read_json(turn, "session")["AttachmentItem"], turn.office.clock())
    turn.office.uploads[upload.id] = upload
    address = (
        f"{turn.office.url()}/api/gv1.0/users('{turn.mailbox.id}')/messages('{turn.route.message}')"
        f"/AttachmentSessions('{upload.id}')?authtoken={upload.secret}"
    )
    context = {"@odata.context": f"{base(turn)}/$metadata#microsoft.graph.uploadSession"}
    return Reply.json({**context, "uploadUrl": address, **upload.progress(first=True)}, 201)


def file_of(told: Mapping[str, Any]) -> File:
    """Return the attachment that *told* is, a `fileAttachment` of Graph's.

    Raises:
        GraphError: It is none; 400.
    """
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


def _named(turn: Turn) -> File:
    for found in turn.item().files:
        if found.id == turn.route.file:
            return found
    raise GraphError(404, "ErrorItemNotFound")
