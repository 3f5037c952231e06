"""A gate before a server: while it is shut nothing answers there, and what was connected is cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit


class Gate:
    """Listens on a port of its own and leads to *url*, while it is open.

    Attributes:
        most: Octets of requests that are let through from now on before the line is cut; None for all.
    """

    def __init__(self, url: str) -> None:
        self._behind = ("127.0.0.1", int(urlsplit(url).port or 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.most: int | None = None
        self._leading: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._begin()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Let nobody through while the block runs."""
        self.close()
        yield
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._begin()

    def close(self) -> None:
        """Shut it for good."""
        _cut(self._listener)
        self._accepting.join()
        self._listener.close()
        with self._guard:
            for one in (end for pair in self._pairs for end in pair):
                _cut(one)
        for thread in self._leading:
            thread.join()
        self._pairs, self._leading = [], []

    def _begin(self) -> None:
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                thread = threading.Thread(target=self._lead, args=(client,), daemon=True)
                self._leading.append(thread)
                thread.start()

    def _lead(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._behind) as server:
            with self._guard:
                self._pairs.append((client, server))
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server, lambda: self.most)
            back.join()
            with self._guard:
                self._pairs.remove((client, server))


def _pump(one: socket.socket, other: socket.socket, most: Callable[[], int | None] = lambda: None) -> None:
    count = 0
    with contextlib.suppress(OSError):
        while octets := one.recv(65_536):
            limit = most()
            other.sendall(octets if limit is None else octets[: limit - count])
            count = 0 if limit is None else count + len(octets)
            if limit is not None and count >= limit:
                break
    _cut(one)
    _cut(other)


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
