"""deliver_many(): one outcome for each, in order, whatever the transport does."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from pillarbox import (
    Journal,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    SettingsError,
    SignInNeeded,
)
from pillarbox.outbox import deliver_many
from tests.core.doubles import SECRET, Known, NeverMarks, NoSettings, Scripted, attempts, submission


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


class Batches(Scripted):
    """Its `send_many` is whatever function it is given."""

    def __init__(self, run, **more):
        super().__init__(**more)
        self.run = run
        self.closed = 0

    def send_many(self, batch):
        return self.run(iter(batch))

    def close(self):
        self.closed += 1


def raising(error):
    def run(batch):
        raise error
        yield

    return run


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (lambda batch: iter(()), "SendDeferred"),
        (lambda batch: None, "SendDeferred"),
        (lambda batch: iter([Receipt("<a@b>"), Receipt("<c@d>")]), "SendDeferred"),
        (raising(RuntimeError("bug")), "SendDeferred"),
        (raising(SignInNeeded("who?")), "SignInNeeded"),
        (raising(SettingsError("no variable")), "SettingsError"),
    ],
    ids=["nothing", "None", "out of the blue", "bug", "sign-in", "settings"],
)
def test_a_transport_that_takes_nothing_is_not_asked_for_ever(run, outcome):
    """Nothing left, and every message is told so, once."""
    assert kinds(deliver_many(attempts("1", "2", "3"), Batches(run))) == [outcome] * 3


@pytest.mark.parametrize("answer", [None, "<a@b>", 250, ValueError("said, not raised")], ids=repr)
def test_an_answer_that_is_none_is_unknown_from_the_hand_over_on(answer):
    """A transport that returns nonsense has still handed over."""

    def run(batch):
        for _, journal in batch:
            with journal.handing_over():
                pass
            yield answer

    transport = Batches(run)
    assert kinds(deliver_many(attempts("1", "2"), transport)) == ["OutcomeUnknown"] * 2
    assert transport.closed == 2


def test_an_error_of_ours_that_breaks_off_a_batch_is_the_first_ones_answer():
    """And a refused sign-in stops the rest without another try."""
    asked = []

    def run(batch):
        asked.append(next(batch))
        raise SignInNeeded("who?")
        yield

    assert kinds(deliver_many(attempts("1", "2", "3"), Batches(run))) == ["SignInNeeded"] * 3
    assert len(asked) == 1


def test_what_was_pulled_ahead_and_not_handed_over_did_not_leave():
    """The one in hand is unknown; the one that was only announced is deferred."""

    def run(batch):
        _, first = next(batch)
        next(batch)
        with first.handing_over():
            raise ConnectionResetError
        yield

    assert kinds(deliver_many(attempts("1", "2"), Batches(run))) == ["OutcomeUnknown", "SendDeferred"]


def test_a_transport_that_broke_off_is_closed_before_it_is_used_again():
    """What is left on its line may be the answer to another message."""
    transport = Batches(raising(RuntimeError("bug")))
    _ = list(deliver_many(attempts("1"), transport))
    assert transport.closed == 1


def test_a_batch_that_is_given_up_early_tells_the_transport():
    """Closing the iterator closes the transport's; what it did not begin is not begun."""
    ended = []

    def run(batch):
        try:
            for one, journal in batch:
                with journal.handing_over():
                    pass
                yield Receipt(one.message_id)
        finally:
            ended.append(True)

    batch = attempts("1", "2", "3")
    outcomes = deliver_many(batch, Batches(run))
    assert isinstance(next(outcomes), Receipt)
    outcomes.close()
    assert ended == [True]
    assert [journal.handed_over for _, journal in batch] == [True, False, False]


def test_a_transport_that_fails_at_closing_changes_no_answer():
    """What was answered stands."""

    def run(batch):
        try:
            for one, journal in batch:
                with journal.handing_over():
                    pass
                yield Receipt(one.message_id)
                raise SignInNeeded("who?")
        finally:
            raise RuntimeError("closing")

    assert kinds(deliver_many(attempts("1"), Batches(run))) == ["Receipt"]


def test_what_the_hosts_own_iterator_raises_comes_back_after_the_outcomes():
    """It is nobody's outcome, and no receipt is lost for it."""

    def source():
        yield from attempts("1", "2")
        raise LookupError("the host's table")

    outcomes = deliver_many(source(), Scripted())
    assert [type(next(outcomes)).__name__ for _ in range(2)] == ["Receipt", "Receipt"]
    with pytest.raises(LookupError, match="the host's table"):
        next(outcomes)


def test_a_batch_by_one_that_never_marks_is_unknown_where_it_crashes():
    """Each is taken to be handed over when its turn begins, not before."""
    batch = attempts("1", "2")
    assert kinds(deliver_many(iter(batch), NeverMarks(NoSettings()))) == ["OutcomeUnknown"] * 2


def test_one_that_was_called_off_keeps_its_place():
    """Nothing of it leaves."""
    batch = attempts("1", "2", "3")
    batch[1][1].call_off()
    assert kinds(deliver_many(batch, Scripted())) == ["Receipt", "SendDeferred", "Receipt"]


def test_limits_that_crash_are_no_reason_to_send():
    """A plugin's fault before the hand-over: nothing left."""

    class Odd(Scripted):
        @classmethod
        def limits(cls, settings):
            raise KeyError(SECRET)

    found = list(deliver_many(attempts("1"), Odd()))
    assert kinds(found) == ["SendDeferred"]
    assert SECRET not in str(found[0])


def test_secrets_are_redacted_in_each_answer_of_a_batch():
    """Receipts and errors alike."""

    def run(batch):
        (one, _), _ = next(batch), next(batch)
        yield Receipt(one.message_id, f"queued for {SECRET}")
        yield SendRejected(f"no {SECRET}")

    found = list(deliver_many(attempts("1", "2"), Batches(run, credentials=Known())))
    assert SECRET not in repr(found)


@pytest.mark.parametrize("order", sorted(set(itertools.permutations("ggub"))), ids="".join)
def test_any_mixture_of_good_unfit_and_bad_keeps_its_order(order):
    """g: good, u: too late, b: could not be composed."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    make = {
        "g": lambda: attempts("1")[0],
        "u": lambda: (submission(not_after=past), Journal()),
        "b": lambda: MessageError("bad"),
    }
    wanted = {"g": "Receipt", "u": "SendRejected", "b": "MessageError"}
    found = kinds(deliver_many([make[letter]() for letter in order], Scripted()))
    assert found == [wanted[letter] for letter in order]


def test_a_batch_of_unknowns_goes_on():
    """Only a refused sign-in and a server out of reach stop it."""
    transport = Scripted(("inside", OutcomeUnknown("?")), ("before", SendDeferred("busy", stage="sender")))
    assert kinds(deliver_many(attempts("1", "2", "3"), transport)) == [
        "OutcomeUnknown",
        "SendDeferred",
        "Receipt",
    ]
