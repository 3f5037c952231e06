"""What breaks off in the middle: a send, a lane that is paused, a message that is split otherwise the second time."""

from __future__ import annotations

import pytest

from pillarbox import Message, MessageError, Receipt, State
from pillarbox._transports import Limits
from pillarbox.outbox import Pause
from tests.core.doubles import LETTER, slow, until
from tests.core.outbox.test_worker import desk


class Timeout(BaseException):
    """As gevent's: no Exception."""


@pytest.mark.parametrize(("where", "state"), [("before", State.CANCELLED), ("inside", State.UNKNOWN)])
def test_a_send_that_is_broken_off_is_told_by_the_hand_over(where, state):
    """Before it nothing left; from it on it is looked for, in the same process too."""
    method = slow()

    def send(self, submission, journal):
        if where == "before":
            raise Timeout
        with journal.handing_over():
            raise Timeout

    method.send = send
    desk_ = desk(method)
    with pytest.raises(Timeout):
        desk_.send(LETTER)
    assert desk_.outbox.states() == [state]


def test_a_receipt_that_is_known_survives_the_breaking_off():
    """A copy is being filed when the host's patience ends: it was accepted all the same."""
    method = slow()

    def send(self, submission, journal):
        with journal.handing_over():
            journal.accepted(Receipt(submission.message_id, "4Xk2"))
        raise Timeout

    method.send = send
    desk_ = desk(method)
    with pytest.raises(Timeout):
        desk_.send(LETTER)
    assert desk_.outbox.states() == [State.ACCEPTED]


def test_a_batch_that_is_broken_off_leaves_nothing_under_way():
    """What was handed over is looked for, the rest never left."""
    method = slow()
    good, count = method.send, iter(range(9))

    def send(self, submission, journal):
        if next(count) < 2:
            return good(self, submission, journal)
        with journal.handing_over():
            raise Timeout

    method.send = send
    desk_ = desk(method)
    with pytest.raises(Timeout):
        desk_.send_many([LETTER] * 4)
    assert desk_.outbox.states() == [State.ACCEPTED, State.ACCEPTED, State.UNKNOWN]


def test_a_message_that_would_be_split_otherwise_is_not_kept_again():
    """The account's limit has changed between two calls with one key: nobody gets it twice."""
    most = [3]
    method = slow(limits=classmethod(lambda cls, settings: Limits(recipients=most[0])))
    desk_ = desk(method)
    message = Message(to=[f"c{n}@customer.example" for n in range(6)], subject="s", text="t")
    first = desk_.enqueue(message, key="INV-1")
    assert desk_.enqueue(message, key="INV-1").key == first.key
    for limit in (2, 6, 5):
        most[0] = limit
        with pytest.raises(MessageError):
            desk_.enqueue(message, key="INV-1")
    assert [len(one.submission.envelope.recipients) for one in desk_.outbox.entries.values()] == [3, 3]


def test_a_paused_lane_announces_one_message_not_all():
    """What was claimed ahead goes back at once."""
    begun = []
    method = slow()
    good = method.send

    def send(self, submission, journal):
        begun.append(submission.key)
        if len(begun) == 3:
            desk_.outbox.pause(Pause(scope="lane:company/company/slowmail", reason="wait"))
        return good(self, submission, journal)

    method.send = send
    desk_ = desk(method)
    for _ in range(20):
        desk_.enqueue(LETTER)
    with desk_.worker():
        until(lambda: desk_.outbox.states().count(State.QUEUED) == 18)
    assert len(begun) == 3
    assert desk_.outbox.states().count(State.ACCEPTED) == 2


def test_a_directory_that_fails_loses_nothing(caplog):
    """What was claimed and could not be begun is tried again."""
    method = slow()
    desk_ = desk(method)
    keys = [desk_.enqueue(LETTER).key for _ in range(10)]
    look_up, count = desk_.directory.look_up, iter(range(10_000))

    def failing(*arguments):
        if next(count) in {2, 3, 7}:
            raise RuntimeError("the host's database is away")
        return look_up(*arguments)

    desk_.directory.look_up = failing
    with desk_.worker():
        until(lambda: desk_.outbox.states() == [State.ACCEPTED] * 10)
    assert sorted(method.accepted) == sorted(keys)
