"""What comes and goes over HTTP, and what a fake remembers of it."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs


def _octets(content: bytes | None) -> str:
    return "None" if content is None else f"<{len(content):,} octets>"


@attrs.frozen(kw_only=True)
class Call:
    """One request as it came.

    Attributes:
        method: `GET`, `POST` ...
        target: Path and query as they stood in the request line.
        headers: By their names in lower case; of a repeated one, all values joined by a comma.
        body: Its octets, decoded if they came in chunks.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=_octets)

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path between the slashes, percent-decoded after they were parted."""
        return tuple(unquote(part) for part in urlsplit(self.target).path.split("/") if part)

    @property
    def query(self) -> str:
        """The query as it stood, without the question mark."""
        return urlsplit(self.target).query

    @property
    def asked(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return {name: values[-1] for name, values in self.asked_all.items()}

    @property
    def asked_all(self) -> dict[str, list[str]]:
        """The query's parameters, all values of each."""
        return parse_qs(self.query, keep_blank_values=True)

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case; "" without one."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def bearer(self) -> str:
        """The token of the Authorization header, "" without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@attrs.frozen
class Reply:
    """An answer: its status, body and headers (Content-Length is added)."""

    status: int
    body: bytes = attrs.field(default=b"", repr=_octets)
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """Return *value* as an answer in JSON."""
        named = {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), named)


class Ending(enum.Enum):
    """What happens to a connection in place of an answer."""

    CUT = "closed"
    HANG = "held open in silence"


@attrs.frozen(kw_only=True)
class Request:
    """One request as a test looks at it afterwards.

    Attributes:
        method: `GET`, `POST` ...
        path: Percent-decoded, without the query.
        query: The query as it stood, without the question mark.
        step: The name of what it asked for, as in `fault`; "" for what the fake has no name for.
        status: What it was answered with; 0 where no answer was given.
        octets: The size of its body.
        headers: By their names in lower case, without `authorization`.
    """

    method: str
    path: str
    query: str
    step: str
    status: int
    octets: int
    headers: Mapping[str, str]


def _scopes(scopes: str | Iterable[str]) -> frozenset[str]:
    return frozenset(scopes.split() if isinstance(scopes, str) else scopes)


@attrs.frozen
class Token:
    """What an access token stands for.

    Attributes:
        address: Whose it is; "" for an app that acts for nobody.
        scopes: What it allows; a string is split at spaces.
        app: Whether it is an app's own (client credentials), without a person.
    """

    address: str
    scopes: frozenset[str] = attrs.field(converter=_scopes, default=frozenset())
    app: bool = False


@attrs.frozen(kw_only=True)
class Mail:
    """A mail that was sent, or a draft of one.

    Attributes:
        id: The provider's name for it.
        content: What a recipient gets, without Bcc.
        recipients: All of them, those of Bcc too, in the order of To, Cc, Bcc.
        sender: The mailbox that sent it.
        shown: The address of its From.
        message_id: The one it travels with, the provider's if that replaces ours.
        copy: What lies in the sender's Sent folder, Bcc included; None where no copy was kept.
        properties: What else the provider holds with it.
    """

    id: str
    content: bytes = attrs.field(repr=_octets)
    recipients: tuple[str, ...]
    sender: str
    shown: str
    message_id: str
    copy: bytes | None = attrs.field(repr=_octets)
    properties: Mapping[str, str] = attrs.field(factory=dict)
