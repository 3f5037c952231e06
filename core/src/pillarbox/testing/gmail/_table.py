"""The part of Google's discovery document that the fake serves, for use without it; a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping

ACCEPT = ("message/*",)
SIZE = 36_700_160
"""35 MiB: the largest message."""

_ALL = "https://mail.google.com/"
_COMPOSING = f"{_ALL} gmail.addons.current.action.compose gmail.compose gmail.modify"
_READING = f"{_ALL} gmail.modify gmail.readonly"
_ONE = (
    "gmail.addons.current.message.action gmail.addons.current.message.metadata"
    " gmail.addons.current.message.readonly gmail.metadata"
)
_FORMAT = "minimal|full|raw|metadata"
_PAGING = {
    "includeSpamTrash": "boolean",
    "maxResults": "integer:uint32",
    "pageToken": "string",
    "q": "string",
}

METHODS: Mapping[str, tuple[str, str, str, Mapping[str, str], str, *tuple[int, ...]]] = {
    "getProfile": ("GET", "profile", f"{_READING} gmail.compose gmail.metadata", {}, ""),
    "messages.send": ("POST", "messages/send", f"{_COMPOSING} gmail.send", {}, "Message", SIZE),
    "messages.list": (
        "GET",
        "messages",
        f"{_READING} gmail.metadata",
        {**_PAGING, "labelIds": "[string]"},
        "",
    ),
    "messages.get": (
        "GET",
        "messages/{id}",
        f"{_READING} {_ONE}",
        {"format": _FORMAT, "metadataHeaders": "[string]"},
        "",
    ),
    "drafts.create": ("POST", "drafts", _COMPOSING, {}, "Draft", SIZE),
    "drafts.get": ("GET", "drafts/{id}", f"{_READING} gmail.compose", {"format": _FORMAT}, ""),
    "drafts.list": ("GET", "drafts", f"{_READING} gmail.compose", _PAGING, ""),
    "drafts.send": ("POST", "drafts/send", _COMPOSING, {}, "Draft", SIZE),
    "drafts.delete": ("DELETE", "drafts/{id}", _COMPOSING, {}, ""),
    "settings.sendAs.list": ("GET", "settings/sendAs", f"{_READING} gmail.settings.basic", {}, ""),
}
"""Name -> verb, path, scopes, parameters of the query, schema of the body, size of an upload where it takes one."""

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "Draft": {"id": "string", "message": "#Message"},
    "Message": {
        "classificationLabelValues": "[#ClassificationLabelValue]",
        "historyId": "string:uint64",
        "id": "string",
        "internalDate": "string:int64",
        "labelIds": "[string]",
        "payload": "#MessagePart",
        "raw": "string:byte",
        "sizeEstimate": "integer:int32",
        "snippet": "string",
        "threadId": "string",
    },
    "MessagePart": {
        "body": "#MessagePartBody",
        "filename": "string",
        "headers": "[#MessagePartHeader]",
        "mimeType": "string",
        "partId": "string",
        "parts": "[#MessagePart]",
    },
    "MessagePartBody": {"attachmentId": "string", "data": "string:byte", "size": "integer:int32"},
    "MessagePartHeader": {"name": "string", "value": "string"},
    "ClassificationLabelValue": {"fields": "[#ClassificationLabelFieldValue]", "labelId": "string"},
    "ClassificationLabelFieldValue": {"fieldId": "string", "selection": "string"},
}
"""What a body is made of."""

PARAMETERS = (
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
)
"""What every query may have."""
