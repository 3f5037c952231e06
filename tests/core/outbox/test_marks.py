"""Marks made ahead: of a transport that keeps several in doubt, a few writes mark all; what is not begun goes back."""

from __future__ import annotations

import threading

import pytest

from pillarbox import OutboxError, Receipt, SendDeferred, State
from pillarbox._outbox import lane as lanes
from pillarbox.outbox import OutboxSettings, Pause
from tests.core.doubles import LETTER, slow
from tests.core.outbox.test_worker import desk

SEVERAL = OutboxSettings(shortest_wait=0.02, longest_wait=0.05, batch=8)


def windowed(size, between=lambda sent: None, **attributes):
    """Return a method that hands over up to *size* before it takes the first answer; *between* is told how many left."""
    method = slow(**attributes)

    def send_many(self, attempts):
        unanswered = []
        for submission, journal in attempts:
            try:
                with journal.handing_over():
                    method.accepted.append(submission.key)
                unanswered.append(Receipt(submission.message_id))
            except SendDeferred as error:
                unanswered.append(error)
            between(len(method.accepted))
            if len(unanswered) == size:
                yield unanswered.pop(0)
        yield from unanswered

    method.send_many = send_many
    return method


def marking(outbox):
    """Keep how many hand-overs each write of *outbox* marks; return the list."""
    counts, take = [], outbox.take

    def counted(moves, **more):
        moves = list(moves)
        marks = [step for step in moves if step.state is State.ATTEMPTING]
        if marks:
            counts.append(len(marks))
        return take(moves, **more)

    outbox.take = counted
    return counts


def attempting(outbox):
    return outbox.states().count(State.ATTEMPTING)


def test_a_transport_that_keeps_several_in_doubt_has_them_marked_in_few_writes():
    """And all go, in order."""
    method = windowed(4)
    desk_ = desk(method, settings=SEVERAL)
    keys = [desk_.enqueue(LETTER).key for _ in range(40)]
    counts = marking(desk_.outbox)
    desk_.worker().run(drain=True)
    assert method.accepted == keys
    assert sum(counts) == 40
    assert len(counts) <= 15


def test_one_that_sends_one_by_one_has_them_marked_one_by_one():
    """However many the deployment would bear: no more is in doubt than has to be."""
    desk_ = desk(slow(), settings=SEVERAL)
    for _ in range(5):
        desk_.enqueue(LETTER)
    counts = marking(desk_.outbox)
    desk_.worker().run(drain=True)
    assert counts == [1] * 5


@pytest.mark.parametrize("size", [2, 4, 8])
def test_no_more_is_in_doubt_than_the_settings_say(size):
    """Those that were marked ahead count."""
    most = []
    method = windowed(size, lambda _: most.append(attempting(desk_.outbox)))
    desk_ = desk(method, settings=SEVERAL)
    for _ in range(30):
        desk_.enqueue(LETTER)
    desk_.worker().run(drain=True)
    assert max(most) <= SEVERAL.batch


def test_what_was_marked_and_not_begun_goes_back_when_the_worker_stops():
    """Nothing of it left, so it is not looked for."""
    method = windowed(4, lambda sent: sent == 2 and worker.stop())
    desk_ = desk(method, settings=SEVERAL)
    keys = [desk_.enqueue(LETTER).key for _ in range(10)]
    worker = desk_.worker()
    worker.run()
    assert method.accepted == keys[:2]
    assert set(desk_.outbox.states()) == {State.ACCEPTED, State.DEFERRED, State.QUEUED}
    desk_.worker().run(drain=True)
    assert method.accepted == keys


def test_what_was_marked_long_ago_is_given_back_and_marked_anew(monkeypatch):
    """An attempt that is looked for counts from its mark."""
    monkeypatch.setattr(lanes, "FRESH", 0.0)
    method = windowed(4)
    desk_ = desk(method, settings=SEVERAL)
    keys = [desk_.enqueue(LETTER).key for _ in range(10)]
    desk_.worker().run(drain=True)
    assert method.accepted == keys


def test_what_was_marked_and_whose_account_has_gone_is_held(monkeypatch):
    """It has not left, so nobody looks for it."""
    method = windowed(4, lambda sent: sent == 2 and gone.set())
    desk_ = desk(method, settings=SEVERAL)
    gone = threading.Event()
    worker = desk_.worker()
    account = worker._post.account

    def known(entry):
        if gone.is_set():
            raise OutboxError("The account it was written for is gone.")
        return account(entry)

    monkeypatch.setattr(worker._post, "account", known)
    for _ in range(6):
        desk_.enqueue(LETTER)
    worker.run(drain=True)
    assert desk_.outbox.states() == [*[State.ACCEPTED] * 2, *[State.HELD] * 4]


def test_what_waits_behind_a_pause_goes_back_marked_or_not():
    """The lane is paused while some are marked and not begun: those that were, go; the rest waits, none is lost."""
    method = windowed(
        2, lambda sent: sent == 12 and desk_.outbox.pause(Pause(scope="company:company", reason="Stop."))
    )
    desk_ = desk(method, settings=SEVERAL)
    keys = [desk_.enqueue(LETTER).key for _ in range(40)]
    desk_.worker().run(drain=True)
    assert method.accepted == keys[: len(method.accepted)]
    assert len(method.accepted) <= 12 + SEVERAL.batch
    desk_.outbox.resume("company:company")
    desk_.worker().run(drain=True)
    assert method.accepted == keys


def test_what_a_lane_began_to_rest_before_is_not_begun_behind_it():
    """Younger mail that was claimed in that moment does not overtake what went back."""
    one = lanes.Lane("company")
    one.rest(30)
    assert not one.offer(None)


def test_mail_that_comes_while_the_worker_looks_is_not_overslept():
    """What was put between a claim and the wait behind it ends that wait at once."""
    desk_ = desk(slow())
    outbox = desk_.outbox
    outbox.wait(0.0)
    desk_.enqueue(LETTER)
    outbox.wait(3_600)
    assert outbox.states() == [State.QUEUED]
