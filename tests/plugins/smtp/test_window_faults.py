"""Whatever goes wrong in a window: nothing that was accepted is called unsent, nothing is sent twice, nothing invented."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox import Journal, OutcomeUnknown, Receipt
from pillarbox.testing.smtp_server import Behaviour, Cut, Garbage, Nth, Received, Reply, Reset, ScriptedServer
from pillarbox_smtp import SmtpTransport, lockstep, window
from tests.plugins.smtp import givens

POINTS = ("rset", "mail", "rcpt", "bdat", "bdat-last", "body", "dot", "data")
FAULTS: tuple[Behaviour, ...] = (
    Cut(),
    Reset(),
    Garbage(),
    Reply(421, "4.3.2 shutting down"),
    Reply(450, "4.2.1 busy"),
    Reply(452, "4.3.1 full"),
    Reply(500, "5.5.1 what?"),
    Reply(503, "5.5.1 not now"),
    Reply(550, "5.7.1 no"),
    Reply(354, "go on"),
)
Faults = Sequence[tuple[str, int, Behaviour]]
COUNT = 9


def _content(number: int) -> bytes:
    return b"Subject: %d\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n" % number


def _sent(server: ScriptedServer, number: int) -> list[Received]:
    return [one for one in server.received if one.content == _content(number)]


def _run(faults: Faults, size: int) -> tuple[list[Any], ScriptedServer]:
    with ScriptedServer(at={point: Nth(number, fault) for point, number, fault in faults}) as server:
        given_ = givens.settings(port=server.port, chunking_window=size)
        attempts = [
            (givens.submission(_content(number), number=number), Journal()) for number in range(COUNT)
        ]
        with SmtpTransport(given_, givens.Known()) as transport:
            answers = list(transport.send_many(attempts))
        server.drain()
    return answers, server


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@settings(max_examples=40, deadline=None)
@given(
    faults=st.lists(
        st.tuples(st.sampled_from(POINTS), st.integers(1, COUNT), st.sampled_from(FAULTS)),
        max_size=4,
        unique_by=lambda one: one[0],
    )
)
def test_every_answer_is_true(size: int, faults: Faults) -> None:
    """One answer each, in order; what the server said of a message is what is told of it, or that it is not known."""
    window.AVOIDED.clear()
    lockstep.forget_all()
    answers, server = _run(faults, size)
    assert len(answers) == COUNT
    for number, answer in enumerate(answers):
        said = collections.Counter(one.answer for one in _sent(server, number))
        took = sum(count for code, count in said.items() if code is None or code // 100 == 2)
        assert took <= 1, "it was sent twice"
        if isinstance(answer, Receipt):
            assert said[250] == 1, "it was not accepted"
        elif not isinstance(answer, OutcomeUnknown):
            assert took == 0, "it was accepted, and may be sent again"
    assert sum(isinstance(answer, OutcomeUnknown) for answer in answers) <= max(1, size) + len(faults)
