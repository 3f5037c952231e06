"""The standard library's IMAP client on a connection of ours: one deadline for an exchange, a bound for all it reads.

`imaplib` waits for each read anew, so a server that drips octets keeps it for ever, and it reads a literal of any
size into memory. It lets `open`, `read`, `readline`, `send` and `shutdown` be overridden; that is all that is done here.
"""

from __future__ import annotations

import enum
import imaplib
import socket
import time
from collections.abc import Callable
from typing import Any

from pillarbox import quotation

LONGEST_LINE = 8 * 1024
"""Octets of one line of a server's (RFC 7162 4 advises clients to bear 8192)."""
LARGEST_LITERAL = 64 * 1024
"""Octets of one literal of a server's: nothing that is asked for here is longer than a folder's name."""
MOST_OCTETS = 1024 * 1024
"""Octets of all that a server says in one exchange: a list of some ten thousand folders."""
_BLOCK = 64 * 1024
_SHORTEST_SECRET = 4
CRLF = b"\r\n"


class How(enum.Enum):
    """How an exchange ended without its answer."""

    CLOSED = "closed the connection"
    RESET = "broke the connection off"
    SILENT = "did not answer in full in time"
    STALLED = "took nothing more"
    TOO_MUCH = "said more than is believed"
    GARBAGE = "sent what is not IMAP"


class Lost(Exception):
    """The connection is of no use any more. It is no OSError, so that imaplib leaves it alone.

    Attributes:
        how: In which way.
    """

    def __init__(self, how: How) -> None:
        super().__init__(how)
        self.how = how


class Deadline:
    """A moment so many *seconds* from now."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then, 0 at least."""
        return max(0.0, self._until - time.monotonic())


class Secrets:
    """What a server may have learned and must not be quoted with, alone or as it went over the wire."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, secret: str) -> None:
        """Blank *secret* from now on; one of fewer than four characters would blank innocent words."""
        if len(secret) >= _SHORTEST_SECRET:
            self._known.update((secret, quotation(secret)))

    def blank(self, text: str) -> str:
        """Return *text* without them."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text


class Client(imaplib.IMAP4):
    """`imaplib.IMAP4` on a socket that is connected already; the greeting is read when it is made.

    Args:
        sock: Connected; closed by `shutdown`.
        deadline: Of the first exchange. Set `deadline` anew before each other one.
        trace: Takes lines of the conversation; content is counted only.
        secrets: Gets what is written while it is hidden.

    Attributes:
        wrote: What the last complete write was; after a command with a literal, its closing CRLF.
        is_hidden: Whether the trace shows that something was said, and not what.

    Raises:
        Lost, imaplib.IMAP4.error: There was no greeting, or none of IMAP.
    """

    sock: socket.socket

    def __init__(
        self,
        sock: socket.socket,
        deadline: Deadline,
        trace: Callable[[str], None] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._connected = sock
        self._deadline = deadline
        self._trace = trace
        self._secrets = secrets or Secrets()
        self._buffer = bytearray()
        self._octets = 0
        self.wrote: bytes = b""
        self.is_hidden: bool = False
        super().__init__()

    def begin(self, deadline: Deadline) -> None:
        """Begin an exchange that ends by *deadline*."""
        self._deadline, self._octets = deadline, 0

    @property
    def pending(self) -> bool:
        """Whether something was received that nothing has asked for yet."""
        return bool(self._buffer)

    @property
    def peer(self) -> str:
        """The numeric address that is really connected."""
        return str(self.sock.getpeername()[0])

    def swap(self, wrap: Callable[[socket.socket], socket.socket]) -> None:
        """Go on through what *wrap* makes of the socket."""
        self.sock = wrap(self.sock)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the socket that there is."""
        self.debug = 0  # whatever the host's imaplib.Debug says: it would print passwords
        self.sock = self._connected

    def read(self, size: int) -> bytes:
        """Return a literal of *size* octets.

        Raises:
            Lost: It is too large, or did not come.
        """
        if size > LARGEST_LITERAL:
            raise Lost(How.TOO_MUCH)
        while len(self._buffer) < size:
            self._receive()
        return self._taken(size)

    def readline(self) -> bytes:
        """Return a line with its end.

        Raises:
            Lost: It is too long, or did not come.
        """
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise Lost(How.TOO_MUCH)
            self._receive()
        line = self._taken(end + 1)
        if self._trace is not None:
            self._trace("S: [redacted]" if self.is_hidden else f"S: {self._secrets.blank(quotation(line))}")
        return line

    def send(self, data: Any) -> None:
        """Write all of *data*.

        Raises:
            Lost: The deadline passed, or the connection ended.
        """
        if self.is_hidden:
            self._secrets.add(bytes(data).decode("ascii", "replace").strip())
        if self._trace is not None and data != CRLF:
            self._trace(self._shown(bytes(data)))
        for start in range(0, len(data), _BLOCK):
            self._write(memoryview(data)[start : start + _BLOCK])
        self.wrote = bytes(data[-_BLOCK:])

    def shutdown(self) -> None:
        """Close at once."""
        self.sock.close()

    def _write(self, block: memoryview) -> None:
        while block:
            self._wait(How.STALLED)
            try:
                block = block[self.sock.send(block) :]
            except TimeoutError:
                raise Lost(How.STALLED) from None
            except (OSError, ValueError):
                raise Lost(How.RESET) from None

    def _receive(self) -> None:
        self._wait(How.SILENT)
        try:
            data = self.sock.recv(16 * 1024)
        except TimeoutError:
            raise Lost(How.SILENT) from None
        except (OSError, ValueError):
            raise Lost(How.RESET) from None
        if not data:
            raise Lost(How.CLOSED)
        self._octets += len(data)
        if self._octets > MOST_OCTETS:
            raise Lost(How.TOO_MUCH)
        self._buffer += data

    def _wait(self, how: How) -> None:
        left = self._deadline.left
        if not left:
            raise Lost(how)
        try:
            self.sock.settimeout(left)
        except OSError:
            raise Lost(How.RESET) from None

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _shown(self, data: bytes) -> str:
        if self.is_hidden:
            return "C: [redacted]"
        if not data.endswith(CRLF) or data.count(CRLF) > 1:
            return f"C: [{len(data):,} octets of content]"
        return f"C: {quotation(data[:-2])}"
