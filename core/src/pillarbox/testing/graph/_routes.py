"""What a request asks for, read from its method and path alone."""

from __future__ import annotations

import re
from typing import Any

import attrs

from .._http.values import Call
from ._errors import GraphError

STEPS = ("me", "draft", "get", "patch", "delete", "attach", "session", "range", "send", "sendMail", "list")
"""What a request can be; faults are planned for these."""
_KEYED = re.compile(r"(\w+)\('(.*)'\)", re.DOTALL)
_MESSAGE = {"GET": "get", "PATCH": "patch", "DELETE": "delete"}


@attrs.frozen(kw_only=True)
class Route:
    """What a request asks for.

    Attributes:
        step: One of `STEPS`.
        action: The step, or what is done of several that share its name: `raw`, `files`, `file`, `drop` ...
        owner: The mailbox: an address, an id, "" for `/me`.
        folder: The mail folder as it was named, "" for none.
        message: The message's id.
        file: The attachment's id, or the upload session's.
    """

    step: str
    action: str
    owner: str = ""
    folder: str = ""
    message: str = ""
    file: str = ""


def read(call: Call) -> Route:
    """Return what *call* asks for.

    Raises:
        GraphError: Nothing that there is.
    """
    parts = _parts(call)
    if parts[:2] == ["api", "gv1.0"]:
        return _upload(call, parts[2:])
    if not parts or parts[0] != "v1.0":
        raise GraphError(404, "UnknownError", "There is no such version; use /v1.0.")
    owner, rest = _owner(parts[1:])
    return _of_mailbox(call, owner, rest)


def _parts(call: Call) -> list[str]:
    """Return the segments of the path, with `users('x')` as `users`, `x`, and functions without their namespace."""
    parts: list[str] = []
    for segment in call.segments:
        keyed = _KEYED.fullmatch(segment)
        parts += keyed.groups() if keyed else [segment.removeprefix("microsoft.graph.")]
    return parts


def _owner(parts: list[str]) -> tuple[str, list[str]]:
    match [part.lower() for part in parts[:1]]:
        case ["me"]:
            return "", parts[1:]
        case ["users"] if len(parts) > 1:
            return parts[1], parts[2:]
    raise _missing(parts)


def _of_mailbox(call: Call, owner: str, parts: list[str]) -> Route:
    names = [part.lower() for part in parts]
    known: dict[str, Any] = {"owner": owner}
    match names:
        case []:
            return _by_method(call, {"GET": "me"}, **known)
        case ["sendmail"]:
            return _by_method(call, {"POST": "sendMail"}, **known)
        case ["mailfolders", _]:
            return Route(step=_step(call, {"GET": "get"}), action="folder", folder=parts[1], **known)
        case ["mailfolders", _, *_]:
            known["folder"], parts, names = parts[1], parts[2:], names[2:]
    match names:
        case ["messages"]:
            return _by_method(call, {"GET": "list", "POST": "draft"}, **known)
        case ["messages", _, *_]:
            return _of_message(call, parts[2:], {**known, "message": parts[1]})
    raise _missing(parts)


def _of_message(call: Call, parts: list[str], known: dict[str, Any]) -> Route:
    match [part.lower() for part in parts]:
        case []:
            return _by_method(call, _MESSAGE, **known)
        case ["send"]:
            return _by_method(call, {"POST": "send"}, **known)
        case ["$value"]:
            return Route(step=_step(call, {"GET": "get"}), action="raw", **known)
        case ["attachments"]:
            step = _step(call, {"GET": "get", "POST": "attach"})
            return Route(step=step, action="files" if step == "get" else step, **known)
        case ["attachments", "createuploadsession"]:
            return _by_method(call, {"POST": "session"}, **known)
        case ["attachments", _]:
            step = _step(call, {"GET": "get", "DELETE": "delete"})
            return Route(step=step, action="file" if step == "get" else "drop", file=parts[1], **known)
        case ["attachments", _, "$value"]:
            return Route(step=_step(call, {"GET": "get"}), action="octets", file=parts[1], **known)
    raise _missing(parts)


def _upload(call: Call, parts: list[str]) -> Route:
    match parts:
        case [_, owner, _, message, "AttachmentSessions", session]:
            actions = {"PUT": "range", "GET": "progress", "DELETE": "give up"}
            action = _step(call, actions)
            step = "range" if action == "range" else "session"
            return Route(step=step, action=action, owner=owner, message=message, file=session)
    raise _missing(parts)


def _by_method(call: Call, steps: dict[str, str], **known: Any) -> Route:
    step = _step(call, steps)
    return Route(step=step, action=step, **known)


def _step(call: Call, steps: dict[str, str]) -> str:
    if call.method not in steps:
        raise GraphError(
            405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
        )
    return steps[call.method]


def _missing(parts: list[str]) -> GraphError:
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{'/'.join(parts) or '/'}'.")
