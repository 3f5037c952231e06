"""A proxy on loopback that speaks SOCKS5 or HTTP CONNECT, and misbehaves where a test says so."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Speak = Callable[[socket.socket], None]
USER, PROXY_PASSWORD = "proxy-orders", "canary-proxy-pw"


class ScriptedProxy:
    """A proxy that leads to this machine, whatever host it is asked for.

    Args:
        kind: `socks5` or `http`.
        users: Who has to sign in, with the password; nobody has to when empty.
        at: What it does instead, by the point it has come to: `begin`, `methods`, `auth`, `connect`.
        leads_to: Host -> host, for names that only the proxy knows.

    Attributes:
        asked: Host and port of each request, as the client gave them.
        heard: All octets that clients said to the proxy itself.
    """

    def __init__(
        self,
        kind: str = "socks5",
        *,
        users: Mapping[str, str] | None = None,
        at: Mapping[str, Speak] | None = None,
        leads_to: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.users = dict(users or {})
        self.at = dict(at or {})
        self.leads_to = dict(leads_to or {})
        self.asked: list[tuple[str, int]] = []
        self.heard = b""
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """What a setting names."""
        return f"{self.kind}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> ScriptedProxy:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._open.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            talk = self._socks(client) if self.kind == "socks5" else self._http(client)
            for point, usual in talk:
                self.at.get(point, usual)(client)
                if point in self.at:
                    return

    def _read(self, client: socket.socket, octets: int) -> bytes:
        data = b""
        while len(data) < octets:
            more = client.recv(octets - len(data))
            if not more:
                raise EOFError
            data += more
        self.heard += data
        return data

    def _socks(self, client: socket.socket) -> Iterator[tuple[str, Speak]]:
        yield "begin", _nothing
        methods = self._read(client, self._read(client, 2)[1])
        wanted = b"\x02" if self.users else b"\x00"
        chosen = wanted if wanted in methods else b"\xff"
        yield "methods", lambda line: line.sendall(b"\x05" + chosen)
        if self.users:
            name = self._read(client, self._read(client, 2)[1]).decode()
            password = self._read(client, self._read(client, 1)[0]).decode()
            good = self.users.get(name) == password
            yield "auth", lambda line: line.sendall(b"\x01\x00" if good else b"\x01\x01")
        kind = self._read(client, 4)[3]
        raw = self._read(client, self._read(client, 1)[0] if kind == 3 else {1: 4, 4: 16}[kind])
        host = raw.decode() if kind == 3 else socket.inet_ntop({4: 2, 16: 10}[len(raw)], raw)
        port = int.from_bytes(self._read(client, 2), "big")
        yield "connect", lambda line: self._lead(line, host, port, b"\x05\x00\x00\x01" + bytes(6))

    def _http(self, client: socket.socket) -> Iterator[tuple[str, Speak]]:
        yield "begin", _nothing
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(client, 1)
        target = head.split()[1].decode()
        host, _, port = target.rpartition(":")
        known = [base64.b64encode(f"{name}:{word}".encode()) for name, word in self.users.items()]
        if known and not any(b"Basic " + one in head for one in known):
            yield "auth", lambda line: line.sendall(b"HTTP/1.1 407 Who are you\r\n\r\n")
            return
        yield (
            "connect",
            lambda line: self._lead(line, host.strip("[]"), int(port), b"HTTP/1.1 200 OK\r\n\r\n"),
        )

    def _lead(self, client: socket.socket, host: str, port: int, yes: bytes) -> None:
        """Connect to *host*, and say *yes* in one write with what the server greets with."""
        self.asked.append((host, port))
        server = socket.create_connection((self.leads_to.get(host, host), port), timeout=5)
        self._open.append(server)
        with server:
            server.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                yes += server.recv(65536)
            server.settimeout(None)
            client.sendall(yes)
            self._start(_pump, client, server)
            _pump(server, client)


def _nothing(_: socket.socket) -> None:
    """Pass a point."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def says(octets: bytes) -> Speak:
    """Say *octets*, and close."""
    return lambda line: line.sendall(octets)


def resets(line: socket.socket) -> None:
    """Break the connection off."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def resets_once_spoken_to(line: socket.socket) -> None:
    """Break off what is certainly connected: a reset at once may meet a client that still waits for that."""
    line.recv(1, socket.MSG_PEEK)
    resets(line)


def drips(start: bytes, over: threading.Event) -> Speak:
    """Say *start*, and then one octet now and then, never enough of them."""

    def speak(line: socket.socket) -> None:
        line.sendall(start)
        while not over.wait(0.05):
            line.sendall(b"x")

    return speak


def is_silent(over: threading.Event) -> Speak:
    """Say nothing until it is *over*."""

    def speak(_: socket.socket) -> None:
        over.wait(30)

    return speak
