"""Reads autoconfig documents, which anybody may have written: no entity, no depth, no value that is not checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._dns import host_name
from .evidence import Server

DEEPEST, LONGEST, MOST = 20, 1_000, 10
"""Elements within one another, characters of one value, servers of one document."""
_ENCRYPTIONS: Mapping[str, str] = {"SSL": "tls", "STARTTLS": "starttls"}
_PASSWORDS = frozenset({"password-cleartext", "plain", "password-encrypted", "secure"})
_NOBODY = frozenset({"none", "client-IP-address"})
_USERNAME = re.compile(r"[\x21-\x7e]{1,200}")


class Unreadable(ValueError):
    """It is no autoconfig document that may be read; says why, in words of our own."""


def outgoing(document: bytes, address: str, source: str) -> tuple[Server, ...]:
    """Return the servers for sending that *document* names for *address*, in its order.

    A server without encryption, with an address in the place of a name, or that takes no password is left out.

    Args:
        document: `config-v1.1.xml`, as Thunderbird's autoconfiguration describes it.
        address: The addr-spec, for the placeholders of the user name.
        source: Where it came from.

    Raises:
        Unreadable: It is no such document, or declares a document type.
    """
    found = (_server(fields, address, source) for fields in _fields(document))
    return tuple(one for one in found if one is not None)[:MOST]


def _server(fields: Mapping[str, list[str]], address: str, source: str) -> Server | None:
    host, port = host_name(_first(fields, "hostname")), _port(_first(fields, "port"))
    encryption = _ENCRYPTIONS.get(_first(fields, "socketType"), "")
    ways = frozenset(fields.get("authentication", []))
    if not (host and port and encryption) or not ways & (_PASSWORDS | _NOBODY):
        return None
    username = _filled(_first(fields, "username"), address)
    if username is None:
        return None
    return Server(
        host=host,
        port=port,
        encryption=encryption,
        source=source,
        username="" if username == address else username,
        authenticate=bool(ways & _PASSWORDS),
    )


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return next(iter(fields.get(name, [])), "")


def _port(text: str) -> int:
    """Return the port, or 0 where *text* is none."""
    port = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    return port if port <= 65535 else 0


def _filled(username: str, address: str) -> str | None:
    """Return *username* with its placeholders filled; None where it is no user name."""
    if not username:
        return address
    local, _, domain = address.rpartition("@")
    meant = {"%EMAILADDRESS%": address, "%EMAILLOCALPART%": local, "%EMAILDOMAIN%": domain}
    if not _USERNAME.fullmatch(username):
        return None
    for placeholder, value in meant.items():
        username = username.replace(placeholder, value)
    return username


def _fields(document: bytes) -> Iterator[Mapping[str, list[str]]]:
    """Give the values of each element `outgoingServer` of the type `smtp`."""
    from xml.parsers import expat

    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, UnicodeError, LookupError):
        raise Unreadable("it is not XML") from None
    if not reader.is_ours:
        raise Unreadable("it is not an autoconfig document")
    yield from reader.found


class _Reader:
    """Takes what the parser tells.

    Attributes:
        found: The values of each outgoing server, by the name of their element.
        is_ours: Whether the document is one of autoconfiguration.
    """

    def __init__(self) -> None:
        self.found: list[dict[str, list[str]]] = []
        self.is_ours = False
        self._path: list[str] = []
        self._open: dict[str, list[str]] | None = None
        self._said = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise Unreadable("its elements stand too deep within one another")
        self.is_ours = self.is_ours or self._path == ["clientConfig"]
        self._said = ""
        is_smtp = name == "outgoingServer" and attributes.get("type") == "smtp"
        if is_smtp and self._path[:-1] == ["clientConfig", "emailProvider"]:
            self._open = {}

    def text(self, said: str) -> None:
        self._said = (self._said + said)[:LONGEST]

    def end(self, name: str) -> None:
        self._path.pop()
        if self._open is None:
            return
        if name == "outgoingServer":
            self.found.append(self._open)
            self._open = None
        elif self._path[-1] == "outgoingServer":
            self._open.setdefault(name, []).append(self._said.strip())

    def refuse(self, *_: Any) -> None:
        """Refuse what no such document needs: a document type, with which entities and other files come in."""
        raise Unreadable("it declares a document type")
