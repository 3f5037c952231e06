"""An HTTP/1.1 server on loopback with threads of its own; all of them have ended when it is stopped."""

from __future__ import annotations

import contextlib
import http
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import cast

from .secured import Secured
from .values import Call, Ending, Reply

CONNECTIONS = 10_000
"""After so many connections a server takes no more."""
BODY_OCTETS = 64 * 1024 * 1024
"""The longest body that is read; a longer one is answered 413."""
_JOIN_SECONDS = 10.0

Serve = Callable[[Call], Reply | Ending]
Refuse = Callable[[int], Reply]


class HttpServer:
    """A server on a port of its own, from `start` to `stop`.

    Args:
        serve: Answers a request; runs in the connection's thread.
        refuse: Returns the answer with a status of 400 to 499 to a request that could not be read.
        tls: A server's context, None for plain HTTP.
        life: Seconds that a connection may be silent.
    """

    def __init__(
        self, serve: Serve, refuse: Refuse, *, tls: ssl.SSLContext | None = None, life: float = 60.0
    ) -> None:
        self.serve, self.refuse, self._tls, self._life = serve, refuse, tls, life
        self.port = 0
        self._gate = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where it is reached, without a slash at the end."""
        scheme, host = ("https", "localhost") if self._tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}"

    def start(self) -> None:
        """Listen."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(listener.getsockname()[1])
        self._bell, heard = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, args=(listener, heard), daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Take no more connections, end those that are, and wait for their threads.

        Raises:
            TimeoutError: One of them does not end.
        """
        self._bell.close()
        self._acceptor.join(_JOIN_SECONDS)
        with self._gate:
            for connection in self._open:
                _shut(connection)
        until = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"A connection is still open after {_JOIN_SECONDS:g} seconds.")

    def _accept(self, listener: socket.socket, bell: socket.socket) -> None:
        listener.setblocking(False)
        with listener, bell, selectors.DefaultSelector() as waiting:
            waiting.register(listener, selectors.EVENT_READ)
            waiting.register(bell, selectors.EVENT_READ)
            for _ in range(CONNECTIONS):
                if any(key.fileobj is bell for key, _ in waiting.select()):
                    return
                with contextlib.suppress(OSError):
                    self._begin(listener.accept()[0])

    def _begin(self, client: socket.socket) -> None:
        client.settimeout(self._life)
        with contextlib.suppress(OSError):  # it has left already: reading will tell
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._gate:
            self._open.add(client)
        thread = threading.Thread(target=self._converse, args=(client,), daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _converse(self, client: socket.socket) -> None:
        """Serve one connection; what breaks the line ends it, in silence."""
        try:
            with contextlib.suppress(OSError, ValueError):
                stream = Secured(client, self._tls) if self._tls else client
                _Handler(cast("socket.socket", stream), ("", 0), cast("BaseServer", self))
        finally:
            with self._gate:
                self._open.discard(client)
            _shut(client)
            client.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection: requests in, answers out."""

    protocol_version = "HTTP/1.1"
    server: HttpServer  # type: ignore[assignment]

    def answer(self) -> None:
        """Read the rest of a request and say what the fake says."""
        body = self._body()
        if isinstance(body, http.HTTPStatus):
            self._say(self.server.refuse(body))
            self.close_connection = True
            return
        names = {name.lower() for name in self.headers}
        headers = {name: ", ".join(self.headers.get_all(name, [])) for name in names}
        said = self.server.serve(Call(method=self.command, target=self.path, headers=headers, body=body))
        if isinstance(said, Reply):
            self._say(said)
            return
        if said is Ending.HANG:
            self.connection.settimeout(None)
            self.rfile.read(1)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  (the library's names)

    def _say(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        if "Date" not in reply.headers:
            self.send_header("Date", self.date_time_string())
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _body(self) -> bytes | http.HTTPStatus:
        """Return the body, or the status of what is wrong with it."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length")
        if length is None:
            bodiless = self.command in {"GET", "DELETE"}
            return b"" if bodiless else http.HTTPStatus.LENGTH_REQUIRED
        if not (length.isascii() and length.isdigit()):
            return http.HTTPStatus.BAD_REQUEST
        return self._exactly(int(length[:20]))

    def _chunks(self) -> bytes | http.HTTPStatus:
        """Read a body in chunks (RFC 9112 7.1)."""
        body = bytearray()
        while size := int(self.rfile.readline(80).partition(b";")[0].strip(), 16):
            if size < 0:
                return http.HTTPStatus.BAD_REQUEST
            piece = self._exactly(size) if len(body) + size <= BODY_OCTETS else http.HTTPStatus(413)
            if isinstance(piece, http.HTTPStatus):
                return piece
            body += piece
            self.rfile.readline(80)
        while self.rfile.readline(65_536).strip():
            pass
        return bytes(body)

    def _exactly(self, size: int) -> bytes | http.HTTPStatus:
        """Read *size* octets.

        Raises:
            ConnectionError: The client left before their end.
        """
        if size > BODY_OCTETS:
            self._discard(size)
            return http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionAbortedError("The client left in the middle of a body.")
        return body

    def _discard(self, size: int) -> None:
        """Read on without keeping it, within bounds, so that the client comes to read the answer."""
        size = min(size, 4 * BODY_OCTETS)
        while size > 0 and (piece := self.rfile.read(min(size, 65_536))):
            size -= len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
        """Print nothing."""
