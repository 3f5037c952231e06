"""A relay on loopback that stands between a client and a real server, and cuts the line at a chosen moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Cutter:
    """Passes all on between clients and the server's *port*, and asks *at* before it does, on the first connection.

    Args:
        port: The server's.
        at: Gets who speaks (`client` or `server`) and the octets; when it returns True they are swallowed, and both
            sides are cut off.
    """

    def __init__(self, port: int, at: Callable[[str, bytes], bool]) -> None:
        self._server_port = port
        self._at = at
        self.connections = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self._server_port), timeout=30)
            may_cut = self.connections == 1
            left = [2]
            self._start(self._pump, "client", client, server, may_cut, left)
            self._start(self._pump, "server", server, client, may_cut, left)

    def _pump(
        self, who: str, source: socket.socket, sink: socket.socket, may_cut: bool, left: list[int]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if may_cut and self._at(who, data):
                    break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        left[0] -= 1
        if not left[0]:
            source.close()
            sink.close()
