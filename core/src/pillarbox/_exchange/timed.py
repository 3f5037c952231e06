"""A socket all of whose reads and writes end by one moment, however slowly they trickle."""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import selectors
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LOOK = 1.0
"""Seconds between two looks whether to go on reading: on Windows nothing else reaches a thread that reads."""


class Timed:
    """A socket all of whose reads and writes end by one moment, however slowly they trickle; what `http.client` reads from.

    Attributes:
        give_up: The moment, by the monotonic clock.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._is_aborted = False
        self.give_up = 0.0

    @property
    def security(self) -> str:
        """See `Line`."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return ""
        cipher = self._socket.cipher()
        version = str(self._socket.version()).replace("TLSv", "TLS ")
        return f"{version}, {cipher[0] if cipher else '?'}, certificate verified"

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what reads from it; closing that closes nothing."""
        return _Lines(_Reading(self), 65_536)

    def sendall(self, octets: bytes) -> None:
        """Send all of them.

        Raises:
            OSError: Not in time, or the connection broke.
        """
        self._limit()
        self._socket.sendall(octets)

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """Fill *buffer* with what comes next and return how much that is.

        Raises:
            OSError: Nothing came in time, or the connection broke, or another thread has aborted it.
        """
        while True:
            self._limit(LOOK)
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                if self._is_aborted:
                    raise ConnectionAbortedError from None
                if time.monotonic() >= self.give_up:
                    raise

    def is_readable(self) -> bool:
        """Whether something came unasked: its end, or what belongs to no request."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._socket, selectors.EVENT_READ)
            return bool(waiting.select(0))

    def abort(self) -> None:
        """Let what another thread reads here end: at once, on Windows at its next look."""
        self._is_aborted = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(
                self._socket, socket.SHUT_RDWR
            )  # not TLS's own, which takes the thread's object away

    def close(self) -> None:
        """Close it without another word."""
        self._socket.close()

    def _limit(self, most: float = math.inf) -> None:
        left = self.give_up - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, most))


class _Reading(io.RawIOBase):
    def __init__(self, line: Timed) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._line.receive_into(buffer)


class _Lines(io.BufferedReader):
    """Reads lines that have an end: `http.client` takes the end of the connection for the end of the header."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line)
        return line
