"""Connections to other machines: one place for names, time, and the addresses that may not be reached (rule 38)."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import attrs

from ._errors import SendDeferred, SettingsError

IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Through: TypeAlias = Callable[[str, int, float], socket.socket]
"""Gets a host, a port and seconds, and returns a socket that leads there. It raises SendDeferred, with the stage
`connect` where it can't lead to this host, and another where it leads to none."""
UNIFORM_SECONDS = 5.0
"""How long a failed connection to a host that a person typed takes, whatever the reason was."""


def _networks(values: Iterable[str | IPNetwork]) -> tuple[IPNetwork, ...]:
    values = (values,) if isinstance(values, str) else values
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
        return listed or (_is_public(inner) and (inner is address or _is_public(address)))

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the numeric addresses of *host*, best first, those that may not be reached included.

        Raises:
            SendDeferred: The name has no address now.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError):
            raise _no_address(host) from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def connect(
        self, host: str, port: int, *, timeout: float, through: Through | None = None
    ) -> socket.socket:
        """Return a socket connected to *host*, TCP_NODELAY set; looking its name up and the addresses share *timeout* seconds.

        Args:
            host: A name or a numeric address.
            port: Of the host.
            timeout: Seconds for all of it.
            through: The way of a deployer's (a proxy), in the place of a direct connection. A host that a deployer
                typed is given to it by name. A host that a person typed is looked up here and given to it by a
                permitted address, since nobody can see what a name becomes behind it.

        Raises:
            SendDeferred: Nothing answered (stage `dns` or `connect`). For a host that a person typed one wording
                and one time stand for closed, filtered, forbidden and unknown.
            PillarboxError: What *through* raises at another stage: about the way itself, not about the host.
        """
        limit = timeout if self.trusted else min(timeout, UNIFORM_SECONDS)
        give_up = time.monotonic() + limit
        try:
            if through is not None and self.trusted:
                return through(host, port, limit)
            addresses = _in_time(lambda: self.resolve(host, port), give_up, host)
            return self._first(addresses, host, port, give_up, through or _connected)
        except SendDeferred as error:
            if error.stage not in {"dns", "connect"}:
                raise
            failure = error
        if not self.trusted:
            time.sleep(max(0.0, give_up - time.monotonic()))
            failure = SendDeferred(
                f"{host} can't be reached on port {port}.", stage="connect", cure=_CURE_FOR_TYPED
            )
        raise failure

    def _first(
        self, addresses: Sequence[str], host: str, port: int, give_up: float, reach: Through
    ) -> socket.socket:
        permitted = [address for address in addresses if self.permits(address)]
        said = "no address that may be reached"
        for left, address in zip(range(len(permitted), 0, -1), permitted, strict=True):
            seconds = give_up - time.monotonic()
            if seconds <= 0:
                break
            try:
                return reach(address, port, seconds / left)
            except OSError as error:
                said = _words(error)
            except SendDeferred as error:
                if error.stage != "connect":
                    raise
        raise SendDeferred(f"{host} can't be reached on port {port}: {said}.", stage="connect", cure=_CURE)


def _connected(address: str, port: int, seconds: float) -> socket.socket:
    connected = socket.create_connection((address, port), timeout=seconds)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        connected.close()
        raise
    return connected


def _in_time(look_up: Callable[[], list[str]], give_up: float, host: str) -> list[str]:
    """Return what *look_up* finds, by *give_up*: the system's resolver knows no deadline of its own.

    A slow look-up is left to a thread that ends when the resolver does; an address needs none.
    """
    if _is_numeric(host):
        return look_up()
    answers: list[list[str] | SendDeferred] = []

    def run() -> None:
        try:
            answers.append(look_up())
        except SendDeferred as error:
            answers.append(error)

    thread = threading.Thread(target=run, name="pillarbox-dns", daemon=True)
    thread.start()
    thread.join(max(0.0, give_up - time.monotonic()))
    if not answers:
        raise _no_address(host)
    if isinstance(answers[0], SendDeferred):
        raise answers[0]
    return answers[0]


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _no_address(host: str) -> SendDeferred:
    return SendDeferred(
        f"{host} has no address.", stage="dns", cure="Check the server's name, or the network."
    )


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The only IPv6 addresses that are given out for the Internet (RFC 4291 2.4); what lies outside is somebody's own."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")
"""RFC 9637; older Pythons do not know it."""


def _is_public(address: IPAddress) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    if address in _NAT64:
        return True
    return address in _GLOBAL_UNICAST and address not in _DOCUMENTATION and address.sixtofour is None


def embedded(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 *address* leads to (mapped, NAT64), or *address* itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


_CURE = "Check the server, the port and the firewall."
_CURE_FOR_TYPED = (
    f"{_CURE} A server inside your own network has to be allowed by the deployer (private_networks)."
)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or type(error).__name__).lower()
