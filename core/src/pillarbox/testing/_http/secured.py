"""A connection under TLS, as the HTTP server reads and writes it.

The TLS lies between buffers: a wrapped socket is leaked by the standard library when the client has just reset it.
"""

from __future__ import annotations

import io
import socket
import ssl
from typing import Any

from .._smtp.tls import Tls

_PIECE = 65_536


class Secured(io.RawIOBase):
    """A stream over *client*, whose hands are shaken.

    Raises:
        OSError: The client left, was silent too long, or does not speak TLS.
    """

    def __init__(self, client: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__()
        self._client, self._tls = client, Tls(context)
        done = False
        while not done:
            try:
                done = self._tls.shake(self._received())
            finally:
                client.sendall(self._tls.due())
        self._opened = self._tls.opened(b"")

    def _received(self) -> bytes:
        octets = self._client.recv(_PIECE)
        if not octets:
            raise ConnectionAbortedError("The client left.")
        return octets

    def makefile(self, mode: str, size: int = -1) -> io.BufferedReader:
        """Return what is read from; the name is a socket's."""
        return io.BufferedReader(self)

    def settimeout(self, seconds: float | None) -> None:
        """Wait for *seconds* at the most for each octet, None for ever."""
        self._client.settimeout(seconds)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is, waiting for something; 0 at the end."""
        while not (self._opened or self._tls.closed):
            octets = self._client.recv(_PIECE)
            if not octets:
                return 0
            self._opened = self._tls.opened(octets)
        taken = self._opened[: len(buffer)]
        self._opened = self._opened[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def sendall(self, octets: Any) -> None:
        """Write *octets*, all of them."""
        whole = memoryview(octets)
        for at in range(0, len(whole), _PIECE):
            self._client.sendall(self._tls.sealed(bytes(whole[at : at + _PIECE])))
