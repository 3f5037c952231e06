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

import base64
import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from email import message_from_bytes
from types import TracebackType
from typing import Self, TypeAlias

import attrs

Script: TypeAlias = "bytes | Callable[[Turn], None]"
CAPABILITIES = ("SPECIAL-USE", "UIDPLUS", "QUOTA")
"""What CAPABILITY tells by default, beside IMAP4rev1, STARTTLS (with `tls`) and the sign-ins (with `users`)."""
_LIFE = 30.0
_MOST = 16 * 1024 * 1024
_LITERAL = re.compile(rb"\{(\d{1,9})\}\r\n\Z")
_NO_LINGER = struct.pack("ii", 1, 0)


class _Over(Exception):
    """The conversation is over."""


@attrs.define
class Turn:
    """A moment when the server speaks.

    Attributes:
        point: Which.
        tag: The command's.
        connection: The number of the connection, from 1.
        number: How often a conversation came to this point, this time included.
        stopping: Set when the server stops.
    """

    point: str
    tag: bytes
    connection: int
    number: int
    stopping: threading.Event
    _usual: Callable[[], None]
    _socket: socket.socket

    def usual(self) -> None:
        """Do what a server without a script does."""
        self._usual()

    def say(self, octets: bytes) -> None:
        """Write *octets*, with the command's tag for `TAG`."""
        self._socket.sendall(octets.replace(b"TAG", self.tag))

    def cut(self) -> None:
        """Close the connection."""
        raise _Over

    def reset(self) -> None:
        """Break the connection off."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        raise _Over


def silence(turn: Turn) -> None:
    """Say nothing, until the server stops or the client has left."""
    turn._socket.settimeout(0.05)  # noqa: SLF001  (the module's own)
    while not turn.stopping.is_set():
        with contextlib.suppress(TimeoutError):
            if not turn._socket.recv(65536):  # noqa: SLF001
                break
    raise _Over


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
                    raise _Over

    return act


def flood(octets: bytes, most: int = _MOST) -> Callable[[Turn], None]:
    """Write *octets* again and again, up to *most* in all, and close."""

    def act(turn: Turn) -> None:
        for _ in range(most // len(octets)):
            turn.say(octets)
        raise _Over

    return act


def nth(number: int, script: Script) -> Callable[[Turn], None]:
    """Do as *script* says the *number*-th time the point is come to, and the usual at all others."""

    def act(turn: Turn) -> None:
        if turn.number == number:
            _do(script, turn)
        else:
            turn.usual()

    return act


def _do(script: Script, turn: Turn) -> None:
    if isinstance(script, bytes):
        turn.say(script)
    else:
        script(turn)


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
    """

    def __init__(
        self,
        *,
        at: Mapping[str, Script] | None = None,
        users: Mapping[str, str] | None = None,
        folders: Mapping[str, str] | None = None,
        capabilities: tuple[str, ...] = CAPABILITIES,
        mechanisms: tuple[str, ...] = ("PLAIN",),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        quota: tuple[int, int] = (10, 1000),
    ) -> None:
        self.host: str = "127.0.0.1"
        self.port: int = 0
        self.at: dict[str, Script] = dict(at or {})
        self.users: Mapping[str, str] = users or {}
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
            thread = threading.Thread(target=_Session(self, client, self.connections).run, daemon=True)
            self._threads.append(thread)
            thread.start()


class _Session:
    """One connection."""

    def __init__(self, server: ImapServer, client: socket.socket, number: int) -> None:
        self._server = server
        self._socket = client
        self._number = number
        self._buffer = b""
        self._tag = b"*"
        self._is_tls = False
        self._folder = ""
        self._give_up = time.monotonic() + _LIFE

    def run(self) -> None:
        """Talk until it is over."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with contextlib.suppress(_Over, OSError):
                if self._server.implicit_tls:
                    self._begin_tls()
                self._turn("greeting", lambda: self._say(b"* OK [ALERT] \x1b[31mready\r\n"))
                while True:
                    self._command(self._line())
        finally:
            self._socket.close()

    def _command(self, line: bytes) -> None:
        self._tag, _, rest = line.rstrip(b"\r\n").partition(b" ")
        words = rest.split(b" ", 1)
        name = words[0].lower().decode("ascii", "replace")
        arguments = words[1] if len(words) > 1 else b""
        if name == "uid":
            name = arguments.split(b" ")[0].lower().decode("ascii", "replace")
        act = getattr(self, f"_do_{name}", None)
        usual = (lambda: act(arguments)) if act else (lambda: self._say(b"TAG BAD unknown\r\n"))
        self._turn(name, usual)

    def _turn(self, point: str, usual: Callable[[], None]) -> None:
        server = self._server
        with server.guard:
            number = server.reached[point] = server.reached.get(point, 0) + 1
        script = server.at.get(point)
        turn = Turn(point, self._tag, self._number, number, server.stopping, usual, self._socket)
        usual() if script is None else _do(script, turn)

    def _say(self, octets: bytes) -> None:
        self._socket.sendall(octets.replace(b"TAG", self._tag))

    def _fill(self) -> None:
        self._socket.settimeout(max(0.01, self._give_up - time.monotonic()))
        data = self._socket.recv(65536)
        if not data or len(self._buffer) > _MOST:
            raise _Over
        self._buffer += data

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._fill()
        line, _, self._buffer = self._buffer.partition(b"\n")
        self._server.log.append((self._number, self._is_tls, line + b"\n"))
        return line + b"\n"

    def _taken(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _begin_tls(self) -> None:
        assert self._server.tls is not None
        try:
            self._socket = self._server.tls.wrap_socket(self._socket, server_side=True)
        except (OSError, ValueError):
            raise _Over from None
        self._is_tls = True

    def _do_capability(self, _: bytes) -> None:
        server = self._server
        can_begin = server.tls is not None and not self._is_tls
        ways = [f"AUTH={name}" for name in server.mechanisms if name != "LOGIN"] if server.users else []
        told = ["IMAP4rev1", *server.capabilities, *(["STARTTLS"] if can_begin else []), *ways]
        self._say(f"* CAPABILITY {' '.join(told)}\r\nTAG OK done\r\n".encode())

    def _do_starttls(self, _: bytes) -> None:
        self._say(b"TAG OK begin\r\n")
        self._turn("tls", self._begin_tls)

    def _do_authenticate(self, arguments: bytes) -> None:
        mechanism = arguments.decode("ascii", "replace").upper()
        self._say(b"+ \r\n")
        response = base64.b64decode(self._line())
        if mechanism == "PLAIN":
            _, user, password = response.decode().split("\0")
        else:
            user, _, password = response.decode().partition("\x01auth=Bearer ")
            user, password = user.removeprefix("user="), password.removesuffix("\x01\x01")
        self._sign_in(user, password)

    def _do_login(self, arguments: bytes) -> None:
        user, password = re.findall(rb'"((?:[^"\\]|\\.)*)"', arguments)
        self._sign_in(*(re.sub(rb"\\(.)", rb"\1", one).decode() for one in (user, password)))

    def _sign_in(self, user: str, password: str) -> None:
        right = self._server.users.get(user) == password
        self._say(b"TAG OK hello\r\n" if right else b"TAG NO [AUTHENTICATIONFAILED] wrong\r\n")

    def _do_list(self, arguments: bytes) -> None:
        only_marked = b"SPECIAL-USE" in arguments
        for name, flags in self._server.flags.items():
            if flags or not only_marked:
                self._say(f'* LIST ({flags}) "/" "{name}"\r\n'.encode())
        self._say(b"TAG OK done\r\n")

    def _do_examine(self, arguments: bytes) -> None:
        name = arguments.decode().strip('"')
        if name not in self._server.folders:
            self._say(b"TAG NO [NONEXISTENT] there is no such folder\r\n")
            return
        self._folder = name
        self._say(b"* %d EXISTS\r\nTAG OK [READ-ONLY] done\r\n" % len(self._server.folders[name]))

    def _do_noop(self, _: bytes) -> None:
        self._say(b"TAG OK done\r\n")

    _do_subscribe = _do_noop

    def _do_search(self, arguments: bytes) -> None:
        wanted = re.findall(rb'HEADER (\S+) "([^"]*)"', arguments)
        found = [
            str(number)
            for number, message in enumerate(self._server.folders[self._folder], 1)
            if any(
                value.decode() in str(message_from_bytes(message)[name.decode()]) for name, value in wanted
            )
        ]
        self._say(f"* SEARCH {' '.join(found)}".rstrip().encode() + b"\r\nTAG OK done\r\n")

    def _do_append(self, arguments: bytes) -> None:
        name = re.match(rb'"([^"]*)"', arguments)
        size = _LITERAL.search(arguments + b"\r\n")
        if name is None or size is None:
            self._say(b"TAG BAD append\r\n")
            return
        folder = name[1].decode()
        if folder not in self._server.folders:
            self._say(b"TAG NO [TRYCREATE] there is no such folder\r\n")
            return
        self._say(b"+ go ahead\r\n")
        content = self._taken(int(size[1]))
        self._line()
        self._server.folders[folder].append(content)
        number = len(self._server.folders[folder])
        self._turn("append-end", lambda: self._say(b"TAG OK [APPENDUID 1 %d] done\r\n" % number))

    def _do_create(self, arguments: bytes) -> None:
        name = arguments.split(b" (")[0].decode().strip('"')
        self._server.flags[name] = r"\Sent" if b"USE" in arguments else ""
        self._server.folders.setdefault(name, [])
        self._say(b"TAG OK done\r\n")

    def _do_getquotaroot(self, arguments: bytes) -> None:
        used, most = self._server.quota
        self._say(
            b'* QUOTAROOT %s "u"\r\n* QUOTA "u" (STORAGE %d %d)\r\nTAG OK done\r\n' % (arguments, used, most)
        )

    def _do_logout(self, _: bytes) -> None:
        self._say(b"* BYE\r\nTAG OK done\r\n")
        raise _Over
