"""What waits: what may go by the account as it would be, and what would be held (rule 27)."""

from __future__ import annotations

from pillarbox import Level, Message, OutcomeUnknown
from pillarbox._advice.waiting import MOST_TOLD

from .scene import ANNA, ByUser, Settings, found, mailer

LETTER = Message(to=["ap@customer.example"], subject="Invoice", text="Hello")


def test_what_looks_the_same_may_be_moved():
    """By the command that is told."""
    box = mailer()
    box.enqueue(LETTER, user="anna")
    told = found(box, "split")["change-waiting"][0]
    assert told.seen == "1 that wait may go by the account as it would be"
    assert told.cure == "Move them: pillarbox company set --method split --move"


def test_what_would_look_other_would_be_held():
    """From is frozen."""
    box = mailer()
    kept = box.enqueue(LETTER, user="anna")
    told = found(box, "amail")["change-waiting-held"][0]
    assert told.seen.startswith(f"{kept.key[:8]} would be held: It shows anna@acme.example")
    assert told.level is Level.WARN


class Doubtful(ByUser):
    settings: Settings
    label = "Doubtful"

    def send(self, submission, journal):
        with journal.handing_over():
            raise OutcomeUnknown("The line broke.")


def test_what_may_have_been_sent_is_never_moved():
    """Another account would send it twice."""
    box = mailer(method="doubtful", extra={"doubtful": Doubtful})
    box.enqueue(LETTER, user="anna")
    box.worker().run(drain=True)
    assert "It may have been sent" in found(box, "split")["change-waiting-held"][0].seen


def test_of_very_many_the_first_are_told():
    """And the rest are counted."""
    box = mailer()
    for _ in range(MOST_TOLD + 3):
        box.enqueue(LETTER, user="anna")
    *_, last = found(box, "amail")["change-waiting-held"]
    assert last.seen == "3 more would be held"


def test_nothing_is_moved_by_asking():
    """It is only thought of."""
    box = mailer(ANNA)
    kept = box.enqueue(LETTER, user="anna")
    found(box, "split")
    assert box.outbox.get(kept.key) == kept
