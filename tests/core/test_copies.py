"""What became of a sent copy is told with the receipt, and what takes time behind the acceptance can't undo it."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from pillarbox import (
    Answer,
    AnswerState,
    Copy,
    CopyState,
    Envelope,
    Journal,
    Receipt,
    SendDeferred,
    SightingState,
)
from pillarbox._mail import ACCEPTED
from pillarbox._outbox.rows import receipt_of, receipt_text
from pillarbox.outbox import deliver
from tests.core.doubles import LETTER, SECRET, Known, Scripted, mailer, slow, submission

LATER = Answer(AnswerState.REFUSED_FOR_NOW, "busy", "450")


class FilesCopies(Scripted):
    """Tells the journal that the message was accepted, and then does as it was told."""

    def send(self, submission, journal):
        journal.accepted(Receipt(submission.message_id, "Q1"))
        receipt = super().send(submission, journal)
        kept = Copy(CopyState.FAILED, f"Sent {SECRET}", f"It said {SECRET}.")
        return attrs.evolve(receipt, copy=kept)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CopyState.FILED, "A copy was filed in Sent at b."),
        (CopyState.ALREADY_THERE, "A copy was already in Sent at b."),
        (CopyState.BY_CARRIER, "A copy is filed by Sent at b."),
        (CopyState.UNCLEAR, "Whether a copy is in Sent at b is not known. Why. Do this."),
        (CopyState.FAILED, "No copy was filed in Sent at b. Why. Do this."),
    ],
)
def test_a_copy_says_where_it_is(state, said):
    made = Copy(state, "Sent at b", "Why.", cure="Do this.")
    assert str(made) == said
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made


@pytest.mark.parametrize("where", ["before", "inside", "after"])
@pytest.mark.parametrize("error", [RuntimeError(SECRET), SendDeferred("No.")])
def test_what_fails_behind_the_acceptance_does_not_undo_it(where, error):
    """Rule 18: an error, of whatever kind, leaves the receipt as it was."""
    receipt = deliver(submission(), Journal(), FilesCopies((where, error)))
    assert (receipt.reference, receipt.copy) == ("Q1", None)


def test_the_words_of_a_mailbox_are_redacted():
    """As those of the carrier are."""
    receipt = deliver(submission(), Journal(), FilesCopies(credentials=Known()))
    assert receipt.copy is not None
    assert SECRET not in repr(receipt)
    assert receipt.copy.detail == "It said [secret]."


def test_a_deadline_behind_the_acceptance_returns_the_receipt():
    """The copy goes on being filed; the caller hears what is known."""

    class Accepts(slow()):
        def send(self, submission, journal):
            with journal.handing_over():
                journal.accepted(Receipt(submission.message_id, "Q1"))
            self._wait(6.0)
            return Receipt(submission.message_id, "too late")

    assert mailer(Accepts).send(LETTER, user="anna", deadline=3.0).reference == "Q1"


def test_a_look_knows_what_was_accepted_before_a_crash():
    """The journal's note is the answer, without asking anybody; a damaged one is none."""
    journal = Journal()
    journal.accepted(Receipt("<1@acme.example>", "Q1"))
    sighting = Scripted().find(submission(), Journal(journal.notes))
    assert sighting.receipt is not None
    assert sighting.receipt.reference == "Q1"
    for damaged in ("", "[]", "{}", '{"recipients": 1}', '{"recipients": {"a": "x"}}'):
        assert Journal({"accepted": damaged}).noted_receipt(submission()) is None


def test_the_note_of_an_earlier_try_says_nothing_of_those_left_over():
    """Who was refused for now is tried again; a crash in that try is a doubt of its own."""
    letter = submission()
    [who] = letter.envelope.recipients
    first, journal = Receipt(letter.message_id, recipients={who: LATER, "b@x.example": ACCEPTED}), Journal()
    journal.accepted(first)
    assert Scripted().find(letter, journal).state is SightingState.UNCLEAR
    both = attrs.evolve(letter, envelope=Envelope(None, (who, "b@x.example")))
    found = Scripted().find(both, journal).receipt
    assert found is not None
    assert list(found.refused) == [who]


def test_an_outbox_keeps_what_became_of_the_copy():
    """With the receipt, as it was."""
    copied = Copy(CopyState.FAILED, "Sent", "It is full.", cure="Make room.")
    receipt = Receipt("<1@acme.example>", copy=copied)
    assert receipt_of(receipt_text(receipt)) == attrs.evolve(receipt, recipients={})
    assert receipt_of(receipt_text(attrs.evolve(receipt, copy=None))).copy is None
