"""A server that does not bear what it offers leaves one message in doubt, not each."""

from __future__ import annotations

import pytest

from pillarbox import Journal, OutcomeUnknown, Receipt, Submission
from pillarbox.testing.smtp_server import Cut, Nth, Reply
from pillarbox_smtp import lockstep
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import submission

_ENVELOPE = ("mail", "rcpt", "data")


def _attempts(count: int) -> list[tuple[Submission, Journal]]:
    return [(submission(number=number), Journal()) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("greeting", "bears"),
    [
        ("mail.acme.example Dovecot (Debian) ready.", False),
        ("DOVECOT", False),
        ("mail.acme.example ESMTP Postfix", True),
        ("", True),
    ],
)
def test_known_by_the_greeting(greeting: str, bears: bool) -> None:
    """Dovecot's submission server is known not to bear it."""
    assert lockstep.bears_commands_behind_content(greeting) is bears


def test_nothing_behind_the_content(serve: Serve, connect: Connect) -> None:
    """The envelope is still one write; the next one waits for the answer to the content."""
    server = serve(at={"greeting": Reply(220, "mail.acme.example Dovecot ready.")})
    answers = list(connect(server).send_many(_attempts(2)))
    assert [type(answer) for answer in answers] == [Receipt, Receipt]
    assert server.reads() == [("ehlo",), _ENVELOPE, ("dot",), _ENVELOPE, ("dot",)]


def test_surprise_is_remembered(serve: Serve, connect: Connect) -> None:
    """After a message left in doubt nothing is written behind a content to that server, on any connection."""
    server = serve(at={"dot": Nth(1, Cut())})
    answers = list(connect(server).send_many(_attempts(3)))
    assert [type(answer) for answer in answers] == [OutcomeUnknown, Receipt, Receipt]
    assert server.reads(2) == [("ehlo",), _ENVELOPE, ("dot",), _ENVELOPE, ("dot",)]
    assert [type(answer) for answer in connect(server).send_many(_attempts(2))] == [Receipt, Receipt]
    assert server.reads(3)[1:3] == [_ENVELOPE, ("dot",)]


def test_doubt_without_commands_behind_it(serve: Serve, connect: Connect) -> None:
    """A message alone that is left in doubt says nothing of what a server bears."""
    server = serve(at={"dot": Nth(1, Cut())})
    transport = connect(server)
    with pytest.raises(OutcomeUnknown):
        transport.send(submission(), Journal())
    assert not lockstep.is_remembered("127.0.0.1", server.port)


def test_memory_is_bounded() -> None:
    """The oldest are forgotten."""
    for port in range(lockstep.MOST_REMEMBERED + 10):
        lockstep.remember("mail.acme.example", port)
    assert not lockstep.is_remembered("mail.acme.example", 9)
    assert lockstep.is_remembered("mail.acme.example", 10)
