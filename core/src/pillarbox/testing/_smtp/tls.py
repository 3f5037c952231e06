"""TLS between two buffers: octets in, octets out, no socket."""

from __future__ import annotations

import contextlib
import ssl


class Tls:
    """The server's side of one TLS connection.

    Buffers stand where a wrapped socket would: wrapping one that the client has just reset leaks it.

    Args:
        context: A server's context.

    Attributes:
        closed: Whether the client has said that nothing follows (close_notify).
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._talk = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.closed = False

    @property
    def version(self) -> str:
        """`TLSv1.3` or the like, once hands were shaken."""
        return self._talk.version() or "unknown"

    def shake(self, octets: bytes) -> bool:
        """Take *octets* for the handshake; True when it is done.

        Raises:
            ssl.SSLError: It failed; `due` has the alert for the client.
        """
        self._incoming.write(octets)
        try:
            self._talk.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def opened(self, octets: bytes) -> bytes:
        """Take *octets* from the wire and return what they say, b"" while a record is not whole.

        Raises:
            ssl.SSLError: They are no TLS.
        """
        self._incoming.write(octets)
        told = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self._talk.read(65_536):
                told += piece
            self.closed = True
        return bytes(told)

    def sealed(self, octets: bytes) -> bytes:
        """Return *octets* as they go on the wire."""
        self._talk.write(octets)
        return self.due()

    def farewell(self) -> bytes:
        """Return the close_notify as it goes on the wire."""
        with contextlib.suppress(ssl.SSLError):
            self._talk.unwrap()
        return self.due()

    def due(self) -> bytes:
        """Return what TLS itself has to write."""
        return self._outgoing.read()
