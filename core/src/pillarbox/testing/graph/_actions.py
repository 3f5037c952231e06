"""Who answers which action of a route."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._http.values import Reply
from . import _attachments, _looking, _messages
from ._office import Turn

ACTIONS: Mapping[str, Callable[[Turn], Reply]] = {
    "attach": _attachments.attach,
    "delete": _messages.delete,
    "draft": _messages.draft,
    "drop": _attachments.drop,
    "file": _attachments.file,
    "files": _attachments.files,
    "folder": _looking.folder,
    "get": _looking.get,
    "list": _looking.listed,
    "me": _looking.me,
    "octets": _attachments.octets,
    "patch": _messages.patch,
    "raw": _looking.raw,
    "send": _messages.send,
    "sendMail": _messages.send_mail,
    "session": _attachments.session,
}
"""By the name that `Route.action` has."""
