"""Several messages on the way at once: opt-in, up to the window in doubt, each judged by the replies that came."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox import Journal, OutcomeUnknown, Receipt, SendDeferred, SendRejected
from pillarbox.testing._smtp.session import Session
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    Behaviour,
    ByAddress,
    Cut,
    Garbage,
    Joined,
    Nth,
    Reply,
    ScriptedServer,
    Silence,
    Usual,
)
from pillarbox_smtp import SmtpTransport, lockstep, window
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import CUSTOMER, OTHER, submission

UNCHUNKED = tuple(one for one in CAPABILITIES if one != "CHUNKING")
HOSTILE = b"Subject: x\r\n\r\n.\r\n..\r\nMAIL FROM:<eve@evil.example>\r\n.\r\n"


@pytest.fixture(autouse=True)
def _nothing_avoided() -> Iterator[None]:
    yield
    window.AVOIDED.clear()
    lockstep.forget_all()


def _attempts(count: int) -> list:
    return [(submission(HOSTILE, number=number), Journal()) for number in range(1, count + 1)]


def _kinds(transport: SmtpTransport, attempts: list) -> list[type]:
    return [type(answer) for answer in transport.send_many(attempts)]


def test_it_is_off_unless_asked_for(serve: Serve, connect: Connect) -> None:
    """The content goes by DATA."""
    server = serve()
    assert _kinds(connect(server), _attempts(3)) == [Receipt] * 3
    assert server.heard("bdat") == server.heard("bdat-last") == []


def test_every_octet_arrives_and_no_dot_is_doubled(serve: Serve, connect: Connect) -> None:
    """BDAT counts octets, so nothing in the content means anything."""
    server = serve()
    answers = list(connect(server, chunking_window=4).send_many(_attempts(9)))
    assert [answer.message_id for answer in answers] == [
        f"<{number}@acme.example>" for number in range(1, 10)
    ]
    assert [one.content for one in server.accepted] == [HOSTILE] * 9
    assert server.heard("dot") == []


def test_messages_go_before_the_one_in_front_is_answered(serve: Serve, connect: Connect) -> None:
    """Several in one read of the server, where the first has shown that it knows BDAT."""
    server = serve()
    _kinds(connect(server, chunking_window=8), _attempts(16))
    assert max(read.count("mail") for read in server.reads()) > 1


def test_no_more_than_the_window_are_in_doubt(serve: Serve, connect: Connect) -> None:
    """Pulled and handed over only when there is room."""
    attempts = _attempts(12)
    in_doubt = []
    for number, _ in enumerate(connect(serve(), chunking_window=4).send_many(attempts), 1):
        in_doubt.append(sum(journal.handed_over for _, journal in attempts) - number)
    assert max(in_doubt) <= 4


def test_a_server_that_does_not_offer_it_is_served_as_usual(serve: Serve, connect: Connect) -> None:
    """The setting asks for nothing impossible."""
    server = serve(capabilities=UNCHUNKED)
    assert _kinds(connect(server, chunking_window=4), _attempts(3)) == [Receipt] * 3
    assert server.heard("bdat-last") == []


def test_one_refusal_is_one_answer(serve: Serve, connect: Connect) -> None:
    """The others are accepted, in order, on the same connection."""
    server = serve(at={"bdat-last": Nth(3, Reply(554, "5.7.1 spam"))})
    kinds = _kinds(connect(server, chunking_window=4), _attempts(6))
    assert kinds == [Receipt, Receipt, SendRejected, Receipt, Receipt, Receipt]
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("reply", "kind"), [(Reply(550, "5.1.1 nobody"), SendRejected), (Reply(450, "4.2.1 busy"), SendDeferred)]
)
def test_when_no_recipient_is_taken_it_was_not_sent(
    serve: Serve, connect: Connect, reply: Reply, kind: type
) -> None:
    """Whatever the server says to the content."""
    server = serve(at={"rcpt": Nth(2, reply)})
    assert _kinds(connect(server, chunking_window=3), _attempts(3)) == [Receipt, kind, Receipt]


def test_a_refused_sender_is_told_as_such(serve: Serve, connect: Connect) -> None:
    """And RSET in front of the next leaves nothing of it behind."""
    server = serve(at={"mail": Nth(2, Reply(553, "5.7.1 not yours"))})
    answers = list(connect(server, chunking_window=3).send_many(_attempts(4)))
    assert [type(answer) for answer in answers] == [Receipt, SendRejected, Receipt, Receipt]
    assert answers[1].stage == "sender"


def test_one_refused_recipient_does_not_stop_the_other(serve: Serve, connect: Connect) -> None:
    """Each has its answer."""
    server = serve(at={"rcpt": ByAddress({OTHER: Reply(550, "5.1.1 nobody")})})
    attempts = [(submission(HOSTILE, to=(CUSTOMER, OTHER), number=n), Journal()) for n in (1, 2)]
    answers = list(connect(server, chunking_window=2).send_many(attempts))
    assert [list(answer.refused) for answer in answers] == [[OTHER], [OTHER]]


def test_a_cut_line_leaves_the_window_in_doubt_and_the_rest_goes_by_data(
    serve: Serve, connect: Connect
) -> None:
    """Those that were answered are accepted, those that were handed over are unknown, the rest are sent."""
    server = serve(at={"bdat-last": Nth(4, Cut())})
    kinds = _kinds(connect(server, chunking_window=3), _attempts(10))
    assert kinds[:3] == [Receipt] * 3
    assert kinds[3] is OutcomeUnknown
    assert kinds.count(OutcomeUnknown) <= 3
    assert set(kinds[6:]) == {Receipt}
    assert len(server.accepted) == kinds.count(Receipt)
    assert server.heard("dot")


def test_silence_leaves_the_window_in_doubt(serve: Serve, connect: Connect) -> None:
    """One deadline for the answer, and none of those behind it is waited for."""
    server = serve(at={"bdat-last": Nth(2, Silence())})
    kinds = _kinds(connect(server, chunking_window=3, final_timeout=0.3), _attempts(6))
    assert kinds[:2] == [Receipt, OutcomeUnknown]
    assert kinds.count(OutcomeUnknown) <= 3


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_that_does_not_know_it_after_all_gets_data(
    serve: Serve, connect: Connect, code: int
) -> None:
    """One octet has shown it: all go in lock step, on another line, and BDAT is not tried again."""
    server = serve(at={"bdat": Reply(code, "5.5.1 what?")})
    assert _kinds(connect(server, chunking_window=4), _attempts(4)) == [Receipt] * 4
    assert len(server.accepted) == 4
    assert len(server.heard("bdat")) == 1
    assert server.heard("bdat-last") == []


@pytest.mark.parametrize("code", [500, 502])
def test_a_server_that_knows_no_last_chunk_gets_data(serve: Serve, connect: Connect, code: int) -> None:
    """It said no to each, in full: each is sent again in lock step, once, and those behind never by BDAT."""
    server = serve(at={"bdat-last": Reply(code, "5.5.1 what?")})
    assert _kinds(connect(server, chunking_window=4), _attempts(6)) == [Receipt] * 6
    assert len(server.accepted) == 6
    assert len(server.heard("bdat-last")) == 4


@pytest.fixture
def knows_no_bdat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that offers CHUNKING and takes BDAT, and what follows it, for commands that it does not know."""
    monkeypatch.delitem(Session._ANSWERS, "bdat")


@pytest.mark.usefixtures("knows_no_bdat")
def test_content_is_never_taken_for_commands(serve: Serve, connect: Connect) -> None:
    """Of the first message one octet has left; it and all others go by DATA, each once."""
    server = serve()
    assert _kinds(connect(server, chunking_window=4), _attempts(5)) == [Receipt] * 5
    assert [one.content for one in server.accepted] == [HOSTILE] * 5
    assert server.heard("other") == [b"BDAT 1\r\n"]


@pytest.mark.usefixtures("knows_no_bdat")
@pytest.mark.parametrize("point", ["mail", "rcpt"])
def test_a_refused_first_does_not_spoil_the_next(serve: Serve, connect: Connect, point: str) -> None:
    """The octet behind the BDAT that was not known would stand in front of the next command: the line is let go."""
    server = serve(at={point: Nth(1, Reply(550, "5.1.1 nobody"))})
    assert _kinds(connect(server, chunking_window=4), _attempts(4)) == [SendRejected, *[Receipt] * 3]
    assert server.heard("other") == [b"BDAT 1\r\n"]
    assert len(server.accepted) == 3


@pytest.mark.parametrize("behaviour", [Cut(), Silence(), Garbage(), Reply(354, "go on")], ids=repr)
def test_a_server_that_stumbles_over_the_octet_gets_data(
    serve: Serve, connect: Connect, behaviour: Behaviour
) -> None:
    """Without LAST nothing can have been accepted: it is no doubt, and is sent again, once, by DATA."""
    server = serve(at={"bdat": behaviour})
    assert _kinds(connect(server, chunking_window=4, timeout=0.5), _attempts(3)) == [Receipt] * 3
    assert (len(server.accepted), len(server.heard("bdat"))) == (3, 1)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Reply(452, "4.3.1 full"), SendDeferred),
        (Reply(554, "5.7.1 no"), SendRejected),
        (Reply(421, "4.3.2 bye"), SendDeferred),
    ],
    ids=["452", "554", "421"],
)
def test_an_answer_to_the_octet_is_the_message_s(
    serve: Serve, connect: Connect, behaviour: Behaviour, kind: type
) -> None:
    """A server that knows BDAT says by it what it thinks of the message; the next ones go on."""
    server = serve(at={"bdat": Nth(1, behaviour), "bdat-last": Usual()})
    kinds = _kinds(connect(server, chunking_window=4), _attempts(3))
    assert kinds == [kind, Receipt, Receipt]
    assert len(server.accepted) == 2


@pytest.mark.parametrize(("point", "number"), [("bdat-last", 2), ("rset", 1), ("mail", 2), ("rcpt", 2)])
def test_a_farewell_clears_what_the_server_never_came_to(
    serve: Serve, connect: Connect, point: str, number: int
) -> None:
    """421 and the end of the line: neither that message nor those behind it are in doubt, and BDAT is not to blame."""
    server = serve(at={point: Nth(number, Reply(421, "4.3.2 shutting down"))})
    kinds = _kinds(connect(server, chunking_window=4), _attempts(8))
    assert OutcomeUnknown not in kinds
    assert kinds[0] is Receipt
    assert kinds[1] is SendDeferred
    assert kinds.count(Receipt) == len(server.accepted)
    assert window.AVOIDED.has("127.0.0.1", server.port) is False


def test_what_comes_behind_a_farewell_is_no_farewell(serve: Serve, connect: Connect) -> None:
    """A server that says 421 and goes on talking is not believed to have come no further."""
    says = Joined(Reply(421, "4.3.2 bye"), Reply(250, "2.0.0 or not"))
    kinds = _kinds(connect(serve(at={"bdat-last": Nth(2, says)}), chunking_window=3), _attempts(4))
    assert kinds[:2] == [Receipt, SendDeferred]
    assert kinds[2] is OutcomeUnknown


@pytest.mark.parametrize("point", ["mail", "rcpt"])
def test_an_answer_that_makes_no_sense_leaves_a_doubt(serve: Serve, connect: Connect, point: str) -> None:
    """Where 354 stands in the place of 250, the replies may be another message's: the last 250 is not believed."""
    server = serve(at={point: Nth(2, Reply(354, "go on"))})
    kinds = _kinds(connect(server, chunking_window=3), _attempts(2))
    assert kinds == [Receipt, OutcomeUnknown]
    assert window.AVOIDED.has("127.0.0.1", server.port)


def test_a_refused_reset_that_mixes_two_messages_leaves_a_doubt(serve: Serve, connect: Connect) -> None:
    """The server refuses the envelope, because the one before still stands, and takes the content for that one."""
    at = {"rcpt": Nth(2, Reply(450, "4.2.1 busy")), "rset": Nth(2, Reply(450, "4.3.0 not now"))}
    server = serve(at=at)
    kinds = _kinds(connect(server, chunking_window=5), _attempts(3))
    assert kinds == [Receipt, SendDeferred, OutcomeUnknown]
    assert len(server.accepted) == 2


def test_a_refused_reset_and_a_cut_leave_a_doubt(serve: Serve, connect: Connect) -> None:
    """A refusal of the envelope is no answer there, and the content may have been taken."""
    rset = Nth(2, Reply(450, "4.3.0 not now"))
    server = serve(at={"rcpt": Nth(2, Reply(450, "4.2.1 busy")), "rset": rset, "bdat-last": Nth(3, Cut())})
    kinds = _kinds(connect(server, chunking_window=5), _attempts(3))
    assert kinds == [Receipt, SendDeferred, OutcomeUnknown]


def test_a_kept_line_that_was_closed_meanwhile(serve: Serve, connect: Connect) -> None:
    """Nothing left on it: the batch goes on another, and nobody is told of it."""
    server = serve(at={"mail": Nth(3, Cut())})
    transport = connect(server, chunking_window=4)
    assert _kinds(transport, _attempts(2)) == [Receipt] * 2
    assert _kinds(transport, _attempts(3)) == [Receipt] * 3
    assert len(server.accepted) == 5


def test_a_transcript_shows_the_envelopes(serve: Serve, connect: Connect) -> None:
    """Commands in words, and of the content its size alone."""
    lines: list[str] = []
    transport = connect(serve(), chunking_window=4, trace=lines.append)
    assert _kinds(transport, _attempts(2)) == [Receipt] * 2
    said = [line for line in lines if line.startswith("C: ")]
    announced = [f"C: MAIL FROM:<orders@acme.example> SIZE={len(HOSTILE)}", f"C: RCPT TO:<{CUSTOMER}>"]
    size = len(HOSTILE)
    first = [*announced, "C: BDAT 1", "C: [1 octets of content]", f"C: BDAT {size - 1} LAST"]
    second = ["C: RSET", *announced, f"C: BDAT {size} LAST", f"C: [{size} octets of content]"]
    assert said[-len(second) :] == second
    assert said[-len(second) - len(first) - 1 : -len(second) - 1] == first
    assert "evil" not in "".join(lines)


def test_a_closed_batch_leaves_what_was_handed_over_unknown(serve: Serve, connect: Connect) -> None:
    """Nobody asks for the answers: the journals tell, and the line is let go."""
    attempts = _attempts(8)
    server = serve()
    transport = connect(server, chunking_window=4)
    answers = transport.send_many(attempts)
    assert isinstance(next(answers), Receipt)
    assert isinstance(next(answers), Receipt)
    answers.close()  # type: ignore[attr-defined]
    assert isinstance(transport.send(submission(number=99), Journal()), Receipt)
    assert len(server.connections) == 2


def test_what_follows_a_window_is_a_message_of_its_own(serve: Serve, connect: Connect) -> None:
    """By DATA, on the same line, after RSET."""
    server = serve()
    transport = connect(server, chunking_window=2)
    assert _kinds(transport, _attempts(3)) == [Receipt] * 3
    assert isinstance(transport.send(submission(number=9), Journal()), Receipt)
    assert _kinds(transport, _attempts(2)) == [Receipt] * 2
    assert len(server.connections) == 1


def test_a_called_off_message_is_not_written(serve: Serve, connect: Connect) -> None:
    """Its place in the answers stays its own."""
    attempts = _attempts(4)
    attempts[2][1].call_off()
    server = serve()
    assert _kinds(connect(server, chunking_window=4), attempts) == [Receipt, Receipt, SendDeferred, Receipt]
    assert len(server.accepted) == 3


def test_large_messages_and_many_replies_do_not_lock_both_sides(serve: Serve, connect: Connect) -> None:
    """What comes is read while the next is written."""
    content = b"Subject: x\r\n\r\n" + b"y" * 76 + b"\r\n"
    big = content + (b"z" * 76 + b"\r\n") * 20_000
    attempts = [(submission(big, number=number), Journal()) for number in range(1, 9)]
    server = serve()
    assert _kinds(connect(server, chunking_window=8), attempts) == [Receipt] * 8
    assert {len(one.content) for one in server.accepted} == {len(big)}


def test_the_scripted_server_is_one_of_those_that_offer_it() -> None:
    """These tests mean something."""
    assert "CHUNKING" in CAPABILITIES
    assert ScriptedServer
