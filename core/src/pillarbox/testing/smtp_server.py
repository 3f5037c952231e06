"""A scripted SMTP server on loopback: it behaves well, except where a test's script says otherwise.

It needs nothing of pillarbox and serves the tests of any SMTP client:

    with ScriptedServer(at={"rcpt": Reply(450, "4.2.1 mailbox busy")}) as server:
        ...                                             # the client under test talks to server.host, server.port
    assert server.accepted == []

A script names what the server does at a *point* of the conversation, in place of the usual:

    connect         a client has connected; implicit TLS has not begun
    greeting        the first reply
    ehlo, helo      the answer to EHLO, to HELO
    starttls, tls   the answer to STARTTLS; the handshake after it, or at the start with implicit TLS
    ehlo-after-tls  the answer to the EHLO that follows STARTTLS
    auth            the answer to AUTH; `auth-continue`, to each line the client sends after a 334
    mail, rcpt      the answer to MAIL, to each RCPT
    data            the answer to DATA, usually 354
    body            while content arrives, at its first octet, or later with After(octets, ...);
                    a complete reply given here is the answer to the message, and the dot gets no other
    dot             the answer to the final dot
    bdat, bdat-last the answer to a BDAT chunk, to the last one (which follows `bdat` if it has no script)
    rset, noop, quit, other

What was written at a point has its effect if, and only if, it begins with a complete valid reply: a recipient
answered 250 is a recipient, whoever wrote the 250, and `250-ok`, `550 no` accepts nothing.
"""

from __future__ import annotations

import ipaddress
import itertools
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from ._smtp.behaviours import (
    After,
    Behaviour,
    ByAddress,
    Cut,
    Drip,
    Endless,
    Garbage,
    Joined,
    Nth,
    Offer,
    OnConnection,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
    Slow,
    Stall,
    Then,
    Usual,
    Without,
    behaving,
)
from ._smtp.faults import ESCAPES, FAULT_KINDS, FAULT_POINTS, HandOver, SmtpFault, every_fault
from ._smtp.record import Manners, Record
from ._smtp.session import Session
from ._smtp.turn import Turn
from ._smtp.values import Connection, Heard, MailPath, Received, Said, first_reply
from ._smtp.wire import Wire

__all__ = [
    "CAPABILITIES",
    "ESCAPES",
    "FAULT_KINDS",
    "FAULT_POINTS",
    "POINTS",
    "After",
    "Behaviour",
    "ByAddress",
    "Connection",
    "Cut",
    "Drip",
    "Endless",
    "Garbage",
    "HandOver",
    "Heard",
    "Joined",
    "MailPath",
    "Nth",
    "Offer",
    "OnConnection",
    "Raw",
    "Received",
    "Reply",
    "Reset",
    "Said",
    "Script",
    "ScriptedServer",
    "Silence",
    "Slow",
    "SmtpFault",
    "Stall",
    "Then",
    "Turn",
    "Usual",
    "Without",
    "every_fault",
    "first_reply",
]

POINTS = (*FAULT_POINTS, "bdat", "bdat-last", "rset", "noop", "other")
"""The names a script can use."""
CAPABILITIES = (
    "PIPELINING",
    "SIZE 36700160",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
)
"""What EHLO offers by default, beside STARTTLS (with `tls`) and AUTH (with `users`)."""
CONNECTIONS = 1_000
"""After so many connections a server takes no more."""
_JOIN_SECONDS = 10.0


class ScriptedServer:
    """An SMTP server on a port of its own, from entering the context to leaving it.

    Everything is bounded: a connection ends after *life* seconds or *keep* octets, whatever its script says, and
    all threads have ended when the context is left.

    Args:
        at: What to do at which point: a `Behaviour`, or a function that is given the `Turn` and returns one, or
            None for the usual.
        capabilities: What EHLO offers, STARTTLS and AUTH aside. What was not offered in the answer that really
            was given is refused: a parameter with 555, a command with 502.
        users: Who can sign in: name -> password. With TLS, AUTH is offered only under it; who does not sign in
            where AUTH was offered may not send.
        mechanisms: What AUTH offers.
        tls: A server's context, for STARTTLS.
        implicit_tls: Whether TLS begins with the connection instead.
        host: A loopback address, 127.0.0.1 or ::1.
        life: Seconds that a connection lasts at the longest.
        keep: Octets that are read of one connection at the most.
        lenient: Whether a bare LF ends a line and LF `.` LF a message, as on servers that let messages be smuggled.
        receive_buffer: Octets of the system's receive buffer, small to make `Stall` bite early; 0 for its default.

    Attributes:
        host: The address.
        port: The port, once the context is entered.

    Raises:
        ValueError: A point that does not exist, a host that is not loopback, implicit TLS without a context.
    """

    def __init__(
        self,
        *,
        at: Mapping[str, Script] | None = None,
        capabilities: tuple[str, ...] = CAPABILITIES,
        users: Mapping[str, str] | None = None,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        life: float = 30.0,
        keep: int = 32 * 1024 * 1024,
        lenient: bool = False,
        receive_buffer: int = 0,
    ) -> None:
        _require_points(at or {})
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address; use 127.0.0.1 or ::1.")
        if implicit_tls and tls is None:
            raise ValueError("Implicit TLS needs a context: tls=.")
        self.host = host
        self.port: int = 0
        self._manners = Manners(
            at={point: behaving(script) for point, script in (at or {}).items()},
            capabilities=capabilities,
            users=users or {},
            mechanisms=mechanisms,
            tls=tls,
            implicit_tls=implicit_tls,
        )
        self._life, self._keep, self._lenient, self._receive_buffer = life, keep, lenient, receive_buffer
        self._record = Record()
        self._stopping = threading.Event()
        self._sessions: list[Session] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, 0), family=family, backlog=128)
        if self._receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        self.port = int(listener.getsockname()[1])
        self._bell, heard = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, args=(listener, heard), daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop.

        Raises:
            Exception: What a script's own function raised, unless the block itself failed.
        """
        self.stop()
        if error is None and self._record.failures:
            raise self._record.failures[0]

    def stop(self) -> None:
        """End all conversations and wait for their threads; what clients had sent by then is still read."""
        self._close()
        self._stopping.set()
        for session in self._sessions:
            session.stop()
        self._join(_JOIN_SECONDS)

    def drain(self, seconds: float = _JOIN_SECONDS) -> None:
        """Take no more connections, and wait until the clients have left and all they sent is recorded.

        Raises:
            TimeoutError: One is still there after *seconds*.
        """
        self._close()
        self._join(seconds)

    def _accept(self, listener: socket.socket, bell: socket.socket) -> None:
        """Take connections until *bell* rings, those included that wait then."""
        listener.setblocking(False)
        with listener, bell, selectors.DefaultSelector() as waiting:
            waiting.register(listener, selectors.EVENT_READ)
            waiting.register(bell, selectors.EVENT_READ)
            number = 0
            while number < CONNECTIONS:
                rung = any(key.fileobj is bell for key, _ in waiting.select())
                try:
                    client, peer = listener.accept()
                except BlockingIOError:
                    if rung:
                        return
                else:
                    number += 1
                    self._serve(client, number, peer[:2])

    def _serve(self, client: socket.socket, number: int, peer: tuple[str, int]) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(client, life=self._life, keep=self._keep, lenient=self._lenient, stopping=self._stopping)
        session = Session(wire, self._manners, self._record, number=number, peer=peer)
        thread = threading.Thread(target=session.run, daemon=True)
        self._sessions.append(session)
        self._threads.append(thread)
        thread.start()

    def _close(self) -> None:
        """Take no more connections, but all that have been made."""
        self._bell.close()
        self._acceptor.join(_JOIN_SECONDS)

    def _join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"A connection is still open after {seconds:g} seconds.")

    @property
    def connections(self) -> list[Connection]:
        """The connections so far, in order."""
        return [session.seen() for session in list(self._sessions)]

    @property
    def received(self) -> list[Received]:
        """The messages whose content arrived to its end, whatever was answered, in order."""
        return self._record.received

    @property
    def accepted(self) -> list[Received]:
        """The messages that were answered 2yz, in order."""
        return [message for message in self.received if message.accepted]

    @property
    def log(self) -> list[Heard]:
        """Everything that clients sent, in order; what a script let nobody read is there once its connection ended."""
        return self._record.log

    @property
    def clear(self) -> bytes:
        """All octets that came without TLS, joined: what an eavesdropper has."""
        return b"".join(heard.octets for heard in self.log if not heard.tls)

    def heard(self, point: str, *, connection: int | None = None) -> list[bytes]:
        """Return what was sent at *point* (`body` for content), on one connection or on all."""
        return [
            heard.octets
            for heard in self.log
            if heard.point == point and connection in {None, heard.connection}
        ]

    def reads(self, connection: int = 1) -> list[tuple[str, ...]]:
        """Return which commands came together, read by read: `[("ehlo",), ("mail", "rcpt", "data"), ...]`.

        Commands of one read were all on their way before the first of them was answered. Each is counted where its
        last octet came, and content is left out. What a client puts into one write comes in one read as long as the
        system does not split it (on loopback, below some 32 KB).
        """
        told = [heard for heard in self.log if heard.connection == connection and heard.point != "body"]
        grouped = itertools.groupby(told, key=lambda heard: heard.read)
        return [tuple(heard.point for heard in together) for _, together in grouped]

    def reached(self, point: str) -> int:
        """Return how often the conversation came to *point*: 0 says that its script was never used."""
        return self._record.reached(point)


def _require_points(at: Mapping[str, Script]) -> None:
    for point in at:
        if point not in POINTS:
            raise ValueError(f"{point!r} is not a point of the conversation; use one of {', '.join(POINTS)}.")
