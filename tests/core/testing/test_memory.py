"""The box in memory fails at whatever point it is told, and keeps what it was given."""

from __future__ import annotations

import pytest

from pillarbox import (
    Account,
    Answer,
    AnswerState,
    Envelope,
    Journal,
    Level,
    OutcomeUnknown,
    Plugins,
    SendDeferred,
    SendRejected,
    SightingState,
    Submission,
)
from pillarbox.testing import Box, MemorySettings, MemoryTransport, Sent

OFFICE, AP = "office@customer.example", "ap@customer.example"


def submission(key: str = "0" * 32) -> Submission:
    content = b"From: anna@acme.example\r\nSubject: Invoice 1001\r\n\r\nText\r\n"
    return Submission(
        key=key,
        message_id=f"<{key}@acme.example>",
        envelope=Envelope("anna@acme.example", (AP, OFFICE)),
        chunks=(content,),
        from_header="anna@acme.example",
        header_size=content.index(b"\r\n\r\n") + 2,
        bcc_header=b"Bcc: hidden@customer.example\r\n",
    )


@pytest.fixture
def transport() -> MemoryTransport:
    made = MemoryTransport(MemorySettings(box="test_memory"))
    made.box.clear()
    return made


def test_what_is_sent_is_in_the_box(transport):
    """With the account that carried it."""
    transport.account = Account(owner="user:anna", method="memory")
    receipt = transport.send(submission(), Journal())
    assert receipt.reference == "memory-1"
    assert transport.box.sent == [
        Sent(submission=transport.box.sent[0].submission, account=transport.account)
    ]


def test_transports_of_one_box_share_it_and_others_do_not(transport):
    """The box's name is in the settings."""
    MemoryTransport(MemorySettings(box="test_memory")).send(submission(), Journal())
    assert len(transport.box.sent) == 1
    assert Box.named("another").sent == []


def test_what_was_sent_reads_well(transport):
    """Who it is from, whom it goes to, by whom, about what."""
    transport.account = Account(owner="company", method="memory")
    transport.send(submission(), Journal())
    [sent] = transport.box.sent
    assert (sent.shown, sent.to, sent.by, sent.subject) == (
        "anna@acme.example",
        (AP, OFFICE),
        "company",
        "Invoice 1001",
    )
    assert sent.message["Bcc"] == "hidden@customer.example"
    assert str(sent) == f"'Invoice 1001' from anna@acme.example to {AP}, {OFFICE} by company"


@pytest.mark.parametrize(
    ("point", "handed_over", "count"),
    [({}, False, 0), ({"handed_over": True}, True, 0), ({"accepted": True}, True, 1)],
    ids=["before", "inside, not accepted", "inside, accepted"],
)
def test_any_error_can_be_had_at_any_point(transport, point, handed_over, count):
    """Before the hand-over, inside it, and inside it with the message accepted; once."""
    transport.box.fail_next(KeyError("any"), **point)
    journal = Journal()
    with pytest.raises(KeyError, match="any"):
        transport.send(submission(), journal)
    assert (journal.handed_over, len(transport.box.sent)) == (handed_over, count)
    transport.send(submission("1" * 32), Journal())


def test_a_later_send_can_be_made_to_fail(transport):
    """After so many that go well."""
    transport.box.fail_next(SendDeferred("full"), after=2)
    answers = list(transport.send_many([(submission(str(n) * 32), Journal()) for n in range(4)]))
    assert [type(answer).__name__ for answer in answers] == ["Receipt", "Receipt", "SendDeferred", "Receipt"]


def test_a_refused_recipient_is_in_the_receipt(transport):
    """And gets nothing; the others do."""
    transport.box.refuse(OFFICE, "no such user")
    receipt = transport.send(submission(), Journal())
    assert receipt.refused == {OFFICE: Answer(AnswerState.REFUSED, "no such user")}
    assert transport.box.sent[0].to == (AP,)


@pytest.mark.parametrize(("for_now", "error"), [(False, SendRejected), (True, SendDeferred)])
def test_when_everybody_is_refused_nothing_leaves(transport, for_now, error):
    """Final when all are refused for good, else to be tried later (rule 25)."""
    transport.box.refuse(AP)
    transport.box.refuse(OFFICE, "busy", for_now=for_now)
    journal = Journal()
    with pytest.raises(error, match="no such user") as refusal:
        transport.send(submission(), journal)
    assert set(refusal.value.recipients) == {AP, OFFICE}
    assert not journal.handed_over
    assert transport.box.sent == []


def test_a_look_has_three_answers(transport):
    """In the box, not in the box, and a box that can't be seen."""
    transport.send(submission(), Journal())
    assert transport.find(submission(), Journal()).state is SightingState.SENT
    assert transport.find(submission("1" * 32), Journal()).state is SightingState.ABSENT
    transport.box.can_be_seen = False
    assert transport.find(submission(), Journal()).state is SightingState.UNCLEAR
    assert [finding.level for finding in transport.check()] == [Level.FAIL]


def test_an_answer_that_was_lost_can_be_found(transport):
    """The hard case: handed over, accepted, and nobody was told."""
    transport.box.fail_next(OutcomeUnknown("closed"), accepted=True)
    with pytest.raises(OutcomeUnknown):
        transport.send(submission(), Journal())
    assert transport.find(submission(), Journal()).state is SightingState.SENT


def test_a_box_that_is_cleared_behaves_well_again(transport):
    """Nothing of one test is left for the next."""
    transport.box.fail_next(KeyError("any"))
    transport.box.refuse(AP)
    transport.box.can_be_seen = False
    transport.box.clear()
    assert transport.send(submission(), Journal()).refused == {}
    assert transport.find(submission(), Journal()).state is SightingState.SENT


def test_memory_is_no_method_in_production():
    """It is given by whoever wants it, never found."""
    assert "memory" not in Plugins()
    assert Plugins(extra={"memory": MemoryTransport})["memory"] is MemoryTransport
