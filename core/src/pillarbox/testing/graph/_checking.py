"""Holds the body of a request against a schema: Microsoft's published one if there is one, else the fields known here."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ._errors import GraphError

Schema = Mapping[str, Any]


def _object(fields: Mapping[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}


def _named(schema: Schema, names: str) -> dict[str, Schema]:
    return dict.fromkeys(names.split(), schema)


_PERSON = _object({"emailAddress": _object(_named(_TEXT, "address name"))})
_BODY = _object({"contentType": {"enum": ["text", "html"]}, "content": _TEXT})
_FILE = _object(
    {
        **_named(_TEXT, "id name contentType contentBytes contentId contentLocation lastModifiedDateTime"),
        "isInline": _FLAG,
        "size": _NUMBER,
    }
)
_TAG = _object(_named(_TEXT, "id value"), "id", "value")
_MESSAGE = _object(
    {
        **_named(_PERSON, "from sender"),
        **_named(_list(_PERSON), "toRecipients ccRecipients bccRecipients replyTo"),
        **_named(
            _TEXT, "id subject internetMessageId bodyPreview changeKey conversationId conversationIndex"
        ),
        **_named(_TEXT, "createdDateTime lastModifiedDateTime receivedDateTime sentDateTime"),
        **_named(_TEXT, "parentFolderId webLink"),
        **_named(_FLAG, "hasAttachments isDeliveryReceiptRequested isDraft isRead isReadReceiptRequested"),
        **_named(_BODY, "body uniqueBody"),
        "importance": {"enum": ["low", "normal", "high"]},
        "inferenceClassification": {"enum": ["focused", "other"]},
        "flag": _object({"flagStatus": {"enum": ["notFlagged", "complete", "flagged"]}}),
        "categories": _list(_TEXT),
        "internetMessageHeaders": _list(_object(_named(_TEXT, "name value"))),
        "attachments": _list(_FILE),
        "singleValueExtendedProperties": _list(_TAG),
    }
)
_UPLOAD = _object(
    {
        **_named(_TEXT, "name contentType contentId"),
        "attachmentType": {"enum": ["file", "item", "reference"]},
        "size": _NUMBER,
        "isInline": _FLAG,
    },
    "attachmentType",
    "name",
    "size",
)
KNOWN: Mapping[str, Schema] = {
    "sendMail": _object({"message": _MESSAGE, "saveToSentItems": _FLAG}, "message"),
    "draft": _MESSAGE,
    "patch": _MESSAGE,
    "attach": _FILE,
    "session": _object({"AttachmentItem": _UPLOAD}, "AttachmentItem"),
}
"""The bodies in JSON, step by step, as far as the fake knows their fields."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
}


_UNREADABLE = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."


class Checker:
    """Reads bodies, and refuses what the schema of their step does not allow.

    Names that begin with `@odata.` are annotations and no fields, and the case of an enumeration's word is free, as
    on the real service.

    Args:
        schemas: A JSON Schema for each step that has a body in JSON, in the place of `KNOWN`; needs `jsonschema`.
    """

    def __init__(self, schemas: Mapping[str, Schema] | None = None) -> None:
        self._schemas = schemas or {}

    def read(self, octets: bytes, step: str) -> dict[str, Any]:
        """Return the body in *octets*.

        Raises:
            GraphError: It is no JSON, or not what *step* takes; 400.
        """
        try:
            body = _canonical(_loaded(octets), step)
            problem = next(self._problems(_without_annotations(body), step), None)
        except (ValueError, RecursionError):
            raise GraphError(400, "BadRequest", _UNREADABLE) from None
        if problem or not isinstance(body, dict):
            raise GraphError(400, "RequestBodyRead", problem or "The body must be an object.")
        return body

    def _problems(self, body: Any, step: str) -> Iterator[str]:
        if step in self._schemas:
            return _by_library(body, self._schemas[step])
        return _problems(body, KNOWN[step], "the body")


def _loaded(octets: bytes) -> Any:
    """Return what *octets* say.

    Raises:
        ValueError: It is no JSON, or holds half of a pair of surrogates.
    """
    body = json.loads(octets)
    json.dumps(body, ensure_ascii=False).encode()
    return body


def _canonical(body: Any, step: str) -> Any:
    """Return *body* with the parameters of an action named as they are published; OData takes any case for those."""
    published = {"sendMail": ("message", "saveToSentItems"), "session": ("AttachmentItem",)}.get(step, ())
    names = {name.lower(): name for name in published}
    return {names.get(key.lower(), key): one for key, one in body.items()} if isinstance(body, dict) else body


def _without_annotations(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_annotations(one) for one in value]
    if isinstance(value, dict):
        return {
            name: _without_annotations(one) for name, one in value.items() if not name.startswith("@odata.")
        }
    return value


def _problems(value: Any, schema: Schema, where: str) -> Iterator[str]:
    """Say what of *value* is not as *schema* wants it; null stands for anything."""
    if value is None and where != "the body":
        return
    if "enum" in schema:
        if not _chosen(value, schema["enum"]):
            yield f"{value!r} at {where} is not one of {', '.join(schema['enum'])}."
    elif not isinstance(value, _KINDS[schema["type"]]) or (
        isinstance(value, bool) and schema["type"] != "boolean"
    ):
        yield f"{where} must be of type {schema['type']}, not {value!r}."
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _problems(one, schema["items"], f"{where}/{number}")
    elif isinstance(value, dict):
        yield from _of_object(value, schema, where)


def _of_object(value: dict[str, Any], schema: Schema, where: str) -> Iterator[str]:
    for name in schema["required"]:
        if value.get(name) is None:
            yield f"{where} lacks {name}."
    for name, one in value.items():
        if name in schema["properties"]:
            yield from _problems(one, schema["properties"][name], f"{where}/{name}")
        else:
            yield (
                f"The property '{name}' does not exist at {where}. Make sure to only use property names that are"
                " defined by the type."
            )


def _chosen(value: Any, words: list[Any]) -> bool:
    return isinstance(value, str) and value.lower() in {
        str(word).lower() for word in words if word is not None
    }


def _by_library(body: Any, schema: Schema) -> Iterator[str]:
    """Say what PyPI's jsonschema finds."""
    for problem in _library()(schema).iter_errors(body):
        yield f"{problem.json_path}: {problem.message}"[:2000]


@functools.cache
def _library() -> Any:
    """Return jsonschema's validator, with the case of an enumeration's word left free.

    Raises:
        ImportError: It is not installed.
    """
    library: Any = importlib.import_module("jsonschema")

    def enum(_: Any, words: list[Any], value: Any, __: Any) -> Iterator[Exception]:
        if value not in words and not _chosen(value, words):
            yield library.ValidationError(f"{value!r} is not one of {words!r}")

    def const(validator: Any, word: Any, value: Any, of: Any) -> Iterator[Exception]:
        return enum(validator, [word], value, of)

    return library.validators.extend(library.Draft7Validator, {"enum": enum, "const": const})
