"""A web site on loopback, by https with a certificate of our own, that answers what a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

import attrs
import trustme

from pillarbox import Network
from pillarbox._suggestion.autoconfig import Web

DOMAIN = "acme.example"
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert(f"autoconfig.{DOMAIN}", DOMAIN)
GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="acme.example">
    <domain>acme.example</domain>
    <incomingServer type="imap"><hostname>imap.acme.example</hostname><port>993</port></incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.acme.example</hostname><port>465</port><socketType>SSL</socketType>
      <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
"""


def answer(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: text/xml", *more, "", ""]
    return "\r\n".join(head).encode() + body


class Site:
    """Answers each request with *octets*; or, with *talk*, lets that speak on the connection.

    Attributes:
        asked: The first lines and Host headers of the requests.
    """

    def __init__(self, octets: bytes = b"", *, talk: Callable[[ssl.SSLSocket], None] | None = None) -> None:
        self._octets, self._talk = octets, talk
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CERTIFICATE.configure_cert(self._context)

    def __enter__(self) -> Site:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._speak, args=(line,), daemon=True).start()

    def _speak(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line, self._context.wrap_socket(line, server_side=True) as secured:
            head = b""
            while b"\r\n\r\n" not in head:
                head += secured.recv(4096) or b"\r\n\r\n"
            self.asked.append(head.decode("ascii"))
            if self._talk is not None:
                self._talk(secured)
            else:
                secured.sendall(self._octets)


def drip(secured: ssl.SSLSocket) -> None:
    """Send an octet at a time, for ever."""
    while True:
        secured.sendall(b" ")
        time.sleep(0.05)


def flood(secured: ssl.SSLSocket) -> None:
    """Send as fast as can be, for ever."""
    secured.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        secured.sendall(b" " * 16_384)


@attrs.frozen
class Elsewhere(Network):
    """A network in which every name leads to *address*."""

    address: str = "127.0.0.1"

    def resolve(self, host: str, port: int) -> list[str]:
        return [self.address]


def here(site: Site | None = None, **network: object) -> Web:
    """Return who asks *site*, whatever the name is, and trusts its certificate."""
    rules = {"trusted": False, "private": ("127.0.0.0/8",), **network}
    return Web(Elsewhere(**rules), trusting, site.port if site else 9)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context
