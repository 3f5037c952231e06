"""The worker: empties the outbox in order, fairly, within limits; stops cleanly; takes over from the dead."""

from __future__ import annotations

import datetime as dt
import threading

import attrs
import pytest

from pillarbox import (
    Company,
    Entry,
    Limits,
    Mailer,
    MemoryDirectory,
    Message,
    MessageError,
    OutboxError,
    SendDeferred,
    SendRejected,
    SignInNeeded,
    State,
    User,
)
from pillarbox.outbox import OutboxSettings, Pause, Search
from tests.core.doubles import LETTER, KeptOutbox, plugins, slow, until

QUICK = OutboxSettings(shortest_wait=0.02, longest_wait=0.05)


def desk(method, users=0, settings=QUICK, **more):
    """Return a mailer with an outbox, for a company and users with accounts of their own."""
    company = Company(address="orders@acme.example", method="slowmail")
    own = [
        User(id=f"u{n}", address=f"u{n}@acme.example", choice="personal", method="slowmail")
        for n in range(users)
    ]
    directory = MemoryDirectory(company, own, plugins=plugins(slowmail=method))
    return Mailer(directory, outbox=KeptOutbox(settings, **more), queue=settings)


def raising(*errors):
    """Return a method whose first sends raise *errors* before the hand-over, and that then accepts."""
    left = list(errors)

    def send(self, submission, journal):
        if left:
            raise left.pop(0)
        return good(self, submission, journal)

    method = slow()
    good = method.send
    method.send = send
    return method


def test_what_is_enqueued_is_sent_in_order_and_kept():
    """Nothing leaves before a worker comes."""
    method = slow()
    desk_ = desk(method)
    keys = [desk_.enqueue(LETTER).key for _ in range(5)]
    assert method.accepted == []
    desk_.worker().run(drain=True)
    assert method.accepted == keys
    assert desk_.outbox.states() == [State.ACCEPTED] * 5


def test_the_higher_priority_goes_first_among_those_due():
    """And what is scheduled waits."""
    method = slow()
    desk_ = desk(method)
    low, high = desk_.enqueue(LETTER), desk_.enqueue(LETTER, priority=5)
    later = desk_.enqueue(LETTER, not_before=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    desk_.worker().run(drain=True)
    assert method.accepted == [high.key, low.key]
    assert desk_.outbox.get(later.key).state is State.QUEUED


def test_the_hosts_key_is_kept_once():
    """The same again changes nothing; other content under it is refused."""
    desk_ = desk(slow())
    first = desk_.enqueue(LETTER, key="INV-1001")
    assert desk_.enqueue(LETTER, key="INV-1001").key == first.key
    with pytest.raises(MessageError, match="taken by other content"):
        desk_.enqueue(Message(to="x@customer.example", subject="other", text="t"), key="INV-1001")
    assert len(desk_.outbox.entries) == 1


def test_a_failure_that_may_pass_is_tried_again():
    """With its bytes and its Message-ID as they were."""
    method = raising(SendDeferred("busy", stage="connect"), SendDeferred("450", stage="recipient"))
    desk_ = desk(method)
    key = desk_.enqueue(LETTER).key
    with desk_.worker():
        until(lambda: desk_.outbox.get(key).state is State.ACCEPTED)
    assert method.accepted == [key]
    assert [event.state for event in desk_.outbox.history(key)] == [
        State.DEFERRED,
        State.DEFERRED,
        State.ACCEPTED,
    ]


def test_a_refusal_is_the_end():
    """Of that message alone."""
    desk_ = desk(raising(SendRejected("no such user")))
    desk_.enqueue(LETTER), desk_.enqueue(LETTER)
    desk_.worker().run(drain=True)
    assert desk_.outbox.states() == [State.REJECTED, State.ACCEPTED]


def test_a_refused_sign_in_is_tried_once_for_all_that_wait():
    """And goes on when somebody has signed in."""
    method = raising(SignInNeeded("535"), RuntimeError("never reached"))
    desk_ = desk(method)
    for _ in range(40):
        desk_.enqueue(LETTER)
    desk_.worker().run(drain=True)
    assert method.accepted == []
    (pause,) = desk_.outbox.pauses()
    assert pause.kind == "sign-in"
    method.send = slow().send
    desk_.outbox.resume(pause.scope)
    desk_.worker().run(drain=True)
    assert set(desk_.outbox.states()) == {State.ACCEPTED}


def test_one_lane_that_hangs_does_not_hold_the_others():
    """Each has threads of its own."""
    release = threading.Event()
    method = slow()
    good = method.send

    def send(self, submission, journal):
        if self.account.owner == "company":
            release.wait(30)
        return good(self, submission, journal)

    method.send = send
    desk_ = desk(method, users=3)
    stuck = desk_.enqueue(LETTER)
    others = [desk_.enqueue(LETTER, user=f"u{n}").key for n in (0, 1, 2) for _ in range(5)]
    with desk_.worker():
        until(lambda: sorted(method.accepted) == sorted(others))
        assert desk_.outbox.get(stuck.key).state in {State.CLAIMED, State.ATTEMPTING}
        release.set()
        until(lambda: desk_.outbox.get(stuck.key).state is State.ACCEPTED)


def test_a_stop_finishes_what_is_in_hand_and_gives_back_the_rest():
    """It never cuts an attempt."""
    release = threading.Event()
    method = slow(inside=30, release=release)
    desk_ = desk(method)
    for _ in range(3):
        desk_.enqueue(LETTER)
    worker = desk_.worker().start()
    until(lambda: method.handed)
    worker.stop()
    release.set()
    worker.join(30)
    assert desk_.outbox.states() == [State.ACCEPTED, State.QUEUED, State.QUEUED]


def test_a_paused_user_waits_and_nobody_else():
    """A looping host pauses itself."""
    settings = OutboxSettings(user_burst=3)
    method = slow()
    desk_ = desk(method, users=2, settings=settings)
    for _ in range(5):
        desk_.enqueue(LETTER, user="u0")
    desk_.enqueue(LETTER, user="u1")
    desk_.worker().run(drain=True)
    assert desk_.outbox.states() == [*[State.QUEUED] * 5, State.ACCEPTED]
    (pause,) = desk_.outbox.pauses()
    assert pause.scope == "user:company/u0"
    assert "5 messages of u0 came within an hour" in pause.reason


def test_an_account_that_was_re_pointed_is_not_used():
    """Rule 27: held, with the reason."""
    method = slow()
    desk_ = desk(method)
    desk_.enqueue(LETTER)
    moved = Company(address="billing@acme.example", method="slowmail")
    other = Mailer(MemoryDirectory(moved, [], plugins=plugins(slowmail=method)), outbox=desk_.outbox)
    other.worker().run(drain=True)
    (entry,) = desk_.outbox.entries.values()
    assert entry.state is State.HELD
    assert "written for orders@acme.example" in entry.reason
    assert method.accepted == []


def test_what_a_person_cancelled_does_not_leave():
    """Nor can what left be cancelled."""
    method = slow()
    desk_ = desk(method)
    one, two = desk_.enqueue(LETTER), desk_.enqueue(LETTER)
    desk_.outbox.cancel(one.key, by="root")
    desk_.worker().run(drain=True)
    assert method.accepted == [two.key]
    with pytest.raises(OutboxError, match="is accepted"):
        desk_.outbox.cancel(two.key)


def test_bodies_are_erased_and_the_history_stays():
    """Rule 40."""
    desk_ = desk(slow())
    key = desk_.enqueue(LETTER).key
    desk_.worker().run(drain=True)
    assert desk_.outbox.erase(dt.datetime.now(dt.UTC)) == 1
    entry = desk_.outbox.get(key)
    assert entry.is_erased
    assert (entry.state, entry.subject) == (State.ACCEPTED, "Invoice 1001")
    assert desk_.outbox.list(Search(to="AP@customer")) == [desk_.outbox.list()[0]]


def test_what_was_not_to_leave_so_late_is_ended_though_it_is_paused():
    """With the reason, and not when somebody resumes it a week later."""
    desk_ = desk(slow())
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=100)
    key = desk_.enqueue(attrs.evolve(LETTER, not_after=soon)).key
    desk_.outbox.pause(Pause(scope="company:company", reason="Holiday.", by="root"))
    with desk_.worker():
        until(lambda: desk_.outbox.get(key).state is State.REJECTED)
    assert "not to leave after" in desk_.outbox.get(key).reason


def test_several_are_kept_at_once_and_one_that_is_unfit_stops_nobody():
    """One answer for each, in order."""
    method = slow(limits=classmethod(lambda cls, settings: Limits(size=100_000)))
    desk_ = desk(method)
    huge = attrs.evolve(LETTER, text="x" * 100_000)
    answers = desk_.enqueue_many([LETTER, huge, LETTER])
    assert [type(one) for one in answers] == [Entry, MessageError, Entry]
    desk_.worker().run(drain=True)
    assert method.accepted == [answers[0].key, answers[2].key]


def test_a_message_with_too_many_recipients_goes_in_parts():
    """Rule 25: each with its own outcome, under one Message-ID."""
    method = slow(limits=classmethod(lambda cls, settings: Limits(recipients=2)))
    desk_ = desk(method)
    first = desk_.enqueue(Message(to=[f"c{n}@customer.example" for n in range(5)], subject="s", text="t"))
    desk_.worker().run(drain=True)
    parts = desk_.outbox.list(Search(part_of=first.key))
    assert sorted(len(one.submission.envelope.recipients) for one in parts) == [1, 2, 2]
    assert {one.submission.message_id for one in parts} == {first.submission.message_id}
    assert len(method.accepted) == 3
