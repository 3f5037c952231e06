"""One conversation of the scripted IMAP server, and the moments at which a script may speak in its place."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from .imap_server import ImapServer

ImapScript: TypeAlias = "bytes | Callable[[Turn], None]"
"""What is written at a point: octets, or a function that is given the turn."""
_LIFE = 30.0
_MOST = 16 * 1024 * 1024
_LITERAL = re.compile(rb"\{(\d{1,9})\}\r\n\Z")
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Over(Exception):
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
        raise Over

    def reset(self) -> None:
        """Break the connection off."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        raise Over


def do(script: ImapScript, turn: Turn) -> None:
    if isinstance(script, bytes):
        turn.say(script)
    else:
        script(turn)


class Session:
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
            with contextlib.suppress(Over, OSError):
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
        usual() if script is None else do(script, turn)

    def _say(self, octets: bytes) -> None:
        self._socket.sendall(octets.replace(b"TAG", self._tag))

    def _fill(self) -> None:
        self._socket.settimeout(max(0.01, self._give_up - time.monotonic()))
        data = self._socket.recv(65536)
        if not data or len(self._buffer) > _MOST:
            raise Over
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
            raise Over from None
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
        found = re.findall(rb'"((?:[^"\\]|\\.)*)"|(\S+)', arguments)
        words = (re.sub(rb"\\(.)", rb"\1", quoted or word).decode() for quoted, word in found)
        self._sign_in(next(words, ""), next(words, ""))

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
        raise Over
