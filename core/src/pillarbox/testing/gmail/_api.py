"""What Gmail's interface is: its methods with their paths, scopes, parameters, bodies and limits, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import attrs

from . import _table

PREFIX = "https://www.googleapis.com/auth/"


def full_scope(scope: str) -> str:
    """Return `gmail.send` as the address that names it; whole addresses and other words stay as they are."""
    return PREFIX + scope if scope.startswith("gmail.") else scope


@attrs.frozen
class Upload:
    """How a method takes a message that is not wrapped in JSON.

    Attributes:
        simple: The path for a whole one, alone or with JSON before it.
        resumable: The path that begins one in chunks.
        accept: The media types it may have, `message/*`.
        size: Its most octets.
    """

    simple: str
    resumable: str
    accept: tuple[str, ...]
    size: int


@attrs.frozen
class Method:
    """One method.

    Attributes:
        id: `gmail.users.messages.send`.
        verb: `POST`.
        path: `gmail/v1/users/{userId}/messages/send`.
        scopes: Any of them is enough, as whole addresses.
        parameters: Those of the query: name -> type, in brackets if it may be repeated; of an enumeration its values
            between bars.
        request: The name of the body's schema, "" without a body.
        upload: None where it takes only JSON.
    """

    id: str
    verb: str
    path: str
    scopes: frozenset[str]
    parameters: Mapping[str, str]
    request: str
    upload: Upload | None


@attrs.frozen
class Found:
    """A method that a path led to.

    Attributes:
        method: Which.
        values: What stood in the path: `{"userId": "me"}`.
        by_upload: Whether it was one of the paths for uploads.
    """

    method: Method
    values: Mapping[str, str]
    by_upload: bool


@attrs.frozen
class Api:
    """All of it.

    Attributes:
        methods: By their ids.
        schemas: Name -> field -> type: `string`, `string:byte`, `[string]`, `#MessagePart`.
        parameters: What every method's query may have.
    """

    methods: Mapping[str, Method]
    schemas: Mapping[str, Mapping[str, str]]
    parameters: frozenset[str]

    @classmethod
    def built_in(cls) -> Self:
        """Return the part that this fake serves, without a discovery document."""
        methods = [_built_in(name, *entry) for name, entry in _table.METHODS.items()]
        return cls({method.id: method for method in methods}, _table.SCHEMAS, frozenset(_table.PARAMETERS))

    @classmethod
    def discovered(cls, document: Mapping[str, Any]) -> Self:
        """Return what Google's discovery *document* (`gmail.v1.json`) says."""
        methods = [_discovered(entry) for entry in _entries(document)]
        schemas = {
            name: {field: _type(said) for field, said in schema.get("properties", {}).items()}
            for name, schema in document["schemas"].items()
        }
        return cls({method.id: method for method in methods}, schemas, frozenset(document["parameters"]))

    def find(self, verb: str, segments: tuple[str, ...]) -> Found | None:
        """Return the method that *verb* and the parts of a path lead to; literal parts go before `{id}`."""
        found = [
            Found(method, values, by_upload=path != method.path)
            for method in self.methods.values()
            if method.verb == verb
            for path in _paths(method)
            if (values := _matched(path, segments)) is not None
        ]
        return min(found, key=lambda one: len(one.values), default=None)


def _paths(method: Method) -> tuple[str, ...]:
    upload = method.upload
    return (method.path, upload.simple, upload.resumable) if upload else (method.path,)


def _matched(path: str, segments: tuple[str, ...]) -> dict[str, str] | None:
    """Return what stands at the places in braces, None where *segments* are not this path."""
    parts = path.strip("/").split("/")
    if len(parts) != len(segments):
        return None
    pairs = list(zip(parts, segments, strict=True))
    if any(part != segment for part, segment in pairs if not part.startswith("{")):
        return None
    return {part.strip("{+}"): segment for part, segment in pairs if part.startswith("{")}


def _built_in(
    name: str, verb: str, path: str, scopes: str, parameters: Mapping[str, str], request: str, *upload: int
) -> Method:
    whole = f"gmail/v1/users/{{userId}}/{path}"
    uploads = (
        Upload(f"/upload/{whole}", f"/resumable/upload/{whole}", _table.ACCEPT, size) for size in upload
    )
    taken = frozenset(map(full_scope, scopes.split()))
    return Method(f"gmail.users.{name}", verb, whole, taken, parameters, request, next(uploads, None))


def _entries(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Walk through the methods of *resource* and of all resources in it."""
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _entries(inner)


def _discovered(entry: Mapping[str, Any]) -> Method:
    parameters = entry.get("parameters", {})
    return Method(
        id=entry["id"],
        verb=entry["httpMethod"],
        path=entry["path"],
        scopes=frozenset(entry.get("scopes", ())),
        parameters={name: _type(said) for name, said in parameters.items() if said["location"] == "query"},
        request=entry.get("request", {}).get("$ref", ""),
        upload=_upload(entry["mediaUpload"]) if "mediaUpload" in entry else None,
    )


def _upload(said: Mapping[str, Any]) -> Upload:
    ways = said["protocols"]
    size = int(said.get("maxSize", 0))
    return Upload(ways["simple"]["path"], ways["resumable"]["path"], tuple(said["accept"]), size)


def _type(said: Mapping[str, Any]) -> str:
    """Return a field's or parameter's type in one word."""
    if said.get("repeated"):
        return f"[{_type({**said, 'repeated': False})}]"
    if "$ref" in said:
        return f"#{said['$ref']}"
    if said["type"] == "array":
        return f"[{_type(said['items'])}]"
    if "enum" in said:
        return "|".join(said["enum"])
    return f"{said['type']}:{said['format']}" if "format" in said else str(said["type"])
