"""Several messages: a third of the round trips, one in doubt at most, and none harmed by another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox import (
    Journal,
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    Submission,
)
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    Behaviour,
    ByAddress,
    Cut,
    Garbage,
    Nth,
    Reply,
    ScriptedServer,
    Silence,
    Then,
    Turn,
    Usual,
)
from pillarbox_smtp import SmtpTransport
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import CUSTOMER, OTHER, submission

Attempt = tuple[Submission, Journal]
LOCK_STEP = CAPABILITIES[1:]
_ENVELOPE = ("mail", "rcpt", "data")


def _attempts(count: int) -> list[Attempt]:
    return [(submission(number=number), Journal()) for number in range(1, count + 1)]


def _sent(transport: SmtpTransport, attempts: list[Attempt]) -> list[type]:
    return [type(answer) for answer in transport.send_many(attempts)]


def test_one_round_trip_a_message(serve: Serve, connect: Connect) -> None:
    """The end of one message and the announcement of the next are one write."""
    server = serve()
    assert _sent(connect(server), _attempts(3)) == [Receipt] * 3
    assert server.reads() == [("ehlo",), _ENVELOPE, ("dot", *_ENVELOPE), ("dot", *_ENVELOPE), ("dot",)]


def test_answers_are_in_order(serve: Serve, connect: Connect) -> None:
    """Each answer belongs to the message at its place."""
    answers = list(connect(serve()).send_many(_attempts(4)))
    assert [answer.message_id for answer in answers if isinstance(answer, Receipt)] == [
        f"<{n}@acme.example>" for n in (1, 2, 3, 4)
    ]


def test_a_server_that_dies_of_it_leaves_one_message_in_doubt(serve: Serve, connect: Connect) -> None:
    """Where the answer failed to come, nothing is written behind a content again by this process."""
    server = serve(at={"dot": Nth(1, Cut())})
    assert _sent(connect(server), _attempts(4)) == [OutcomeUnknown, Receipt, Receipt, Receipt]
    assert server.reads(connection=2) == [("ehlo",), *[_ENVELOPE, ("dot",)] * 3]


def test_dovecot_is_not_asked_to_bear_it(serve: Serve, connect: Connect) -> None:
    """Its submission server offers PIPELINING, and aborts when commands follow the dot in one write."""
    server = serve(at={"greeting": Reply(220, "mail.acme.example Dovecot ready.")})
    assert _sent(connect(server), _attempts(3)) == [Receipt] * 3
    assert server.reads() == [("ehlo",), *[_ENVELOPE, ("dot",)] * 3]


def test_without_pipelining(serve: Serve, connect: Connect) -> None:
    """A server that does not offer it gets one command at a time, on one connection."""
    server = serve(capabilities=LOCK_STEP)
    assert _sent(connect(server), _attempts(2)) == [Receipt] * 2
    assert server.reads() == [("ehlo",), *[(command,) for command in (*_ENVELOPE, "dot")] * 2]


def test_nothing_to_send(serve: Serve, connect: Connect) -> None:
    """An empty batch connects to nobody."""
    server = serve()
    assert list(connect(server).send_many([])) == []
    assert server.connections == []


def test_one_in_doubt_at_most(serve: Serve, connect: Connect) -> None:
    """No message is handed over before the one in front of it was answered."""
    attempts = _attempts(4)
    server = serve()
    handed_over: list[list[bool]] = []

    def dot(turn: Turn) -> Behaviour:
        handed_over.append([journal.handed_over for _, journal in attempts])
        return Usual()

    server = serve(at={"dot": dot})
    assert _sent(connect(server), attempts) == [Receipt] * 4
    assert handed_over == [[place <= last for place in range(4)] for last in range(4)]


def test_pulls_one_ahead(serve: Serve, connect: Connect) -> None:
    """The next attempt is pulled before the content of the one in hand leaves, and not the one behind it."""
    pulled: list[int] = []

    def source() -> Iterator[Attempt]:
        for number, attempt in enumerate(_attempts(4), 1):
            pulled.append(number)
            yield attempt

    seen = [list(pulled) for _ in connect(serve()).send_many(source())]
    assert seen == [[1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]


@pytest.mark.parametrize("offered", [CAPABILITIES, LOCK_STEP], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(("code", "meaning"), [(451, SendDeferred), (554, SendRejected)])
def test_one_refused_message(
    serve: Serve, connect: Connect, offered: tuple[str, ...], point: str, code: int, meaning: type
) -> None:
    """A message refused at any stage harms neither the one before nor the one behind, and costs no connection."""
    server = serve(capabilities=offered, at={point: Nth(2, Reply(code, "no"))})
    assert _sent(connect(server), _attempts(3)) == [Receipt, meaning, Receipt]
    assert len(server.connections) == 1
    assert len(server.accepted) == 2


@pytest.mark.parametrize("point", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [Cut(), Reply(421, "4.7.0 enough")])
def test_line_that_ends_in_the_next_envelope(
    serve: Serve, connect: Connect, point: str, fault: Behaviour
) -> None:
    """The announced message goes by a new connection; what was accepted stays accepted."""
    server = serve(at={point: Nth(2, fault)})
    assert _sent(connect(server), _attempts(3)) == [Receipt] * 3
    assert [message.connection for message in server.accepted] == [1, 2, 2]


def test_server_that_takes_one_message_a_connection(serve: Serve, connect: Connect) -> None:
    """Where each connection ends behind its first message, all go, each by its own."""
    server = serve(at={"dot": Then(Usual(), Reply(421, "4.7.0 one is enough"), Cut())})
    assert _sent(connect(server), _attempts(3)) == [Receipt] * 3
    assert [message.connection for message in server.accepted] == [1, 2, 3]


@pytest.mark.parametrize("fault", [Cut(), Silence(), Garbage(), Reply(354, "more")])
def test_lost_answer(serve: Serve, connect: Connect, fault: Behaviour) -> None:
    """A lost answer leaves that message unknown; the one announced behind it was not handed over and goes anew."""
    server = serve(at={"dot": Nth(2, fault)})
    attempts = _attempts(3)
    assert _sent(connect(server, timeout=0.5, final_timeout=0.5), attempts) == [
        Receipt,
        OutcomeUnknown,
        Receipt,
    ]
    assert [message.connection for message in server.accepted] == [1, 2]


def test_refusal_with_a_farewell(serve: Serve, connect: Connect) -> None:
    """421 to the content is an answer: deferred; the next goes by a new connection."""
    server = serve(at={"dot": Nth(1, Reply(421, "4.3.2 shutting down"))})
    assert _sent(connect(server), _attempts(2)) == [SendDeferred, Receipt]


def test_message_that_does_not_fit(serve: Serve, connect: Connect) -> None:
    """What this server can't take is refused in its turn; those around it go."""
    unfit = submission(to=("käufer@customer.example",), number=2), Journal()
    server = serve(capabilities=("PIPELINING",))
    assert _sent(connect(server), [_attempts(1)[0], unfit, _attempts(1)[0]]) == [
        Receipt,
        MessageError,
        Receipt,
    ]
    assert len(server.connections) == 1


class _CalledOff(Journal):
    def __init__(self) -> None:
        super().__init__()
        self.call_off()


def test_called_off(serve: Serve, connect: Connect) -> None:
    """An announced message that is called off gets no content; the line is cut before its dot, and the next goes anew."""
    attempts = [_attempts(1)[0], (submission(number=2), _CalledOff()), (submission(number=3), Journal())]
    server = serve()
    assert _sent(connect(server), attempts) == [Receipt, SendDeferred, Receipt]
    assert [message.connection for message in server.received] == [1, 2]


def test_closed_early(serve: Serve, connect: Connect) -> None:
    """A batch that nobody goes on with lets go of the line on which the next message was announced."""
    attempts = _attempts(3)
    server = serve()
    transport = connect(server)
    answers = transport.send_many(attempts)
    assert isinstance(next(answers), Receipt)
    answers.close()  # type: ignore[attr-defined]
    assert [journal.handed_over for _, journal in attempts] == [True, False, False]
    transport.send(submission(number=9), Journal())
    transport.close()
    server.drain()
    assert [message.connection for message in server.received] == [1, 2]


def test_server_is_not_left_waiting(serve: Serve, connect: Connect) -> None:
    """Closing a batch early cuts the line at once, not when the transport is used again."""
    server = serve()
    transport = connect(server)
    answers = transport.send_many(_attempts(2))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    server.drain()
    assert [connection.ended for connection in server.connections] == ["the client left"]
    transport.close()


def test_send_between_two_answers(serve: Serve, connect: Connect) -> None:
    """A single send in the middle of a batch does not mix with what was announced."""
    server = serve()
    transport = connect(server)
    answers = transport.send_many(_attempts(2))
    next(answers)
    assert transport.send(submission(number=9, to=(OTHER,)), Journal()).reference == "scripted-2"
    assert isinstance(next(answers), Receipt)
    assert [message.recipients[0].address for message in server.accepted] == [CUSTOMER, OTHER, CUSTOMER]


def test_source_that_fails(serve: Serve, connect: Connect) -> None:
    """What pulling the next raises comes out behind the answer of the one in hand."""

    def source() -> Iterator[Attempt]:
        yield from _attempts(1)
        raise RuntimeError("the database is gone")

    answers = connect(serve()).send_many(source())
    assert isinstance(next(answers), Receipt)
    with pytest.raises(RuntimeError, match="database"):
        next(answers)


def test_slow_consumer(serve: Serve, connect: Connect) -> None:
    """A server that hangs up while nobody asks for the next answer is noticed before the next content leaves."""
    server = serve(at={"data": Nth(2, Then(Usual(), Cut()))})
    answers = connect(server).send_many(_attempts(2))
    assert isinstance(next(answers), Receipt)
    _until_cut(server)
    assert isinstance(next(answers), Receipt)
    assert [message.connection for message in server.accepted] == [1, 2]


def _until_cut(server: ScriptedServer) -> None:
    """Wait until the second DATA was answered, and the line ended behind it."""
    import time

    for _ in range(200):
        if server.reached("data") == 2:
            time.sleep(0.05)
            return
        time.sleep(0.01)
    raise AssertionError("the second message was never announced")


def test_recipients_of_each_message_alone(serve: Serve, connect: Connect) -> None:
    """A refused recipient of one message leaves the others whole."""
    server = serve(at={"rcpt": ByAddress({OTHER: Reply(550, "5.1.1 no")})})
    attempts = [(submission(number=1, to=(CUSTOMER, OTHER)), Journal()), *_attempts(1)]
    first, second = connect(server).send_many(attempts)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (list(first.refused), dict(second.refused)) == ([OTHER], {})


def test_all_recipients_of_the_announced_refused(serve: Serve, connect: Connect) -> None:
    """An announced message that nobody may have is refused in its turn, though the server asks for its content."""

    def data(turn: Turn) -> Behaviour | None:
        return Reply(354, "go ahead") if turn.occurrence == 2 else None

    server = serve(at={"rcpt": Nth(2, Reply(550, "5.1.1 no")), "data": data})
    attempts = _attempts(3)
    assert _sent(connect(server), attempts) == [Receipt, SendRejected, Receipt]
    assert [message.content for message in server.received][1] == b""
    assert [journal.handed_over for _, journal in attempts] == [True, False, True]


def test_refused_sign_in_is_answered_once_each(serve: Serve, connect: Connect) -> None:
    """Each message of a batch is answered, though the server takes none."""
    answers = list(connect(serve(at={"greeting": Reply(554, "no")})).send_many(_attempts(3)))
    assert [type(answer) for answer in answers] == [SendDeferred] * 3
    assert all(isinstance(answer, PillarboxError) for answer in answers)
