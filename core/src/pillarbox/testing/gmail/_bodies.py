"""Reading what a request brings: JSON held against its schema, base64url, and a message after JSON (multipart)."""

from __future__ import annotations

import base64
import fnmatch
import itertools
import json
import re
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

import attrs

from .._http.values import Call
from ._api import Api, Method
from ._errors import Refused

_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": (int, str),
    "boolean": bool,
    "number": (int, float, str),
}


@attrs.frozen
class Brought:
    """What a request brings: the JSON, and the message, from within the JSON or beside it; None where there is none."""

    said: Mapping[str, Any]
    raw: bytes | None = attrs.field(repr=False)


def json_body(body: bytes, schema: str, api: Api) -> dict[str, Any]:
    """Return *body* as JSON that *schema* allows.

    Raises:
        Refused: 400, for what is no JSON, an unknown field, a wrong type.
    """
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused("invalid", f"Invalid JSON payload received. {error}") from None
    _check(said, f"#{schema}", "", api)
    return dict(said)


def _check(value: Any, kind: str, where: str, api: Api) -> None:
    """Hold *value* against the type *kind*; null stands for nothing."""
    if value is None and where:
        return
    if kind.startswith("["):
        _require(value, list, kind, where)
        for at, one in enumerate(value):
            _check(one, kind[1:-1], f"{where}[{at}]", api)
    elif kind.startswith("#"):
        _require(value, dict, kind, where)
        for name, one in value.items():
            known = api.schemas[kind[1:]].get(name)
            if known is None:
                place = f" at '{where}'" if where else ""
                raise Refused(
                    "invalid",
                    f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.',
                )
            _check(one, known, f"{where}.{name}".lstrip("."), api)
    else:
        _require(value, _KINDS.get(kind.partition(":")[0], str), kind, where)


def _require(value: Any, wanted: type | tuple[type, ...], kind: str, where: str) -> None:
    if not isinstance(value, wanted):
        raise Refused("invalid", f"Invalid value at '{where}' ({kind}), {json.dumps(value)[:80]}")


def message_of(said: Mapping[str, Any], method: Method) -> Mapping[str, Any]:
    """Return the part of a body that is the message: a draft wraps it."""
    found: Mapping[str, Any] = said.get("message") or {} if method.request == "Draft" else said
    return found


def brought(call: Call, method: Method, api: Api, *, by_upload: bool) -> Brought:
    """Return what *call* brings, in whichever of the ways that are whole in one request.

    Raises:
        Refused: 400, for what can't be read; 413, for a message that is too large.
    """
    if not by_upload:
        return _in_json(call, method, api)
    way = call.asked.get("uploadType", "")
    if way == "media":
        _require_accepted(call.media_type, method)
        return sized(Brought({}, call.body), method)
    if way == "multipart":
        return sized(_multipart(call, method, api), method)
    raise Refused("badRequest", f"uploadType is media, multipart or resumable, not {way!r}.")


def _in_json(call: Call, method: Method, api: Api) -> Brought:
    if call.body and call.media_type != "application/json":
        raise Refused("badRequest", f"Media type '{call.media_type}' is not supported. Use application/json.")
    said = json_body(call.body, method.request, api)
    raw = message_of(said, method).get("raw")
    return sized(Brought(said, None if raw is None else _decoded(raw)), method)


def _decoded(raw: str) -> bytes:
    """Decode base64url, with or without its padding.

    Raises:
        Refused: 400, for the other alphabet, for line ends, for a letter too many.
    """
    letters = raw.encode("ascii", "replace").rstrip(b"=")
    if len(letters) % 4 == 1 or not _BASE64URL.fullmatch(letters):
        raise Refused("invalidArgument", f"Invalid value for ByteString: {raw[:40]}")
    return base64.urlsafe_b64decode(letters + b"=" * (-len(letters) % 4))


def sized(one: Brought, method: Method) -> Brought:
    """Return *one*.

    Raises:
        Refused: 413, where its message is larger than *method* takes.
    """
    if method.upload and len(one.raw or b"") > method.upload.size:
        raise Refused("uploadTooLarge")
    return one


def _require_accepted(media_type: str, method: Method) -> None:
    accepted = method.upload.accept if method.upload else ()
    if not any(fnmatch.fnmatchcase(media_type, pattern) for pattern in accepted):
        known = ", ".join(accepted)
        raise Refused(
            "badRequest", f"Media type '{media_type}' is not supported. Valid media types: [{known}]"
        )


def announced(call: Call, method: Method, api: Api) -> tuple[Mapping[str, Any], int | None]:
    """Return the JSON that begins a resumable upload, and the size it announces, None where it does not.

    Raises:
        Refused: 400, for what can't be read; 413, for a size that is too large.
    """
    _require_accepted(call.headers.get("x-upload-content-type", "message/rfc822"), method)
    size = call.headers.get("x-upload-content-length", "")
    if size and not (size.isascii() and size.isdigit()):
        raise Refused("badRequest", "X-Upload-Content-Length is no number.")
    if method.upload and size and int(size[:20]) > method.upload.size:
        raise Refused("uploadTooLarge")
    return json_body(call.body, method.request, api), int(size[:20]) if size else None


def _multipart(call: Call, method: Method, api: Api) -> Brought:
    """Take multipart/related apart: JSON first, then the message (RFC 2387)."""
    header = Message()
    header["Content-Type"] = call.headers.get("content-type", "")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/related" or not boundary:
        raise Refused("badRequest", "A multipart upload is multipart/related, with a boundary.")
    parts = [_part(octets) for octets in _split(call.body, boundary.encode())]
    if len(parts) != 2:
        raise Refused("badRequest", f"Multipart must have exactly two parts, not {len(parts)}.")
    (first, metadata), (second, media) = parts
    if first.get_content_type() != "application/json":
        raise Refused("badRequest", "The first part of a multipart upload is application/json.")
    _require_accepted(second.get_content_type(), method)
    return Brought(json_body(metadata, method.request, api), media)


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what stands between the delimiters; nothing where the last one is missing."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    found = list(delimiter.finditer(body))
    if not found or found[-1][1] is None:
        return []
    pairs = itertools.pairwise(found)
    return [re.sub(rb"\A\r?\n", b"", body[one.end() : two.start()]) for one, two in pairs]


def _part(octets: bytes) -> tuple[Message, bytes]:
    """Return the header of one part and its content, decoded if it is in base64."""
    end = re.search(rb"(?:\A|\r?\n)\r?\n", octets)
    if end is None:
        raise Refused("badRequest", "A part of the multipart upload has no empty line.")
    header, content = BytesHeaderParser().parsebytes(octets[: end.start()]), octets[end.end() :]
    if header.get("Content-Transfer-Encoding", "").strip().lower() == "base64":
        content = base64.b64decode(content)
    return header, content
