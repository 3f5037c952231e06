"""Every fault, as a strict client of few lines meets it."""

from __future__ import annotations

import base64
import contextlib
import functools
import re
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import trustme

from pillarbox.testing.smtp_server import (
    FAULT_KINDS,
    FAULT_POINTS,
    POINTS,
    HandOver,
    ScriptedServer,
    SmtpFault,
    every_fault,
)

PATIENCE = 10.0
"""Seconds that the client gives one exchange."""
SHORT_PATIENCE = 0.15
"""Seconds for the exchange that never ends by itself."""
BOUND = 65_536
COMPLETE = re.compile(rb"((?:([2-5]\d\d)-[^\r\n]{0,506}\r\n)*)([2-5]\d\d) [^\r\n]{0,506}\r\n")
BEGINNING = re.compile(rb"[2-5]\d\d[ -]")


@functools.cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context and a client's that trusts it."""
    authority = trustme.CA()
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(asking)
    return serving, asking


def handshake(line: socket.socket, patience: float) -> socket.socket:
    """Return *line* under TLS; wrapping a socket that was just reset would leak it, so its state is asked first."""
    with contextlib.suppress(TimeoutError):
        line.settimeout(0.02)
        line.recv(1, socket.MSG_PEEK)
    line.settimeout(patience)
    return contexts()[1].wrap_socket(line, server_hostname="127.0.0.1")


class NoAnswer(Exception):
    """What came was no complete valid reply."""


class StrictClient:
    """Talks as far as it can, past where *fault* lies, and remembers the code it got at each point."""

    def __init__(self, fault: SmtpFault) -> None:
        self.fault = fault
        self.line = socket.socket()
        self.codes: dict[str, int | None] = {}

    def patience(self, point: str) -> float:
        """Return how long to wait at *point*."""
        faulty = "greeting" if self.fault.point == "connect" else self.fault.point
        return SHORT_PATIENCE if point == faulty and self.fault.kind in {"silence", "drip"} else PATIENCE

    def ask(self, point: str, said: bytes, *expected: int) -> int:
        """Write *said* and return the code of the answer, which is one of *expected*."""
        self.codes[point] = None
        self.line.sendall(said)
        self.codes[point] = code = self._reply(time.monotonic() + self.patience(point))
        if code not in expected:
            raise NoAnswer(f"{code} at {point}")
        return code

    def _reply(self, give_up: float) -> int:
        heard = b""
        while not (found := COMPLETE.match(heard)):
            self.line.settimeout(max(0.001, give_up - time.monotonic()))
            octets = self.line.recv(4096)
            heard += octets
            if not octets or len(heard) > BOUND or (b"\n" in heard and not BEGINNING.match(heard)):
                raise NoAnswer
        codes = {line[:3] for line in found[0].splitlines()}
        if len(codes) > 1:
            raise NoAnswer
        return int(found[3])

    def close(self) -> None:
        """Leave without a word."""
        self.line.close()

    def converse(self, address: tuple[str, int]) -> None:
        """The whole of a submission to *address*, by the way that leads past the fault."""
        self.line.settimeout(PATIENCE)
        self.line.connect(address)
        self.ask("greeting", b"", 220)
        if self.ask("ehlo", b"EHLO x\r\n", 250, 502) == 502:
            self.ask("helo", b"HELO x\r\n", 250)
        if self.fault.needs_tls:
            self.ask("starttls", b"STARTTLS\r\n", 220)
            self.codes["tls"] = None
            self.line = handshake(self.line, self.patience("tls"))
            self.ask("ehlo-after-tls", b"EHLO x\r\n", 250)
        if self.fault.needs_users:
            self.sign_in(self.fault.mechanisms[0])
        self.submit(self.fault.point)
        self.ask("quit", b"QUIT\r\n", 221)

    def sign_in(self, mechanism: str) -> None:
        """AUTH, with an initial response for PLAIN and none for LOGIN."""
        name, password = base64.b64encode(b"anna"), base64.b64encode(b"s3cret")
        if mechanism == "PLAIN":
            self.ask("auth", b"AUTH PLAIN " + base64.b64encode(b"\0anna\0s3cret") + b"\r\n", 235)
        else:
            self.ask("auth", b"AUTH LOGIN\r\n", 334)
            self.ask("auth-continue", name + b"\r\n", 334)
            self.ask("auth-continue", password + b"\r\n", 235)

    def submit(self, point: str) -> None:
        """One message, by BDAT where *point* needs it."""
        self.ask("mail", b"MAIL FROM:<anna@acme.example>\r\n", 250)
        self.ask("rcpt", b"RCPT TO:<bob@customer.example>\r\n", 250)
        if point.startswith("bdat"):
            self.ask("bdat", b"BDAT 5\r\nHello", 250)
            self.ask("bdat-last", b"BDAT 2 LAST\r\n\r\n", 250)
        elif point == "body":
            self.ask("data", b"DATA\r\n", 354)
            self.ask("body", b"Hello\r\n.\r\n", 250)
        else:
            self.ask("data", b"DATA\r\n", 354)
            self.ask("dot", b"Hello\r\n.\r\n", 250)
        if point in {"rset", "noop"}:
            self.ask(point, point.encode() + b"\r\n", 250)


@contextlib.contextmanager
def met(fault: SmtpFault) -> Iterator[tuple[ScriptedServer, StrictClient]]:
    """A server with *fault* and a client that has met it; it has broken off there."""
    tls = contexts()[0] if fault.needs_tls else None
    users = {"anna": "s3cret"} if fault.needs_users else None
    with ScriptedServer(at=fault.at, tls=tls, users=users, mechanisms=fault.mechanisms) as server:
        talking = StrictClient(fault)
        with contextlib.closing(talking), pytest.raises((NoAnswer, OSError)):
            talking.converse((server.host, server.port))
        server.drain()
        yield server, talking


ALL = [*every_fault(pace=0.02), *every_fault(("bdat", "bdat-last", "rset", "noop"), pace=0.02)]


@pytest.mark.parametrize("fault", ALL, ids=str)
def test_every_fault_is_what_it_says(fault: SmtpFault):
    """It is met at its point, gives the answer it names or none, and lies where it says from the hand-over."""
    with met(fault) as (server, talking):
        assert server.reached(fault.point) >= 1
        assert talking.codes.get(fault.point) == fault.answer
        if fault.hand_over is HandOver.BEFORE and fault.point not in {"rset", "noop"}:
            assert server.received == []
        if fault.hand_over is HandOver.AFTER:
            assert [message.answer for message in server.received] == [fault.answer]
        if fault.hand_over is HandOver.SETTLED:
            assert [message.answer for message in server.accepted] == [250]


def test_no_fault_ever_says_yes():
    """None of them gives a code that a client may take for acceptance."""
    assert {fault.answer for fault in ALL} == {None, 250, 354, 421, 450, 451, 454, 502, 535, 550, 554}
    assert [fault.name for fault in ALL if fault.answer == 250] == ["data-misplaced"]


def test_every_kind_is_there_at_every_point():
    """But for `connect`, where no reply is due."""
    met_at = {(fault.point, fault.kind) for fault in ALL}
    points = [point for point in POINTS if point not in {"connect", "other"}]
    assert met_at == {(point, kind) for point in points for kind in FAULT_KINDS} | {
        ("connect", kind) for kind in ("silence", "cut", "reset")
    }


def test_names_are_unique_and_make_good_ids():
    """Shown by pytest, and found by `-k`."""
    names = [str(fault) for fault in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_points_and_kinds_can_be_chosen():
    """For a client that wants to be tested at some places only."""
    assert [fault.name for fault in every_fault(("dot",), ("cut", "4xx"))] == ["dot-cut", "dot-4xx"]
    assert set(FAULT_POINTS) < set(POINTS)
    with pytest.raises(ValueError, match="not a kind of fault"):
        every_fault(("dot",), ("cat",))
