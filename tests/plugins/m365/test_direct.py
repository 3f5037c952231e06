"""Send only: one request, MIME where it can be; what is too large is refused with the cure."""

from __future__ import annotations

import random

import pytest

from pillarbox import Attachment, Journal, MessageError, OutcomeUnknown, Receipt, SendDeferred
from pillarbox.testing.graph import FakeGraph, Fault
from tests.plugins.m365.givens import ANNA, ORDERS, SEND, outcome_of, steps, submission, transport
from tests.plugins.m365.test_drafts import files_of


def kind_of(graph: FakeGraph) -> str:
    return graph.requests[-1].headers["content-type"]


def test_a_message_goes_as_its_bytes(graph: FakeGraph) -> None:
    """In one request, with Bcc hidden."""
    with transport(graph, scopes=SEND) as one:
        receipt = one.send(submission(bcc=["hidden@x.example"]), Journal())
    assert (steps(graph), kind_of(graph)) == (["sendMail"], "text/plain")
    (mail,) = graph.sent(ORDERS)
    assert mail.recipients[-1] == "hidden@x.example"
    assert b"hidden" not in mail.content
    assert receipt.submitted_only
    assert receipt.copy is not None


def test_without_a_copy_it_goes_in_fields(graph: FakeGraph) -> None:
    """MIME has no word for it."""
    with transport(graph, scopes=SEND, save_sent=False) as one:
        receipt = one.send(submission(), Journal())
    assert kind_of(graph) == "application/json"
    assert graph.sent(ORDERS)[0].copy is None
    assert receipt.copy is None


def test_another_from_goes_in_fields(graph: FakeGraph) -> None:
    """Graph may ignore the From of MIME."""
    graph.manners.mime_from = "mailbox"
    with transport(graph, scopes=(*SEND, "Mail.Send.Shared"), mailbox=ANNA) as one:
        one.send(submission(shows=ORDERS), Journal())
    assert graph.sent(ANNA)[0].shown == ORDERS


@pytest.mark.parametrize(("size", "kind"), [(2_000_000, "text/plain"), (2_700_000, "application/json")])
def test_a_larger_file_goes_in_fields(graph: FakeGraph, size: int, kind: str) -> None:
    """It is in base64 once there, and twice in MIME."""
    content = random.Random(size).randbytes(size)
    with transport(graph, scopes=SEND) as one:
        one.send(submission(attachments=[Attachment("a.bin", content)]), Journal())
    assert kind_of(graph) == kind
    assert files_of(graph.sent(ORDERS)[0].content) == {"a.bin": content}


def test_a_file_that_does_not_fit_is_refused_with_the_cure(graph: FakeGraph) -> None:
    """Before anything is asked, and nothing is handed over."""
    journal = Journal()
    with transport(graph, scopes=SEND) as one:
        error = outcome_of(one, submission(attachments=[Attachment("a.bin", bytes(3_100_000))]), journal)
    assert isinstance(error, MessageError)
    assert "send and confirm" in error.cure
    assert steps(graph) == []
    assert not journal.handed_over


def test_a_throttled_call_waits(graph: FakeGraph) -> None:
    """This connection can't look; a 429 is an answer."""
    graph.fault("sendMail", Fault.THROTTLED, retry_after=30)
    with transport(graph, scopes=SEND) as one:
        error = outcome_of(one, submission())
    assert isinstance(error, SendDeferred)
    assert error.retry_after == 30


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.ERROR, Fault.CUT_AFTER, Fault.GARBAGE])
def test_without_an_answer_nobody_knows(graph: FakeGraph, fault: Fault) -> None:
    """And it is not sent again by itself (rule 24)."""
    graph.fault("sendMail", fault)
    with transport(graph, scopes=SEND) as one:
        assert isinstance(outcome_of(one, submission()), OutcomeUnknown)
    assert steps(graph) == ["sendMail"]


def test_a_draft_of_a_time_with_more_rights_is_kept_to(graph: FakeGraph) -> None:
    """A message that has one is not sent beside it, though the connection may only send by now."""
    graph.fault("send", Fault.THROTTLED)
    what, journal = submission(), Journal()
    with transport(graph) as before:
        outcome_of(before, what, journal)
    with transport(graph, scopes=SEND) as one:
        assert not isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert graph.sent(ORDERS) == []
