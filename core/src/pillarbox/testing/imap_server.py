"""A scripted IMAP server on loopback: it keeps folders and behaves well, except where a test's script says otherwise.

    with ImapServer(users={"orders@acme.example": "pw"}, at={"append": b"TAG NO [OVERQUOTA] full\\r\\n"}) as server:
        ...                                             # the client under test talks to server.host, server.port
    assert server.folders["Sent"] == []

A script is written at a *point* in the place of the usual answer: octets, in which `TAG` stands for the command's tag,
or a function that is given the `Turn`. The points are `greeting`, `tls`, the commands in lower case (`capability`,
`starttls`, `authenticate`, `login`, `list`, `examine`, `noop`, `search`, `append`, `create`, `subscribe`,
`getquotaroot`, `logout`), and `append-end`, when a literal has come and was filed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from ._imap_session import ImapScript, Over, Session, Turn, do

__all__ = [
    "IMAP_CAPABILITIES",
    "ImapScript",
    "ImapServer",
    "Turn",
    "cut",
    "drip",
    "flood",
    "nth",
    "reset",
    "silence",
]

IMAP_CAPABILITIES = ("SPECIAL-USE", "UIDPLUS", "QUOTA")
"""What CAPABILITY tells by default, beside IMAP4rev1, STARTTLS (with `tls`) and the sign-ins (with `users`)."""
_MOST = 16 * 1024 * 1024


def silence(turn: Turn) -> None:
    """Say nothing, until the server stops or the client has left."""
    turn._socket.settimeout(0.05)  # noqa: SLF001  (the module's own)
    while not turn.stopping.is_set():
        with contextlib.suppress(TimeoutError):
            if not turn._socket.recv(65536):  # noqa: SLF001
                break
    raise Over


def cut(turn: Turn) -> None:
    """Close the connection."""
    turn.cut()


def reset(turn: Turn) -> None:
    """Break the connection off."""
    turn.reset()


def drip(octets: bytes = b"* OK " + b"x" * 1000) -> Callable[[Turn], None]:
    """Write *octets* one by one, some twenty a second, for ever anew."""

    def act(turn: Turn) -> None:
        while True:
            for octet in octets:
                turn.say(bytes([octet]))
                if turn.stopping.wait(0.05):
                    raise Over

    return act


def flood(octets: bytes, most: int = _MOST) -> Callable[[Turn], None]:
    """Write *octets* again and again, up to *most* in all, and close."""

    def act(turn: Turn) -> None:
        for _ in range(most // len(octets)):
            turn.say(octets)
        raise Over

    return act


def nth(number: int, script: ImapScript) -> Callable[[Turn], None]:
    """Do as *script* says the *number*-th time the point is come to, and the usual at all others."""

    def act(turn: Turn) -> None:
        if turn.number == number:
            do(script, turn)
        else:
            turn.usual()

    return act


class ImapServer:
    """An IMAP server on a port of its own, from entering the context to leaving it.

    Args:
        at: What to do at which point.
        users: Who can sign in, with their passwords, or with their tokens for XOAUTH2.
        folders: The folders that there are, with their flags.
        capabilities: What CAPABILITY tells beside the usual.
        mechanisms: How one can sign in; `LOGIN` without AUTH= is the command.
        tls: A server's context, for STARTTLS.
        implicit_tls: Whether TLS begins with the connection instead.
        quota: The KiB that are used and those there are.

    Attributes:
        host: 127.0.0.1.
        port: The port, once the context is entered.
        folders: The messages in each folder.
        log: All lines that clients sent, in order, with the number of the connection and whether it was under TLS.
        reached: How often the conversation came to each point.
        connections: How many there were.
    """

    def __init__(
        self,
        *,
        at: Mapping[str, ImapScript] | None = None,
        users: Mapping[str, str] | None = None,
        folders: Mapping[str, str] | None = None,
        capabilities: tuple[str, ...] = IMAP_CAPABILITIES,
        mechanisms: tuple[str, ...] = ("PLAIN",),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        quota: tuple[int, int] = (10, 1000),
    ) -> None:
        self.host: str = "127.0.0.1"
        self.port: int = 0
        self.at: dict[str, ImapScript] = dict(at or {})
        self.users: dict[str, str] = dict(users or {})
        self.flags: dict[str, str] = dict({"INBOX": "", "Sent": r"\Sent"} if folders is None else folders)
        self.folders: dict[str, list[bytes]] = {name: [] for name in self.flags}
        self.capabilities: tuple[str, ...] = capabilities
        self.mechanisms: tuple[str, ...] = mechanisms
        self.tls: ssl.SSLContext | None = tls
        self.implicit_tls: bool = implicit_tls
        self.quota: tuple[int, int] = quota
        self.log: list[tuple[int, bool, bytes]] = []
        self.reached: dict[str, int] = {}
        self.connections: int = 0
        self.stopping: threading.Event = threading.Event()
        self.guard: threading.Lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._acceptor, *self._threads):
            thread.join(10)

    @property
    def clear(self) -> bytes:
        """All lines that came without TLS, joined: what an eavesdropper has."""
        return b"".join(line for _, tls, line in self.log if not tls)

    def heard(self, command: bytes) -> list[bytes]:
        """Return the lines that hold *command*, whatever their tag."""
        return [line for _, _, line in self.log if command in line]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=Session(self, client, self.connections).run, daemon=True)
            self._threads.append(thread)
            thread.start()
