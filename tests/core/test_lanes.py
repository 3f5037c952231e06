"""Lanes: a transport for one thread at a time, never more than the carrier allows, none kept that was cut."""

from __future__ import annotations

import threading

import pytest

from pillarbox import Account, SendDeferred, SendRejected
from pillarbox import _lanes as lanes
from pillarbox._lanes import Lane, Lanes
from tests.core.doubles import Scripted

ACCOUNT = Account(owner="company", method="x")


class Counted(Scripted):
    """Counts those that were made and closed."""

    def __init__(self, log):
        super().__init__()
        self.log = log
        log.append(("made", self))

    def close(self):
        self.log.append(("closed", self))


def lane(concurrency=1):
    log = []
    return Lane(ACCOUNT, concurrency, lambda: Counted(log)), log


def told(log):
    return [what for what, _ in log]


def test_a_transport_is_kept_and_used_again():
    """One sign-in for many messages."""
    one, log = lane()
    for _ in range(3):
        with one.borrow():
            pass
    one.close()
    assert told(log) == ["made", "closed"]


def test_a_refusal_keeps_the_transport():
    """An error of ours is an answer; the line is in order."""
    one, log = lane()
    with pytest.raises(SendRejected), one.borrow():
        raise SendRejected("no")
    with one.borrow():
        pass
    assert told(log) == ["made"]


@pytest.mark.parametrize("cut", [KeyboardInterrupt, SystemExit, RuntimeError, GeneratorExit])
def test_a_transport_that_was_cut_is_not_used_again(cut):
    """Its line may stand in the middle of a message: the next one's commands would be content."""
    one, log = lane()
    with pytest.raises(cut), one.borrow():
        raise cut
    with one.borrow():
        pass
    assert told(log) == ["made", "closed", "made"]


def test_a_place_that_is_not_free_in_time_is_deferred():
    """Nothing left; the one who has it goes on."""
    one, _ = lane()
    with one.borrow(), pytest.raises(SendDeferred, match="busy"), one.borrow(0.01):
        pytest.fail("two at once")
    with one.borrow(0):
        pass


def test_a_transport_that_can_not_be_made_gives_its_place_back():
    """Otherwise two bad starts would close the lane for ever."""

    def fail():
        raise SendDeferred("not now")

    one = Lane(ACCOUNT, 1, fail)
    for _ in range(3):
        with pytest.raises(SendDeferred, match="not now"), one.borrow(0):
            pytest.fail("made")


def test_a_closed_lane_lets_go_of_what_was_in_use():
    """When it is given back; nothing is left open."""
    one, log = lane()
    with one.borrow():
        one.close()
        assert told(log) == ["made"]
    assert told(log) == ["made", "closed"]


def test_many_threads_borrow_and_close_and_none_is_left_open():
    """Every transport that was made is idle or closed in the end, and no thread ever found one gone."""
    one, log = lane(concurrency=4)
    failures = []

    def work():
        try:
            for number in range(200):
                with one.borrow():
                    pass
                if number == 150:
                    one.close()
        except Exception as error:  # noqa: BLE001  (told by the assertion)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    one.close()
    assert failures == []
    assert told(log).count("made") == told(log).count("closed")


def test_a_transport_that_fails_at_closing_harms_nobody():
    """What it was kept for is over."""

    class Stuck(Scripted):
        def close(self):
            raise RuntimeError("stuck")

    one = Lane(ACCOUNT, 1, Stuck)
    with one.borrow():
        pass
    one.close()


def test_the_lane_unused_for_longest_is_closed_first(monkeypatch):
    """A hundred thousand personal accounts do not hold a hundred thousand connections."""
    monkeypatch.setattr(lanes, "MOST_LANES", 2)
    every, log = Lanes(), []
    for name in ("a", "b", "a", "c"):
        account = Account(owner=f"user:{name}", method="x")
        with every.of(account, lambda a=account: Lane(a, 1, lambda: Counted(log))).borrow():
            pass
    assert told(log) == ["made", "made", "closed", "made"]
    assert log[2][1] is log[1][1]
    every.close()
    assert told(log).count("closed") == 3
