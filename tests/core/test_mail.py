"""The values that travel, and the states of a submission."""

from __future__ import annotations

import copy
import pickle

import pytest

from pillarbox import (
    Answer,
    AnswerState,
    Envelope,
    Message,
    MessageError,
    Receipt,
    Sighting,
    SightingState,
    State,
    Submission,
    compose,
)
from pillarbox._mail import ACCEPTED, TRANSITIONS
from tests.core.messages import AT, KEY, ROUTE


def submission(**changes: object) -> Submission:
    """Return a submission of two recipients, one of them hidden."""
    message = Message(to="a@b.example", bcc="hidden@b.example", subject="Hi", text="Hello", **changes)  # type: ignore[arg-type]
    return compose(message, ROUTE, key=KEY, at=AT)


def test_an_envelope_names_each_recipient_once_in_order() -> None:
    """Two RCPT for one mailbox would be two copies."""
    assert Envelope("a@b.example", ["x@b.example", "y@b.example", "x@b.example"]).recipients == (
        "x@b.example",
        "y@b.example",
    )


def test_an_envelope_without_a_recipient_can_not_be_made() -> None:
    """The wrong thing is unsayable."""
    with pytest.raises(MessageError):
        Envelope("a@b.example", [])
    with pytest.raises(MessageError):
        Envelope("a@b.example", "x@b.example")


@pytest.mark.parametrize(
    ("sender", "recipient", "needed"),
    [
        ("a@b.example", "c@d.example", False),
        (None, "c@d.example", False),
        ("ä@b.example", "c@d.example", True),
        ("a@b.example", "ç@d.example", True),
    ],
)
def test_an_envelope_needs_smtputf8_by_any_of_its_paths(
    sender: str | None, recipient: str, needed: bool
) -> None:
    """RFC 6531: one address beyond ASCII is enough."""
    envelope = Envelope(sender, (recipient,))
    assert envelope.smtputf8 is needed
    assert Submission(key=KEY, message_id="<a@b>", envelope=envelope, chunks=(b"",)).smtputf8 is needed


def test_the_copy_with_bcc_differs_by_that_header_only() -> None:
    """What a recipient gets has no Bcc; the sent copy has it at the end of its header."""
    made = submission()
    assert b"hidden" not in made.content
    assert made.content_with_bcc() == made.content.replace(
        b"\r\n\r\nHello", b"\r\nBcc: hidden@b.example\r\n\r\nHello"
    )


def test_the_fields_of_a_submission_can_be_read_from_its_message() -> None:
    """For carriers that take fields, Bcc included."""
    email = submission().message()
    assert (email["To"], email["Bcc"], email["Subject"]) == ("a@b.example", "hidden@b.example", "Hi")
    assert email.get_content() == "Hello\r\n"


def test_the_size_is_that_of_the_content() -> None:
    """As RFC 1870 counts: with every CRLF, without dot-stuffing."""
    made = submission()
    assert made.size == len(made.content) == len(made.content_with_bcc()) - len(made.bcc_header)


def test_a_submission_does_not_show_its_content() -> None:
    """A log that prints one prints no body and no Bcc."""
    assert "Hello" not in repr(submission())
    assert "octets" in repr(submission())
    assert b"Bcc" in submission().bcc_header
    assert "Bcc:" not in repr(submission())


def test_the_refused_of_a_receipt_are_those_not_accepted() -> None:
    """For good and for now alike, with the carrier's words."""
    gone = Answer(AnswerState.REFUSED, "no such user", "550 5.1.1")
    later = Answer(AnswerState.REFUSED_FOR_NOW, "mailbox full", "452")
    answers = {"a@b.example": ACCEPTED, "c@d.example": gone, "e@f.example": later}
    assert Receipt("<a@b>", recipients=answers).refused == {"c@d.example": gone, "e@f.example": later}
    assert Receipt("<a@b>").refused == {}


def test_what_a_carrier_says_is_kept_as_a_quotation() -> None:
    """No escape sequence and no line break of a server reaches a terminal (rule 39)."""
    receipt = Receipt("<a@b>", "id\x1b[31m\r\n4Xk", detail="fine\u202e")
    assert (receipt.reference, receipt.detail) == ("id[31m 4Xk", "fine")
    assert Answer(AnswerState.REFUSED, "a" * 9_999).said == "a" * 512


@pytest.mark.parametrize("state", SightingState)
def test_a_sighting_has_a_receipt_when_and_only_when_it_is_sent(state: SightingState) -> None:
    """SENT without proof, or proof without SENT, can't be said."""
    receipt = Receipt("<a@b>")
    right, wrong = (receipt, None) if state is SightingState.SENT else (None, receipt)
    assert Sighting(state, right).receipt is right
    with pytest.raises(ValueError, match="SENT"):
        Sighting(state, wrong)


def test_every_state_has_its_transitions_and_can_be_reached() -> None:
    """The table is whole: no state is a dead name."""
    assert set(TRANSITIONS) == set(State)
    assert set().union(*TRANSITIONS.values()) | {State.QUEUED} == set(State)


def test_nothing_leaves_a_final_state() -> None:
    """Rule 18: what comes later can't undo an acceptance."""
    final = {state for state, onward in TRANSITIONS.items() if not onward}
    assert final == {State.ACCEPTED, State.REJECTED, State.CANCELLED}


def test_an_unknown_outcome_is_never_just_tried_again() -> None:
    """Rule 21: it is accepted, queued on evidence of absence, or held; `attempting` comes from `claimed` only."""
    assert TRANSITIONS[State.UNKNOWN] == {State.ACCEPTED, State.QUEUED, State.HELD}
    assert [state for state, onward in TRANSITIONS.items() if State.ATTEMPTING in onward] == [State.CLAIMED]
    assert State.QUEUED not in TRANSITIONS[State.ATTEMPTING]


@pytest.mark.parametrize(
    "value",
    [
        submission(),
        Envelope(None, ("a@b.example",)),
        Receipt("<a@b>", recipients={"a@b.example": ACCEPTED}),
        Sighting(SightingState.SENT, Receipt("<a@b>")),
    ],
)
def test_what_travels_survives_pickle_and_copy(value: object) -> None:
    """It crosses process boundaries (Celery)."""
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
