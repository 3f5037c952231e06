"""Questions to the domain name system, by the extra `dns`: bounded in time, in number, and in what a name may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from ._errors import SendDeferred, Unavailable

MOST = 50
"""The most records of one answer that are looked at; the best come first."""
WITHOUT = "pip install 'pillarbox[dns]'"
_HOST = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)
_INSIDE = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa", ".lan", ".test", ".invalid")
"""Names that lead nowhere, or to somewhere inside (RFC 6761, RFC 6762, RFC 8375)."""


def host_name(text: str) -> str:
    """Return *text* as a host name of the Internet, in lower case without a dot behind; "" where it is none.

    An address is none, and no name that leads to a place inside a network.
    """
    name = text.strip().lower().removesuffix(".")
    return name if _HOST.fullmatch(name) and not name.endswith(_INSIDE) else ""


@attrs.frozen
class Service:
    """A place where a service is offered (RFC 2782).

    Attributes:
        host: "" where the domain says that it offers none.
        port: From 1 to 65535.
    """

    host: str
    port: int


@attrs.frozen
class Dns:
    """Asks.

    Attributes:
        nameservers: Addresses of who is asked; () for those that the system asks.
        port: Theirs.
    """

    nameservers: tuple[str, ...] = ()
    port: int = 53

    def records(self, name: str, kind: str, *, timeout: float) -> tuple[Any, ...]:
        """Return the records of *kind* (`"MX"`) under *name*, as dnspython has them, at most `MOST`; () where there are none.

        Raises:
            Unavailable: dnspython is not installed.
            SendDeferred: Nobody answered in *timeout* seconds, or not in a way that can be read (stage `dns`).
        """
        try:
            import dns.exception
            import dns.resolver
        except ModuleNotFoundError:
            raise Unavailable("dnspython is not installed.", cure=f"Install it with: {WITHOUT}") from None
        try:
            answer = self._resolver(dns.resolver).resolve(name, kind, lifetime=timeout, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise SendDeferred(
                f"DNS gave no answer for {name}: {type(error).__name__}.", stage="dns"
            ) from None
        return tuple(sorted(answer, key=_order)[:MOST])

    def _resolver(self, resolver: Any) -> Any:
        made = resolver.Resolver(configure=not self.nameservers)
        if self.nameservers:
            made.nameservers, made.port = list(self.nameservers), self.port
        return made

    def mx(self, domain: str, *, timeout: float) -> tuple[str, ...]:
        """Return the hosts that take mail for *domain*, the preferred first (RFC 5321 5.1).

        Raises:
            Unavailable, SendDeferred: As `records`.
        """
        return tuple(_hosts(self.records(domain, "MX", timeout=timeout), "exchange"))

    def services(self, service: str, domain: str, *, timeout: float) -> tuple[Service, ...]:
        """Return where *domain* offers *service* (`_submissions._tcp`), the preferred first (RFC 2782, RFC 6186).

        Raises:
            Unavailable, SendDeferred: As `records`.
        """
        found = self.records(f"{service}.{domain}", "SRV", timeout=timeout)
        if any(str(one.target) == "." for one in found):
            return (Service("", 1),)
        named = ((host_name(one.target.to_text()), one.port) for one in found)
        return tuple(Service(host, port) for host, port in named if host and port)


def _order(record: Any) -> tuple[int, int, str]:
    """Return what records are ordered by: the preferred first, and of those the one that is to be chosen more often."""
    rank = getattr(record, "preference", getattr(record, "priority", 0))
    return rank, -getattr(record, "weight", 0), record.to_text()


def _hosts(records: tuple[Any, ...], field: str) -> Iterator[str]:
    for record in records:
        name = host_name(getattr(record, field).to_text())
        if name:
            yield name
