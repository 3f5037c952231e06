"""A server on loopback that says what a test has written, word for word, and keeps what it heard."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Says = Callable[[socket.socket, bytes], None]


class Peer:
    """Takes connections one after the other; *says* gets each request's head and body as they came.

    Attributes:
        heard: The requests, as octets.
        connections: How many there were.
    """

    def __init__(self, *says: bytes | Says, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._says, self._tls = list(says), tls
        self._listener = self._client = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for one in (self._listener, self._client):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._client = client = self._listener.accept()[0]
                self.connections += 1
                client.settimeout(10)
                with contextlib.suppress(OSError), client:
                    self._client = self._tls.wrap_socket(client, server_side=True) if self._tls else client
                    with self._client:
                        self._converse(self._client)

    def _converse(self, client: socket.socket) -> None:
        while request := _request(client):
            self.heard.append(request)
            said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
            if callable(said):
                said(client, request)
                return
            client.sendall(said)
            if b"connection: close" in said.lower():
                return


def _request(client: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = client.recv(65_536)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    while len(body) < size and (piece := client.recv(65_536)):
        body += piece
    return head + b"\r\n\r\n" + body


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return an answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
