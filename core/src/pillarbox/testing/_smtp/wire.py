"""One connection's octets: bounded reading that knows which read brought what, honest ways to end, TLS."""

from __future__ import annotations

import contextlib
import math
import os
import re
import socket
import ssl
import struct
import threading
import time
from collections import deque
from typing import NoReturn

import attrs

from .tls import Tls

READ_OCTETS = 65_536
_DOT_OCTETS = len(b"\r\n.\r\n")
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_PATIENCE = 0.1 if os.name == "nt" else math.inf
"""Seconds; under Windows a read is not woken by what another thread does to its socket."""
_LINE_END = {False: re.compile(rb"\r\n"), True: re.compile(rb"\n")}
_FINAL_DOT = {False: re.compile(rb"(?:\A|\r\n)(\.\r\n)"), True: re.compile(rb"(?:\A|\n)(\.\r?\n)")}


class Ended(Exception):
    """The conversation is over.

    Attributes:
        why: In a few words.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@attrs.frozen
class Taken:
    """Octets, and the number of the read that brought the last of them."""

    octets: bytes
    read: int


class Wire:
    """A client's socket with a life of *life* seconds, of which at most *keep* octets are read.

    Args:
        sock: The accepted socket.
        life: Seconds after which whatever is going on ends.
        keep: Octets after which the line is dropped.
        lenient: Whether a bare LF ends a line, and LF `.` LF a message.
        stopping: Set when the server stops.
    """

    def __init__(
        self, sock: socket.socket, *, life: float, keep: int, lenient: bool, stopping: threading.Event
    ) -> None:
        self._socket = sock
        self._gate = threading.Lock()
        self._stopping = stopping
        self._give_up = time.monotonic() + life
        self._keep = keep
        self._line_end, self._final_dot = _LINE_END[lenient], _FINAL_DOT[lenient]
        self._buffer = bytearray()
        self._arrivals: deque[tuple[int, int]] = deque()
        self._arrived = self._taken = self._reads = 0
        self._tls: Tls | None = None

    @property
    def tls(self) -> str:
        """The version of TLS, or "" in clear."""
        return self._tls.version if self._tls else ""

    def line(self) -> Taken:
        """Return the next line with its end; waits for it.

        Raises:
            Ended: It never came whole. So does everything else here that reads or writes.
        """
        return self.take(self._find(self._line_end).end())

    def content(self) -> tuple[Taken, Taken]:
        """Return content as it came, up to the final dot, and that dot's line."""
        found = self._find(self._final_dot)
        start, end = found.span(1)
        return self.take(start), self.take(end - start)

    def content_arrived(self, octets: int) -> bool:
        """Wait until so many octets of content have come; False when the final dot comes sooner."""
        looked = 0
        while (found := self._final_dot.search(self._buffer, looked)) is None:
            if len(self._buffer) >= octets + _DOT_OCTETS:
                return True
            looked = max(0, len(self._buffer) - _DOT_OCTETS)
            self.fill()
        return found.start(1) >= octets

    def take(self, size: int) -> Taken:
        """Return the next *size* octets; waits for them."""
        while len(self._buffer) < size:
            self.fill()
        self._taken += size
        while self._arrivals and self._arrivals[0][0] < self._taken:
            self._arrivals.popleft()
        octets = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Taken(octets, self._arrivals[0][1] if self._arrivals else self._reads)

    def arrived(self, size: int) -> bool:
        """Wait until *size* octets wait to be taken."""
        while len(self._buffer) < size:
            self.fill()
        return True

    def rest(self) -> Taken:
        """Return what came and was never taken; waits for nothing."""
        return self.take(len(self._buffer))

    def fill(self, seconds: float = math.inf) -> None:
        """Read once, or let *seconds* pass."""
        octets = self._receive(seconds)
        if self._tls is None:
            self._take_in(octets)
        else:
            self._take_in(self._opened(self._tls, octets))

    def _receive(self, seconds: float = math.inf) -> bytes:
        """Return what the system has, b"" when *seconds* or the life have passed."""
        self._socket.settimeout(min(seconds, self._life(), _PATIENCE))
        try:
            octets = self._socket.recv(READ_OCTETS)
        except TimeoutError:
            if self._stopping.is_set():
                raise self._gone() from None
            return b""
        except OSError:
            raise self._gone() from None
        if not octets:
            raise self._gone()
        return octets

    def _opened(self, tls: Tls, octets: bytes) -> bytes:
        try:
            told = tls.opened(octets)
        except ssl.SSLError:
            raise Ended("the client broke TLS") from None
        if tls.closed and not told:
            raise self._gone()
        return told

    def _take_in(self, octets: bytes) -> None:
        if not octets:
            return
        self._keep -= len(octets)
        if self._keep < 0:
            raise Ended("the client sent more than is kept")
        self._reads += 1
        self._arrived += len(octets)
        self._buffer += octets
        self._arrivals.append((self._arrived, self._reads))

    def send(self, octets: bytes) -> None:
        """Write all *octets*."""
        self._write(self._tls.sealed(octets) if self._tls else octets)

    def _write(self, octets: bytes) -> None:
        self._socket.settimeout(self._life())
        try:
            self._socket.sendall(octets)
        except TimeoutError:
            raise Ended("life over") from None
        except OSError:
            raise self._gone() from None

    def wait(self, seconds: float) -> None:
        """Say nothing for *seconds*, and notice when the client leaves."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.fill(left)

    def silence(self) -> NoReturn:
        """Say nothing until the client leaves."""
        while True:
            self.fill()

    def hold(self) -> NoReturn:
        """Neither read nor write for the rest of this life."""
        self._stopping.wait(self._life())
        raise Ended("the server stopped" if self._stopping.is_set() else "life over")

    def finish(self, why: str) -> NoReturn:
        """End in order: under TLS with its close_notify, then with FIN, then wait for the client to leave."""
        if self._tls:
            with contextlib.suppress(Ended):
                self._write(self._tls.farewell())
        self.cut(why)

    def cut(self, why: str = "cut") -> NoReturn:
        """Send FIN and nothing else, then read on until the client leaves.

        Closing at once would make the system send RST wherever the client had written more.
        """
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Ended):
            self.silence()
        raise Ended(why)

    def reset(self) -> NoReturn:
        """Send RST (SO_LINGER with no time to linger)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.close()
        raise Ended("reset")

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on under TLS; drops what came in clear and was not taken."""
        tls = Tls(context)
        try:
            while not tls.shake(self._receive()):
                self._write(tls.due())
        except ssl.SSLError as error:
            with contextlib.suppress(Ended):
                self._write(tls.due())
            raise Ended(f"handshake failed: {error.reason}") from None
        self._write(tls.due())
        self._tls = tls
        self._take_in(self._opened(tls, b""))

    def close(self) -> None:
        """Let the socket go."""
        with self._gate:
            self._socket.close()

    def stop(self) -> None:
        """End the conversation from another thread: what waits wakes, what arrived can still be read."""
        with self._gate, contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _find(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        looked = 0
        while (found := pattern.search(self._buffer, looked)) is None:
            looked = max(0, len(self._buffer) - _DOT_OCTETS)
            self.fill()
        return found

    def _life(self) -> float:
        left = self._give_up - time.monotonic()
        if left <= 0:
            raise Ended("life over")
        return left

    def _gone(self) -> Ended:
        return Ended("the server stopped" if self._stopping.is_set() else "the client left")
