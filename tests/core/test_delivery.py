"""One attempt, its outcome told by the hand-over."""

from __future__ import annotations

import datetime as dt
import logging
import traceback

import pytest

from pillarbox import (
    Answer,
    AnswerState,
    Journal,
    Limits,
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SettingsError,
    SignInNeeded,
    State,
    Transport,
)
from pillarbox.outbox import TRANSITIONS, deliver, settled
from tests.core.doubles import SECRET, Known, NeverMarks, NoSettings, Scripted, submission

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


class Reports(Transport):
    """Never marks, and speaks on purpose: a temporary failure of a program it ran."""

    settings: NoSettings
    label = "Reporter"

    def send(self, submission, journal):
        raise SendDeferred("busy")


def test_a_transport_that_never_marks_can_not_be_called_off_once_it_began():
    """Its hand-over is at the start, durably: a deadline that passes then is unknown, not deferred."""
    journal = Journal()
    with pytest.raises(SendDeferred, match="busy"):
        deliver(submission(), journal, Reports(NoSettings()))
    assert journal.handed_over
    assert not journal.call_off()


def test_a_transport_that_never_marks_is_not_begun_when_it_was_called_off():
    """Nothing left."""
    journal = Journal()
    journal.call_off()
    with pytest.raises(SendDeferred, match="called off"):
        deliver(submission(), journal, NeverMarks(NoSettings()))


def test_a_subclass_that_sends_by_itself_marks_by_itself():
    """What its base would have marked says nothing of a send of its own; calling the base's does."""

    class Own(Scripted):
        def send(self, submission, journal):
            raise RuntimeError("anywhere")

    class Wraps(Scripted):
        def send(self, submission, journal):
            return super().send(submission, journal)

    class Loops(Scripted):
        def send(self, submission, journal):
            for _ in (1,):
                with journal.handing_over():
                    pass
            return Receipt(submission.message_id)

    assert not Own.marks_hand_over
    assert Wraps.marks_hand_over
    assert Loops.marks_hand_over
    with pytest.raises(OutcomeUnknown):
        deliver(submission(), Journal(), Own())


@pytest.mark.parametrize("answer", [None, True, "<a@b>", SendRejected], ids=repr)
def test_an_answer_that_is_no_receipt_is_unknown(answer):
    """It was handed over, and what came back is nonsense; the line is closed."""
    closed = []

    class Odd(Scripted):
        def send(self, submission, journal):
            with journal.handing_over():
                return answer

        def close(self):
            closed.append(True)

    with pytest.raises(OutcomeUnknown, match="TypeError after the hand-over"):
        deliver(submission(), Journal(), Odd())
    assert closed == [True]


def test_a_mark_that_can_not_be_made_means_that_nothing_left():
    """The outbox's disk is full: the hand-over does not begin."""

    class Full(Journal):
        def _mark(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(SendDeferred, match="nothing left"):
        deliver(submission(), Full(), Scripted())
    with pytest.raises(SendDeferred, match="nothing left"):
        deliver(submission(), Full(), NeverMarks(NoSettings()))


def test_a_plugin_that_forgets_its_bases_init_harms_nobody():
    """No credentials, no account: the receipt stands."""

    class Bare(Scripted):
        def __init__(self):
            self.settings = NoSettings()
            self.script = []

    told = []
    assert isinstance(deliver(submission(), Journal(), Bare(), told.append), Receipt)
    assert told[0].receipt is not None


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


def test_a_secret_in_an_error_of_a_transports_own_is_redacted():
    """Even one that it raised from another."""
    error = SendRejected(f"the server said {SECRET}", cure=f"use another than {SECRET}")
    error.__cause__ = ValueError(SECRET)
    with pytest.raises(SendRejected) as found:
        deliver(submission(), Journal(), Scripted(("before", error), credentials=Known()))
    assert SECRET not in "".join(traceback.format_exception(found.value)) + repr(found.value)
    assert "[secret]" in str(found.value)


def test_a_secret_that_a_server_says_back_is_redacted():
    """In a receipt, in a recipient's answer, in a code."""
    answers = {"b@customer.example": Answer(AnswerState.REFUSED, f"not for {SECRET}", "550")}

    class Echo(Scripted):
        def send(self, submission, journal):
            return Receipt(submission.message_id, f"for {SECRET}", detail=SECRET, recipients=answers)

    receipt = deliver(submission(), Journal(), Echo(credentials=Known()))
    assert SECRET not in repr(receipt)
    error = SendRejected("no", code=SECRET, recipients=answers)
    with pytest.raises(SendRejected) as found:
        deliver(submission(), Journal(), Scripted(("before", error), credentials=Known()))
    assert SECRET not in repr(vars(found.value))


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


def test_a_logging_handler_that_raises_changes_nothing():
    """The host's own fault, behind an accepted message."""

    class Raises(logging.Handler):
        def emit(self, record):
            raise RuntimeError("disk full")

    logger, handler = logging.getLogger("pillarbox"), Raises()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        assert isinstance(deliver(submission(), Journal(), Scripted(), print), Receipt)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_events_carry_no_address_and_no_body(caplog):
    """Nouns with fields; nothing that a log should not hold."""
    with caplog.at_level(logging.INFO, "pillarbox"):
        deliver(submission("Geheimes Betreff"), Journal(), Scripted())
    record = caplog.records[-1]
    assert record.getMessage() == "pillarbox.accepted"
    assert "customer" not in str(vars(record))
    assert "Geheim" not in str(vars(record))


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
