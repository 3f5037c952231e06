"""Everything that can go wrong at every point, against a real socket, with and without PIPELINING."""

from __future__ import annotations

import ssl

import pytest

from pillarbox import Journal, OutcomeUnknown, Receipt, SendDeferred, SendError, SendRejected, SignInNeeded
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    ESCAPES,
    After,
    Cut,
    HandOver,
    Raw,
    Reply,
    Reset,
    SmtpFault,
    Stall,
    Then,
    every_fault,
)
from pillarbox_smtp import Encryption
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import PASSWORD, submission

_SLOW = {"silence", "drip"}
_ON_THE_WAY = {"greeting", "ehlo", "helo", "starttls", "ehlo-after-tls"}
"""Points where a refusal is of the connection and not of the message: deferred, although the server said 5yz."""
_LARGE = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 64 * 1024 * 16 + b"\r\n"


def _expected(fault: SmtpFault) -> type[Receipt | SendError]:
    """Return what is to become of a small message, which the client writes whole before it hears of any fault."""
    if fault.hand_over is HandOver.SETTLED:
        return Receipt
    if fault.answer is not None and fault.kind != "misplaced":
        if fault.answer // 100 == 4 or fault.point in _ON_THE_WAY:
            return SendDeferred
        return SignInNeeded if fault.point.startswith("auth") else SendRejected
    return SendDeferred if fault.hand_over is HandOver.BEFORE else OutcomeUnknown


@pytest.mark.parametrize("offered", [CAPABILITIES, CAPABILITIES[1:]], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("fault", list(every_fault(pace=0.02)), ids=str)
def test_every_fault(
    serve: Serve,
    connect: Connect,
    server_tls: ssl.SSLContext,
    ca_file: str,
    fault: SmtpFault,
    offered: tuple[str, ...],
) -> None:
    """Each fault becomes what its stage and the server's words make of it, and no message is sent twice or lost."""
    users = {"orders@acme.example": PASSWORD} if fault.needs_users else {}
    server = serve(
        at=fault.at,
        capabilities=offered,
        tls=server_tls if fault.needs_tls else None,
        users=users,
        mechanisms=fault.mechanisms,
    )
    transport = connect(
        server,
        timeout=0.25 if fault.kind in _SLOW else 5.0,
        final_timeout=0.25 if fault.kind in _SLOW else 5.0,
        encryption=Encryption.STARTTLS if fault.needs_tls else Encryption.NONE,
        ca_file=ca_file if fault.needs_tls else "",
        **({"username": "orders@acme.example"} if fault.needs_users else {}),
    )
    journal = Journal()
    try:
        outcome: Receipt | SendError = transport.send(submission(), journal)
    except SendError as error:
        outcome = error
    transport.close()
    server.drain()
    assert type(outcome) is _expected(fault), outcome
    assert server.reached(fault.point), "the fault was never met"
    assert journal.handed_over is (fault.hand_over is not HandOver.BEFORE)
    if not isinstance(outcome, OutcomeUnknown):
        assert len(server.accepted) == (1 if isinstance(outcome, Receipt) else 0)
    assert not set(str(outcome)) & set(ESCAPES.replace(" ", "")) - set("[2J]0;titlereversed31m")


def test_expectations_are_not_all_alike() -> None:
    """The table of faults asks for each of the outcomes."""
    assert {_expected(fault) for fault in every_fault()} == {
        Receipt,
        SendDeferred,
        SendRejected,
        SignInNeeded,
        OutcomeUnknown,
    }


@pytest.mark.parametrize(
    ("behaviour", "expected", "code"),
    [
        (Stall(), SendDeferred, ""),
        (Cut(), SendDeferred, ""),
        (Reset(), SendDeferred, ""),
        (Then(Reply(552, "5.3.4 too big"), Reset()), SendRejected, "552 5.3.4"),
        (Then(Reply(452, "4.3.1 full"), Stall()), SendDeferred, "452 4.3.1"),
        (Then(Raw(b"250 yes\r\n"), Reset()), SendDeferred, ""),
    ],
    ids=["stall", "cut", "reset", "refused and reset", "refused and stalled", "accepted too early and reset"],
)
def test_content_whose_end_was_never_written(
    serve: Serve, connect: Connect, behaviour: object, expected: type[SendError], code: str
) -> None:
    """A large message that breaks before its end was written was not accepted: it may go again (RFC 5321 3.8)."""
    server = serve(at={"body": After(1000, behaviour)}, receive_buffer=4096)  # type: ignore[arg-type]
    with pytest.raises(SendError) as caught:
        connect(server, timeout=0.3).send(submission(_LARGE), Journal())
    assert (type(caught.value), caught.value.code) == (expected, code), caught.value
    assert caught.value.stage == "content"


def test_refusal_in_the_middle_of_the_content(serve: Serve, connect: Connect) -> None:
    """A refusal that comes early, from a server that reads on, is the answer."""
    server = serve(at={"body": After(1000, Reply(552, "5.3.4 too big"))})
    with pytest.raises(SendRejected) as caught:
        connect(server).send(submission(_LARGE), Journal())
    assert caught.value.code == "552 5.3.4"


@pytest.mark.parametrize("offered", [CAPABILITIES, CAPABILITIES[1:]], ids=["pipelined", "lock-step"])
def test_answer_before_the_content(serve: Serve, connect: Connect, offered: tuple[str, ...]) -> None:
    """A 250 that comes with the 354, before there was any content, accepts nothing."""
    server = serve(at={"data": Raw(b"354 go\r\n250 queued\r\n")}, capabilities=offered)
    journal = Journal()
    with pytest.raises(SendDeferred):
        connect(server).send(submission(), journal)
    server.drain()
    assert server.received == []
    assert not journal.handed_over


def test_farewell_after_the_acceptance(serve: Serve, connect: Connect) -> None:
    """250 with a 421 behind it in the same packet is an acceptance; the next message gets a new connection."""
    server = serve(at={"dot": Raw(b"250 queued as A1\r\n421 bye\r\n")})
    transport = connect(server)
    assert transport.send(submission(), Journal()).reference == "A1"
    assert transport.send(submission(number=2), Journal()).reference == "A1"
    assert len(server.connections) == 2


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\r\n", b"250-", b"999 x\r\n", b"x" * 9000])
def test_noise_after_the_acceptance(serve: Serve, connect: Connect, noise: bytes) -> None:
    """Nothing that comes behind a complete 250 undoes it (rule 18)."""
    server = serve(at={"dot": Raw(b"250 queued as A1\r\n" + noise)})
    assert connect(server).send(submission(), Journal()).reference == "A1"
