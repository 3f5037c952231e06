"""Asks the web site of a domain for its mail settings: by https alone, bounded, and only at addresses that may be reached."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable

import attrs

from .._errors import SendDeferred
from .._network import Network

MOST_OCTETS = 64 * 1024
"""Of a document."""
_HEAD_OCTETS = 16 * 1024
_AGENT = "pillarbox"


def places(domain: str) -> tuple[tuple[str, str], ...]:
    """Return the hosts and paths where *domain* may keep its settings, the first choice first.

    They are asked without the address: whoever runs the web site learns the domain alone, which is theirs.
    """
    return (
        (f"autoconfig.{domain}", "/mail/config-v1.1.xml"),
        (domain, "/.well-known/autoconfig/mail/config-v1.1.xml"),
    )


class NoDocument(Exception):
    """There is none to be had; says no more than that, whatever the reason was (rule 38)."""


@attrs.frozen
class Web:
    """Fetches.

    Attributes:
        network: What may be reached; hosts that a person named are checked on the connected address.
        trust: Makes what certificates are checked with.
        port: Of https.
    """

    network: Network = attrs.field(factory=lambda: Network(trusted=False))
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context
    port: int = 443

    def fetch(self, host: str, path: str, *, timeout: float) -> bytes:
        """Return the document at *path* of *host*, in *timeout* seconds; no redirect is followed.

        Raises:
            NoDocument: There is none, it is too large, or it did not come in time.
        """
        give_up = time.monotonic() + timeout
        try:
            with (
                self.network.connect(host, self.port, timeout=timeout) as line,
                self._secured(line, host, give_up) as secured,
            ):
                secured.sendall(_request(host, path))
                return _document(_received(secured, give_up))
        except (OSError, SendDeferred, http.client.HTTPException, ValueError):
            raise NoDocument from None

    def _secured(self, line: socket.socket, host: str, give_up: float) -> ssl.SSLSocket:
        line.settimeout(_left(give_up))
        return self.trust().wrap_socket(line, server_hostname=host)


def _request(host: str, path: str) -> bytes:
    """Return the request, of HTTP/1.0: an answer that ends with the connection, without chunks, from nearly everybody."""
    lines = (
        f"GET {path} HTTP/1.0",
        f"Host: {host}",
        f"User-Agent: {_AGENT}",
        "Accept: application/xml, text/xml",
    )
    return ("\r\n".join([*lines, "Connection: close", "", ""])).encode("ascii")


def _left(give_up: float) -> float:
    left = give_up - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _received(secured: ssl.SSLSocket, give_up: float) -> bytes:
    """Return all that comes until the other side closes, however slowly it trickles: by *give_up*, or not at all."""
    taken = bytearray()
    while True:
        secured.settimeout(_left(give_up))
        try:
            block = secured.recv(16_384)
        except ssl.SSLEOFError:  # closed without a word of TLS: whether all came, its length tells
            block = b""
        if not block:
            return bytes(taken)
        taken += block
        if len(taken) > MOST_OCTETS + _HEAD_OCTETS:
            raise ValueError("too large")


class _Taken:
    """What was received, as http.client reads it."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._octets)


def _document(octets: bytes) -> bytes:
    response = http.client.HTTPResponse(_Taken(octets))  # type: ignore[arg-type]
    with contextlib.closing(response):
        response.begin()
        if response.status != 200:
            raise ValueError("not found")
        body = response.read(MOST_OCTETS + 1)
        if len(body) > MOST_OCTETS or (response.length or 0) > 0:
            raise ValueError("too large, or cut short")
        return body
