"""Servers that offer PIPELINING and do not bear the next message's commands behind the end of a content.

RFC 2920 3.1 allows that group, and Postfix and Exim take it. Dovecot's submission server (2.3) fails an assertion
(`pending_rcpt_cmds == 0`) and takes the message in hand down with it. It is known by its greeting; any other server
is remembered when it left a message in doubt, so that a process meets such a surprise once for each server.
"""

from __future__ import annotations

import threading

MOST_REMEMBERED = 256


class Remembered:
    """Servers that surprised this process once; the oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, int], None] = {}
        self._lock = threading.Lock()

    def add(self, server: str, port: int) -> None:
        """Keep the server in mind for the life of the process."""
        with self._lock:
            self._servers[server, port] = None
            while len(self._servers) > MOST_REMEMBERED:
                del self._servers[next(iter(self._servers))]

    def has(self, server: str, port: int) -> bool:
        """Whether it is kept in mind."""
        return (server, port) in self._servers

    def clear(self) -> None:
        """Take every server at its word again."""
        self._servers.clear()


_in_doubt = Remembered()


def bears_commands_behind_content(greeting: str) -> bool:
    """Whether a server that says *greeting* is not known to die of it."""
    return "dovecot" not in greeting.lower()


def remember(server: str, port: int) -> None:
    """Write nothing behind a content to this server any more, for the life of the process."""
    _in_doubt.add(server, port)


def is_remembered(server: str, port: int) -> bool:
    """Whether this server left a message in doubt behind which another was announced."""
    return _in_doubt.has(server, port)


def forget_all() -> None:
    """Take every server at its word again."""
    _in_doubt.clear()
