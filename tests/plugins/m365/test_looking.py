"""Whether a mail was sent: what a look finds, and that it never says more than it saw."""

from __future__ import annotations

import pytest

from pillarbox import Journal, OutcomeUnknown, Sighting, SightingState, Submission
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from tests.plugins.m365.givens import ORDERS, SEND, outcome_of, submission, transport

EVERY = [*(fault for fault in Fault if fault is not Fault.SLOW), Answer(404, "MailboxNotEnabledForRESTAPI")]


def found(graph: FakeGraph, what: Submission, journal: Journal, **given: object) -> Sighting:
    with transport(graph, timeout=0.5, **given) as one:
        return one.find(what, Journal(journal.notes))


def lost(graph: FakeGraph, what: Submission) -> Journal:
    """Send, and lose the answer."""
    graph.fault("send", Fault.CUT_AFTER)
    journal = Journal()
    with transport(graph) as one:
        outcome_of(one, what, journal)
    return journal


def test_a_mail_whose_answer_was_lost(graph: FakeGraph) -> None:
    """It is found by its draft's id; the receipt says what Graph calls it."""
    what = submission()
    journal = lost(graph, what)
    seen = found(graph, what, journal)
    assert seen.state is SightingState.SENT
    assert seen.receipt is not None
    assert seen.receipt.message_id == what.message_id
    assert seen.receipt.reference == journal.notes["m365.draft"]
    assert seen.receipt.submitted_only


@pytest.mark.parametrize(
    ("immutable", "tags", "ids"),
    [
        (True, "lost", "replaced"),
        (False, "kept", "replaced"),
        (False, "lost", "kept"),
        (True, "kept", "kept"),
    ],
)
def test_whatever_one_name_is_left(graph: FakeGraph, immutable: bool, tags: str, ids: str) -> None:
    """The draft's id, our tag or the Message-ID: each is enough."""
    graph.manners.immutable_ids, graph.manners.tags, graph.manners.message_ids = immutable, tags, ids
    what = submission()
    assert found(graph, what, lost(graph, what)).state is SightingState.SENT


def test_no_name_is_left(graph: FakeGraph) -> None:
    """Then nobody knows."""
    graph.manners.immutable_ids, graph.manners.tags, graph.manners.message_ids = False, "lost", "replaced"
    what = submission()
    assert found(graph, what, lost(graph, what)).state is SightingState.UNCLEAR


def test_a_draft_that_is_still_one(graph: FakeGraph) -> None:
    """That is evidence: it was not sent."""
    graph.fault("send", Fault.CUT_BEFORE)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        outcome_of(one, what, journal)
    assert found(graph, what, journal).state is SightingState.ABSENT


def test_a_draft_that_is_gone_is_no_evidence(graph: FakeGraph) -> None:
    """The person may have deleted it, or its copy."""
    graph.fault("send", Fault.CUT_BEFORE)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        outcome_of(one, what, journal)
    graph._mailbox(ORDERS).items.clear()
    assert found(graph, what, journal).state is SightingState.UNCLEAR


def test_a_copy_that_comes_late(graph: FakeGraph) -> None:
    """Until then nothing is known."""
    graph.manners.copy_lag, graph.manners.immutable_ids = 3600.0, False
    what = submission()
    journal = lost(graph, what)
    seen = found(graph, what, journal)
    assert (seen.state, seen.is_final) == (SightingState.UNCLEAR, False)
    for item in graph._mailbox(ORDERS).items:
        item.seen_from = 0.0
    assert found(graph, what, journal).state is SightingState.SENT


def test_a_draft_that_lies_in_the_outbox(graph: FakeGraph) -> None:
    """It is about to be sent, whatever it is called: nobody says that it was not."""
    graph.manners.outbox_lag = 3600.0
    what = submission()
    journal = lost(graph, what)
    assert found(graph, what, journal).state is SightingState.UNCLEAR
    with transport(graph) as one:
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), OutcomeUnknown)
    assert len(graph.sent(ORDERS)) == 1


@pytest.mark.parametrize("step", ["get", "list"])
@pytest.mark.parametrize("fault", EVERY, ids=str)
def test_a_look_that_fails_is_unclear(graph: FakeGraph, fault: Fault | Answer, step: str) -> None:
    """Never absent, whatever fails (rule 21)."""
    graph.manners.immutable_ids = step == "get"
    what = submission()
    journal = lost(graph, what)
    graph.fault(step, fault, times=9)
    assert found(graph, what, journal).state is SightingState.UNCLEAR


def test_another_mail_is_no_evidence(graph: FakeGraph) -> None:
    """Neither way."""
    lost(graph, submission())
    assert found(graph, submission(), Journal()).state is SightingState.UNCLEAR


def test_who_may_only_send_can_never_look(graph: FakeGraph) -> None:
    """That is final, and says what would help."""
    seen = found(graph, submission(), Journal(), scopes=SEND)
    assert (seen.state, seen.is_final) == (SightingState.UNCLEAR, True)
    assert "send and confirm" in seen.detail


def test_a_quote_in_a_message_id_is_quoted(graph: FakeGraph) -> None:
    """It changes no question."""
    import attrs

    what = attrs.evolve(submission(), message_id="<o'neill&x#y%z+1@acme.example>")
    assert found(graph, what, Journal()).state is SightingState.UNCLEAR
    assert {request.status for request in graph.requests} == {200}
