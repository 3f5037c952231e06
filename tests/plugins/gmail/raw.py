"""A server that says octet by octet what a test wants, to requests that it remembers."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

Say = Callable[[socket.socket, bytes], object]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Raw:
    """Listens on a port of its own, from entering the context to leaving it.

    Args:
        say: Gets the connection and a request, and answers; what it raises or returns true for ends the connection.
        tls: A server's context, or None.
    """

    def __init__(self, say: Say, tls: ssl.SSLContext | None = None) -> None:
        self._say = say
        self._tls = tls
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if self._tls is None:
                self._converse(client)
                return
            with self._tls.wrap_socket(client, server_side=True) as wrapped:
                self._converse(wrapped)

    def _converse(self, client: socket.socket) -> None:
        self._open.append(client)
        while request := _request(client):
            self.requests.append(request)
            if self._say(client, request):
                return


def _request(client: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = client.recv(65_536)
        if not piece:
            return b""
        got += piece
    header = got.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?i)content-length: (\d+)", header)
    whole = len(header) + 4 + (int(found[1]) if found else 0)
    while len(got) < whole:
        piece = client.recv(65_536)
        if not piece:
            return b""
        got += piece
    return got
