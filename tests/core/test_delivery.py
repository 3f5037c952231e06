"""One attempt, its outcome told by the hand-over; and batches, whose answers keep their order."""

from __future__ import annotations

import datetime as dt
import logging
import traceback

import attrs
import pytest

from pillarbox import (
    Account,
    Address,
    Credentials,
    Journal,
    Limits,
    Message,
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    Route,
    SendDeferred,
    SendRejected,
    SettingsError,
    SignInNeeded,
    State,
    Transport,
    compose,
)
from pillarbox._delivery import deliver, deliver_many, settled
from pillarbox.outbox import TRANSITIONS

ROUTE = Route(account=Account(owner="company", method="x", mailbox="a@acme.example"), from_address=Address("a@acme.example"), envelope_sender="a@acme.example")  # fmt: skip
SECRET = "canary-hunter2"


@attrs.frozen
class NoSettings:
    pass


class Scripted(Transport):
    """Does as it was told: an error before or inside the hand-over, or none."""

    settings: NoSettings
    label = "Scripted"

    def __init__(self, *script, credentials=None):
        super().__init__(NoSettings(), credentials)
        self.script = list(script)

    def send(self, submission, journal):
        where, error = self.script.pop(0) if self.script else ("", None)
        if where == "before":
            raise error
        with journal.handing_over():
            if where == "inside":
                raise error
        if where == "after":
            raise error
        return Receipt(submission.message_id)


class NeverMarks(Transport):
    """Forgets to say when it hands over."""

    settings: NoSettings
    label = "Forgetful"

    def send(self, submission, journal):
        raise RuntimeError("somewhere")


def submission(subject="s", **fields):
    return compose(Message(to="b@customer.example", subject=subject, text="t", **fields), ROUTE)


FOREIGN = [
    RuntimeError(SECRET),
    OSError(SECRET),
    ConnectionResetError(SECRET),
    KeyError(SECRET),
    TimeoutError(SECRET),
]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("where", "outcome"), [("before", SendDeferred), ("inside", OutcomeUnknown), ("after", OutcomeUnknown)]
)
def test_a_foreign_error_is_told_by_the_hand_over(where, outcome, error):
    """Its class is told, its text is not: that may hold a secret."""
    with pytest.raises(outcome) as found:
        deliver(submission(), Journal(), Scripted((where, error)))
    told = "".join(traceback.format_exception(found.value))
    assert type(error).__name__ in str(found.value)
    assert SECRET not in told
    assert found.value.__cause__ is found.value.__context__ is None


def test_a_transport_that_never_marks_is_taken_to_have_handed_over():
    """Its crash is unknown, wherever it was."""
    assert not NeverMarks.marks_hand_over
    assert Scripted.marks_hand_over
    with pytest.raises(OutcomeUnknown, match="does not tell"):
        deliver(submission(), Journal(), NeverMarks(NoSettings()))


def test_a_subclass_marks_as_its_base_does():
    """What is inherited counts; what is said outright counts more."""

    class Child(Scripted):
        pass

    class Says(NeverMarks):
        marks_hand_over = True

    assert Child.marks_hand_over
    assert Says.marks_hand_over


OWN = [
    SendRejected("no"),
    SendDeferred("later"),
    SignInNeeded("who?"),
    OutcomeUnknown("hm"),
    MessageError("not this"),
    SettingsError("x"),
]


@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("where", ["before", "inside"])
def test_what_a_transport_says_on_purpose_stands(where, error):
    """A complete refusal inside the hand-over is an answer."""
    with pytest.raises(type(error), match=str(error).replace("?", r"\?")):
        deliver(submission(), Journal(), Scripted((where, error)))


class Known(Credentials):
    def secret(self, name):
        return SECRET

    def token(self, purpose="send"):
        return SECRET

    def update(self, change):
        return None

    def redact(self, text):
        return text.replace(SECRET, "[secret]")


def test_a_secret_in_an_error_of_a_transports_own_is_redacted():
    """Even one that it raised from another."""
    error = SendRejected(f"the server said {SECRET}", cure=f"use another than {SECRET}")
    error.__cause__ = ValueError(SECRET)
    with pytest.raises(SendRejected) as found:
        deliver(submission(), Journal(), Scripted(("before", error), credentials=Known()))
    assert SECRET not in "".join(traceback.format_exception(found.value)) + repr(found.value)
    assert "[secret]" in str(found.value)


def test_a_receipt_names_every_recipient():
    """All were accepted, unless it says otherwise."""
    receipt = deliver(submission(), Journal(), Scripted())
    assert {who: answer.state.value for who, answer in receipt.recipients.items()} == {
        "b@customer.example": "accepted"
    }


def test_too_late_is_refused_before_anything():
    """not_after (rule 34)."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    journal = Journal()
    with pytest.raises(SendRejected, match="not to leave after"):
        deliver(submission(not_after=past), journal, Scripted())
    assert not journal.handed_over


@pytest.mark.parametrize(
    ("limits", "said"), [(Limits(recipients=1), "2 recipients"), (Limits(size=10), "octets")]
)
def test_what_the_carrier_can_not_take_is_refused_before_anything(limits, said):
    """A MessageError, which nothing has left for."""

    class Small(Scripted):
        @classmethod
        def limits(cls, settings):
            return limits

    with pytest.raises(MessageError, match=said):
        deliver(submission(cc="c@customer.example"), Journal(), Small())


def test_a_listener_that_fails_changes_nothing():
    """An audit plugin can't turn an accepted message into an error; it is logged."""
    told = []

    def listener(attempt):
        told.append(attempt)
        raise RuntimeError("audit is down")

    receipt = deliver(submission(), Journal(), Scripted(), listener)
    assert isinstance(receipt, Receipt)
    assert told[0].handed_over
    assert told[0].receipt == receipt


def test_events_carry_no_address_and_no_body(caplog):
    """Nouns with fields; nothing that a log should not hold."""
    with caplog.at_level(logging.INFO, "pillarbox"):
        deliver(submission("Geheimes Betreff"), Journal(), Scripted())
    record = caplog.records[-1]
    assert record.getMessage() == "pillarbox.accepted"
    assert "customer" not in str(vars(record))
    assert "Geheim" not in str(vars(record))


def attempts(*subjects):
    return [(submission(subject), Journal()) for subject in subjects]


def kinds(outcomes):
    return [type(outcome).__name__ for outcome in outcomes]


def test_a_batch_answers_in_order():
    """One outcome each; a refusal stops nobody."""
    transport = Scripted(("", None), ("inside", SendRejected("no")), ("", None))
    assert kinds(deliver_many(attempts("1", "2", "3"), transport)) == ["Receipt", "SendRejected", "Receipt"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_does_not_fit_keeps_its_place(place):
    """First, in the middle or last."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    batch = attempts("1", "2", "3")
    batch[place] = (submission(not_after=past), Journal())
    found = kinds(deliver_many(batch, Scripted()))
    assert found == ["SendRejected" if number == place else "Receipt" for number in range(3)]


def test_one_that_could_not_be_composed_keeps_its_place():
    """An error among the attempts is its own outcome."""
    batch = [MessageError("bad"), *attempts("1"), MessageError("worse")]
    assert kinds(deliver_many(batch, Scripted())) == ["MessageError", "Receipt", "MessageError"]


@pytest.mark.parametrize(
    "error", [SignInNeeded("who?"), SendDeferred("closed", stage="connect")], ids=["sign-in", "unreachable"]
)
def test_a_refused_sign_in_is_told_to_those_behind_and_not_tried_again(error):
    """Forty queued mails must not lock a mailbox (rule 28)."""
    transport = Scripted(("", None), ("before", error))
    found = kinds(deliver_many(attempts("1", "2", "3", "4"), transport))
    assert found == ["Receipt", *[type(error).__name__] * 3]


class Crashes(Scripted):
    """Breaks off its batch with a foreign error, one message handed over."""

    def send_many(self, batch):
        for number, (submission_, journal) in enumerate(batch):
            with journal.handing_over():
                if number == 1:
                    raise RuntimeError("bug")
            yield Receipt(submission_.message_id)


def test_a_batch_that_crashes_leaves_one_unknown_and_goes_on():
    """What was handed over is unknown; those behind it have their turn with the next run."""
    found = kinds(deliver_many(attempts("1", "2", "3", "4", "5"), Crashes()))
    assert found == ["Receipt", "OutcomeUnknown", "Receipt", "OutcomeUnknown", "Receipt"]


class Swallows(Scripted):
    """Answers the first and ends."""

    def send_many(self, batch):
        batch = iter(batch)
        submission_, journal = next(batch)
        with journal.handing_over():
            pass
        next(batch)
        yield Receipt(submission_.message_id)


def test_one_that_was_never_answered_is_not_called_accepted():
    """Pulled, not handed over, not answered: nothing left."""
    assert kinds(deliver_many(attempts("1", "2"), Swallows())) == ["Receipt", "SendDeferred"]


def test_an_empty_batch_has_no_outcome():
    """And asks nothing of the transport."""
    assert list(deliver_many([], Scripted())) == []


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Receipt("<a@b>"), State.ACCEPTED),
        (SendRejected("x"), State.REJECTED),
        (MessageError("x"), State.REJECTED),
        (SettingsError("x"), State.REJECTED),
        (SendDeferred("x"), State.DEFERRED),
        (SignInNeeded("x"), State.DEFERRED),
        (OutcomeUnknown("x"), State.UNKNOWN),
        (PillarboxError("x"), State.DEFERRED),
    ],
)
def test_an_outcome_leads_to_a_state_that_may_follow_an_attempt(outcome, state):
    """Rule 19's table."""
    assert settled(outcome) is state
    assert state in TRANSITIONS[State.ATTEMPTING]


def test_nothing_leaves_an_end():
    """Accepted can't be undone (rule 18)."""
    for state in (State.ACCEPTED, State.REJECTED, State.CANCELLED):
        assert TRANSITIONS[state] == frozenset()
    assert {state for after in TRANSITIONS.values() for state in after} | {State.QUEUED} == set(State)
