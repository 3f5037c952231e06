"""Connections to other machines: one place for names, time, and the addresses that may not be reached (rule 38)."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import attrs

from ._errors import SendDeferred, SettingsError

IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
UNIFORM_SECONDS = 5.0
"""How long a failed connection to a host that a person typed takes, whatever the reason was."""


def _networks(values: Iterable[str | IPNetwork]) -> tuple[IPNetwork, ...]:
    try:
        return tuple(ipaddress.ip_network(value) for value in values)
    except ValueError as error:
        raise SettingsError(f"private_networks holds what is not a network: {error}.") from None


@attrs.frozen
class Network:
    """What may be connected to.

    Attributes:
        trusted: Whether a deployer typed the host: then any address may be reached.
        private: The networks that may be reached although they are not public, for hosts that a person typed.
    """

    trusted: bool = True
    private: tuple[IPNetwork, ...] = attrs.field(default=(), converter=_networks)

    def permits(self, address: str) -> bool:
        """Whether the numeric *address* may be reached."""
        return self.trusted or self._public_or_listed(ipaddress.ip_address(address.partition("%")[0]))

    def _public_or_listed(self, address: IPAddress) -> bool:
        inner = embedded(address)
        listed = any(inner.version == network.version and inner in network for network in self.private)
        return listed or (inner.is_global and not inner.is_multicast)

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the numeric addresses of *host*, best first, those that may not be reached included.

        Raises:
            SendDeferred: The name has no address now.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise SendDeferred(
                f"{host} has no address.", stage="dns", cure="Check the server's name, or the network."
            ) from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """Return a socket connected to *host*, TCP_NODELAY set; the addresses share *timeout* seconds.

        Raises:
            SendDeferred: Nothing answered (stage `dns` or `connect`). For a host that a person typed one wording
                and one time stand for closed, filtered and forbidden.
        """
        started = time.monotonic()
        limit = timeout if self.trusted else min(timeout, UNIFORM_SECONDS)
        try:
            return self._first(self.resolve(host, port), host, port, started + limit)
        except SendDeferred as error:
            failure = error
        if not self.trusted:
            time.sleep(max(0.0, started + limit - time.monotonic()))
            failure = SendDeferred(f"{host} can't be reached on port {port}.", stage="connect", cure=_CURE)
        raise failure

    def _first(self, addresses: Sequence[str], host: str, port: int, give_up: float) -> socket.socket:
        permitted = [address for address in addresses if self.permits(address)]
        said = "no address that may be reached"
        for left, address in zip(range(len(permitted), 0, -1), permitted, strict=True):
            share = max(0.05, (give_up - time.monotonic()) / left)
            try:
                connected = socket.create_connection((address, port), timeout=share)
            except OSError as error:
                said = _words(error)
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
        raise SendDeferred(f"{host} can't be reached on port {port}: {said}.", stage="connect", cure=_CURE)


_CARRY_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""NAT64 (RFC 6052) and IPv4-compatible addresses (RFC 4291 2.5.5.1): the last 32 bits are an IPv4 address."""


def embedded(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 *address* leads to, where it is of a kind that carries one."""
    if isinstance(address, ipaddress.IPv4Address) or int(address) < 2:
        return address
    carried = address.ipv4_mapped or address.sixtofour
    if carried is None and any(address in network for network in _CARRY_IPV4):
        carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return carried or address


_CURE = "Check the server, the port and the firewall."


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or type(error).__name__).lower()
