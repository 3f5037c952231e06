"""A relay on loopback between a client and a fake: it can be shut, cut a request, and hear what passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Relay:
    """Leads to another port, while it is open; always by the same port of its own.

    Attributes:
        coming: Hears what the client sends, before it goes on; where it answers False, it does not.
        gone: Hears it when it has gone on.
    """

    def __init__(self, port: int) -> None:
        self.coming: Callable[[bytes], bool] = lambda _: True
        self.gone: Callable[[bytes], object] = len
        self._to = port
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._run(self._accept, self._listener)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def shut(self) -> None:
        """Refuse connections, and cut those that there are."""
        _close(self._listener)
        for one in self._open:
            _close(one)
        for thread in self._threads:
            thread.join(10)
        self._open, self._threads = [], []

    def open(self) -> None:
        """Take connections again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._run(self._accept, self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.shut()

    def _run(self, target: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=target, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                self._run(self._carry, near, far, True)
                self._run(self._carry, far, near, False)

    def _carry(self, one: socket.socket, other: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := one.recv(65_536):
                if is_request and not self.coming(octets):
                    break
                other.sendall(octets)
                if is_request:
                    self.gone(octets)
        _close(one)
        _close(other)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
