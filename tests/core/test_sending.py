"""One send: called off until the hand-over, bounded by a deadline, its entry in the outbox ended when its caller is told."""

from __future__ import annotations

import contextvars
import threading

import attrs
import pytest

from pillarbox import (
    Journal,
    Mailer,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    SettingsError,
    State,
    Unavailable,
)
from pillarbox._sending import Deadline, Switch, too_late
from tests.core.doubles import LETTER, KeptOutbox, mailer, slow, until


def finished():
    """Wait until no attempt is under way."""
    for thread in threading.enumerate():
        if thread.name == "pillarbox-send":
            thread.join(30)


def test_a_send_is_called_off_before_it_began_or_before_its_hand_over():
    """Whenever the word comes; after the hand-over it is too late."""
    early, journal = Switch(), Journal()
    assert early.call_off()
    early.governs(journal)
    assert journal.called_off
    late, journal = Switch(), Journal()
    late.governs(journal)
    with journal.handing_over():
        assert not late.call_off()
    assert not late.is_off()


@pytest.mark.parametrize("seconds", [0, -1, -1e9])
def test_a_deadline_that_has_passed_begins_nothing(seconds):
    """Not even a connection."""
    method = slow()
    with pytest.raises(SendDeferred, match="nothing left"):
        mailer(method).send(LETTER, user="anna", deadline=seconds)
    assert (method.most, method.handed) == (0, [])


def test_a_deadline_may_be_far_away():
    """Farther than the system's clocks can wait."""
    assert isinstance(mailer().send(LETTER, user="anna", deadline=1e12), Receipt)
    assert Deadline(None).left is None


def test_waiting_for_a_place_is_inside_the_deadline():
    """One message hangs; the next one's thread does not wait behind it for ever."""
    release = threading.Event()
    method = slow(inside=30, release=release)
    sends = mailer(method)
    with pytest.raises(OutcomeUnknown):
        sends.send(LETTER, user="anna", deadline=0.2)
    for _ in range(3):
        with pytest.raises(SendDeferred, match="nothing left"):
            sends.send(LETTER, user="anna", deadline=0.05)
    until(lambda: sum(one.name == "pillarbox-send" for one in threading.enumerate()) == 1)
    release.set()
    finished()
    assert len(method.handed) == 1


def test_what_listens_to_attempts_sees_the_hosts_context():
    """Its request id, say, also where the attempt runs in a thread of its own."""
    request, seen = contextvars.ContextVar("request"), []
    method = slow(
        close=lambda self: None, send=lambda self, one, journal: seen.append(request.get()) or 1 / 0
    )
    request.set("r-1")
    with pytest.raises(OutcomeUnknown):
        mailer(method).send(LETTER, user="anna", deadline=30)
    assert seen == ["r-1"]


def through(outbox, method, **more):
    return Mailer(mailer(method).directory, outbox=outbox, **more)


def told(sends, **more):
    """Send and return the class of what the caller is told."""
    try:
        return type(sends.send(LETTER, user="anna", **more))
    except (SendDeferred, OutcomeUnknown, SendRejected, MessageError, SettingsError, Unavailable) as error:
        return type(error)


def raising(error, *, inside=True):
    def send(self, submission, journal):
        if not inside:
            raise error
        with journal.handing_over():
            raise error

    return slow(send=send)


@pytest.mark.parametrize(
    ("method", "told_", "state"),
    [
        (slow(), Receipt, State.ACCEPTED),
        (raising(SendRejected("no")), SendRejected, State.REJECTED),
        (raising(SendDeferred("later")), SendDeferred, State.CANCELLED),
        (raising(MessageError("bad"), inside=False), MessageError, State.REJECTED),
        (raising(OSError("cut")), OutcomeUnknown, State.UNKNOWN),
        (raising(OSError("cut"), inside=False), SendDeferred, State.CANCELLED),
        (raising(Unavailable("no such program"), inside=False), Unavailable, State.CANCELLED),
    ],
)
def test_an_error_that_the_caller_hears_of_ends_the_entry(method, told_, state):
    """Only what is unknown stays; and an entry never makes a step that the rules do not know (rule 19)."""
    outbox = KeptOutbox()
    assert told(through(outbox, method)) is told_
    assert outbox.states() == [state]


def test_a_method_that_can_not_be_set_up_ends_the_entry_too():
    """Nothing was begun."""
    outbox = KeptOutbox()

    def crash(self, *arguments, **named):
        raise ImportError("an SDK that is not there")

    method = slow(__init__=crash)
    with pytest.raises(Unavailable, match="Slow failed with ImportError"):
        through(outbox, method).send(LETTER, user="anna")
    assert outbox.states() == [State.CANCELLED]


def test_an_interrupted_send_ends_its_entry():
    """Whoever pressed Ctrl-C before the hand-over does not get the mail sent by a worker later."""
    outbox = KeptOutbox()
    with pytest.raises(KeyboardInterrupt):
        through(outbox, raising(KeyboardInterrupt(), inside=False)).send(LETTER, user="anna")
    assert outbox.states() == [State.CANCELLED]
    with pytest.raises(KeyboardInterrupt):
        through(outbox, raising(KeyboardInterrupt())).send(LETTER, user="anna")
    assert outbox.states() == [State.CANCELLED, State.UNKNOWN]


def test_a_deadline_before_the_hand_over_ends_the_entry_at_once():
    """Before the caller hears of it, so that a crash then can't send it after all."""
    release, outbox = threading.Event(), KeptOutbox()
    sends = through(outbox, slow(before=30, release=release))
    assert told(sends, deadline=0.05) is SendDeferred
    assert outbox.states() == [State.CANCELLED]
    release.set()
    finished()
    assert outbox.states() == [State.CANCELLED]


def test_a_deadline_after_the_hand_over_names_the_entry():
    """The attempt goes on, and the outbox will say what came of it."""
    release, outbox = threading.Event(), KeptOutbox()
    sends = through(outbox, slow(inside=30, release=release))
    with pytest.raises(OutcomeUnknown) as unknown:
        sends.send(LETTER, user="anna", deadline=0.2)
    (key,) = outbox.entries
    assert key in unknown.value.cure
    assert outbox.states() == [State.ATTEMPTING]
    release.set()
    finished()
    assert outbox.states() == [State.ACCEPTED]


@pytest.mark.parametrize(
    ("method", "told_"), [(slow(), Receipt), (raising(SendRejected("no")), SendRejected)]
)
def test_an_outbox_that_fails_behind_the_attempt_does_not_change_what_came_of_it(method, told_):
    """An accepted message is not reported as an error because a disk is full; the journal tells the rest."""

    class Full(KeptOutbox):
        def take(self, moves, *, soon=False):
            if any(step.state is not State.ATTEMPTING for step in moves):
                raise OSError(28, "No space left on device")
            return super().take(moves)

    outbox = Full()
    assert told(through(outbox, method)) is told_
    assert outbox.states() == [State.ATTEMPTING]


def test_an_outbox_that_can_not_keep_it_sends_nothing():
    """Durable before any network."""

    class Full(KeptOutbox):
        def put(self, entries):
            raise OSError(28, "No space left on device")

    method = slow()
    with pytest.raises(OSError, match="No space"):
        through(Full(), method).send(LETTER, user="anna")
    assert method.handed == []


def test_a_batch_goes_through_the_outbox_as_well():
    """Each its entry, put when its turn comes, settled as it is answered, in order."""
    outcomes = iter([None, SendRejected("no"), OSError("cut"), SendDeferred("later")])

    def send(self, submission, journal):
        with journal.handing_over():
            error = next(outcomes)
            if error:
                raise error
        return Receipt(submission.message_id)

    outbox = KeptOutbox()
    answers = through(outbox, slow(send=send)).send_many([LETTER] * 4, user="anna")
    assert [type(one) for one in answers] == [Receipt, SendRejected, OutcomeUnknown, SendDeferred]
    assert outbox.states() == [State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.CANCELLED]


def test_a_batch_that_is_interrupted_leaves_no_entry_to_be_sent_later():
    """What was handed over is looked for; what was not is over."""
    turns = iter(range(10))

    def send_many(self, batch):
        for submission, journal in batch:
            if next(turns) == 2:
                raise KeyboardInterrupt
            with journal.handing_over():
                pass
            yield Receipt(submission.message_id)

    outbox = KeptOutbox()
    with pytest.raises(KeyboardInterrupt):
        through(outbox, slow(send_many=send_many)).send_many([LETTER] * 4, user="anna")
    assert outbox.states() == [State.ACCEPTED, State.ACCEPTED, State.CANCELLED]


def test_the_entry_says_whose_it_is():
    """Identity is frozen with it (rule 27)."""
    outbox = KeptOutbox()
    through(outbox, slow()).send(LETTER, user="anna")
    (entry,) = outbox.entries.values()
    assert (entry.account, entry.owner, entry.method, entry.mailbox, entry.user, entry.company) == (
        "company/company/slowmail", "company", "slowmail", "orders@acme.example", "anna", "company",
    )  # fmt: skip
    assert entry.subject == LETTER.subject


def test_what_is_told_about_a_deadline():
    """Before the hand-over that nothing left, after it that nobody knows, and never the other way."""
    assert isinstance(too_late(Switch()), SendDeferred)
    switch, journal = Switch(), Journal()
    switch.governs(journal, "k" * 32)
    with journal.handing_over():
        late = too_late(switch)
    assert isinstance(late, OutcomeUnknown)
    assert "k" * 32 in late.cure
    assert attrs.has(Receipt)
