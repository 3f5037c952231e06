"""The address book of mail providers: facts that we entered ourselves, each with the page that says so."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465}
"""What a provider's port is where it says nothing else (RFC 8314 7.3)."""


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class Provider:
    """What one provider says of itself.

    Attributes:
        name: What it is called.
        server, encryption, port: By which its customers send (`starttls` or `tls`).
        source: The page that says so.
        domains: The domains of its addresses.
        mx: How the names of its mail exchangers end, for the domains of its customers.
        method: The method with Connect that its accounts have, or "".
        username: Who signs in by SMTP, where that is not the address.
        sign_in: The connector that signs in by SMTP in the place of a password, or "".
        note: What is special about signing in, a sentence, or "".
        copies: Whether it files a copy of what is sent by SMTP.
        exchange: Whether its mailboxes are Exchange's, which Outlook has by MAPI.
    """

    name: str
    server: str
    encryption: str
    source: str
    port: int = attrs.field()
    domains: tuple[str, ...] = attrs.field(default=(), converter=_names)
    mx: tuple[str, ...] = attrs.field(default=(), converter=_names)
    method: str = ""
    username: str = ""
    sign_in: str = ""
    note: str = ""
    copies: bool = False
    exchange: bool = False

    @port.default
    def _usual(self) -> int:
        return PORTS[self.encryption]

    def receives_at(self, host: str) -> bool:
        """Whether *host*, in lower case, is one of its mail exchangers."""
        return any(host.endswith(end) if end.startswith(".") else host == end for end in self.mx)


@attrs.frozen(kw_only=True)
class Words:
    """What is said of a method of ours, installed or not.

    Attributes:
        label: What people call it.
        drawbacks: What speaks against it, sentences.
    """

    label: str
    drawbacks: tuple[str, ...] = attrs.field(converter=_names)


@attrs.frozen
class Book:
    """The providers, and the words about our methods by name."""

    providers: tuple[Provider, ...]
    methods: Mapping[str, Words]

    def of_domain(self, domain: str) -> Provider | None:
        """Return whose address one at *domain*, in lower case, is."""
        return next((one for one in self.providers if domain in one.domains), None)

    def of_exchangers(self, hosts: Iterable[str]) -> tuple[Provider, str] | None:
        """Return who takes the mail at the first of *hosts* that is known, and that host."""
        for host in hosts:
            for one in self.providers:
                if one.receives_at(host):
                    return one, host
        return None

    def of_server(self, server: str) -> Provider | None:
        """Return whose *server* for sending it is, in lower case."""
        return next((one for one in self.providers if one.server == server), None)


@functools.cache
def book() -> Book:
    """Return the address book, read once."""
    facts: dict[str, Any] = tomllib.loads(Path(__file__).with_name("providers.toml").read_text("utf-8"))
    return Book(
        tuple(Provider(**one) for one in facts["provider"]),
        {name: Words(**one) for name, one in facts["methods"].items()},
    )
