"""Waiting for a socket, by whatever the system has for it."""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable


def waiter(sock: socket.socket) -> Callable[[float, bool], bool | None]:
    """Return a function that waits for *sock*: until a moment, to be readable or, if asked, writable.

    It returns None when the moment has passed, else whether the socket is readable.
    """
    if hasattr(select, "poll"):
        return _Poll(sock)
    return lambda until, for_writing: _select(sock, until, for_writing)


class _Poll:
    """Waits with poll, which knows no largest descriptor."""

    def __init__(self, sock: socket.socket) -> None:
        self._to_read, self._to_write = select.poll(), select.poll()  # type: ignore[attr-defined,unused-ignore]
        self._to_read.register(sock, select.POLLIN)  # type: ignore[attr-defined,unused-ignore]
        self._to_write.register(sock, select.POLLIN | select.POLLOUT)  # type: ignore[attr-defined,unused-ignore]

    def __call__(self, until: float, for_writing: bool) -> bool | None:
        seconds = until - time.monotonic()
        if seconds <= 0:
            return None
        events = (self._to_write if for_writing else self._to_read).poll(math.ceil(seconds * 1000))
        return bool(events[0][1] & ~select.POLLOUT) if events else None  # type: ignore[attr-defined,unused-ignore]


def _select(sock: socket.socket, until: float, for_writing: bool) -> bool | None:
    seconds = until - time.monotonic()
    if seconds <= 0:
        return None
    readable, writable, _ = select.select([sock], [sock] if for_writing else [], [], seconds)
    return bool(readable) if readable or writable else None
