"""Cases: which entries a worker gets, and in which order."""

from __future__ import annotations

from typing import Any

from ..._errors import OutcomeUnknown, SendDeferred
from ..._mail import State
from ..._outbox import Pause, steps
from ._ground import NOON, OutboxGround, keys, letter


class Claiming(OutboxGround):
    """Claiming."""

    def test_a_claim_is_in_order_with_the_bytes(self) -> None:
        """As they were put, within a lane."""
        put = self.put(*(letter(str(number)) for number in range(5)))
        found = self.claim(each=3)
        assert keys(found) == put[:3]
        assert all(one.submission.content.endswith(b"\r\n") for one in found), "a claim without the bytes"
        assert {one.state for one in found} == {State.CLAIMED}

    def test_the_higher_priority_comes_first(self) -> None:
        """Among those due in its lane."""
        put = self.put(letter("low"), letter("lower", priority=-1), letter("high", priority=5))
        assert keys(self.claim()) == [put[2], put[0], put[1]]

    def test_what_is_not_due_waits(self) -> None:
        """Until its moment, and not longer."""
        self.put(letter(due_at=self.clock.forward(60)))
        self.clock.forward(-60)
        assert not self.claim()
        self.clock.forward(60)
        assert self.claim()

    def test_a_deferred_one_steps_aside_and_comes_again(self) -> None:
        """The next of its lane goes first; then its own time comes."""
        put = self.put(letter("first"), letter("second"))
        worker = self.box.enter("worker")
        one = self.claim(worker, most=1)[0]
        step = steps.after(one, SendDeferred("busy"), self.settings, NOON, chance=1.0).step
        assert self.take(step)
        assert keys(self.claim(worker, most=1)) == [put[1]]
        self.clock.forward(1)
        assert keys(self.claim(worker)) == [put[0]]

    def test_a_claim_keeps_to_what_was_asked_for(self) -> None:
        """So many of a lane, so many in all, so many octets; one that is larger than that comes alone."""
        big: dict[str, Any] = {"chunks": (b"x" * 1_000,)}
        self.put(*(letter(lane=f"lane-{number % 3}", **big) for number in range(9)))
        worker = self.box.enter("worker")
        assert len(self.claim(worker, each=2, most=5)) == 5
        assert len(self.claim(worker, octets=500)) == 1
        found = self.claim(worker, octets=2_500)
        assert 1 <= len(found) <= 2, f"{len(found)} thousand octets came, and 2,500 were asked for"

    def test_each_lane_has_its_turn(self) -> None:
        """One that is full does not keep the others waiting."""
        self.put(*(letter(lane="full") for _ in range(50)), letter(lane="a"), letter(lane="z"))
        worker = self.box.enter("worker")
        lanes = [self.claim(worker, most=1)[0].account for _ in range(3)]
        assert sorted(lanes) == ["a", "full", "z"]

    def test_no_lane_that_is_busy_gets_more(self) -> None:
        """The worker says which."""
        self.put(letter(lane="a"), letter(lane="b"))
        assert {one.account for one in self.claim(busy=frozenset({"a"}))} == {"b"}

    def test_a_worker_gets_only_what_it_confines_itself_to(self) -> None:
        """Methods, lanes and users."""
        self.put(letter("1", lane="a", method="m"), letter("2", lane="b", user="anna"), letter("3", lane="c"))
        wishes: tuple[dict[str, Any], ...] = (
            {"methods": frozenset({"m"})},
            {"users": frozenset({"anna"})},
            {"accounts": frozenset({"c"})},
        )
        assert [[one.subject for one in self.claim(**wish)] for wish in wishes] == [["1"], ["2"], ["3"]]

    def test_what_is_carried_at_a_desk_is_its_users_alone(self) -> None:
        """Whole, also what nobody in particular wrote; a worker that names no user, or another, gets none of it."""
        lane = "acme/company/x/anna"
        self.put(letter("1", lane=lane, user="anna"), letter("2", lane=lane), letter("3", user="otto"))
        assert [one.subject for one in self.claim(accounts=frozenset({lane}))] == [], (
            "a desk's mail went to anybody"
        )
        assert [one.subject for one in self.claim(users=frozenset({"otto"}))] == ["3"]
        worker = self.box.enter("worker")
        assert [one.subject for one in self.claim(worker, users=frozenset({"anna"}))] == ["1", "2"], (
            "a desk's worker is to have it all"
        )
        assert [lane.account for lane in self.box.lanes("anna")] == [lane]

    def test_what_is_carried_at_a_desk_is_looked_for_there(self) -> None:
        """Nobody else can ask the mail program."""
        self.put(letter(lane="acme/company/x/anna"))
        (entry,) = self.claim(users=frozenset({"anna"}))
        assert self.take(steps.attempting(entry))
        lost = steps.after(entry, OutcomeUnknown("lost"), self.settings, NOON).step
        assert self.take(lost)
        assert self.box.due_looks() == self.box.due_looks(users=frozenset({"otto"})) == []
        assert keys(self.box.due_looks(users=frozenset({"anna"}))) == [entry.key]

    def test_a_desk_goes_along_with_its_users_new_name(self) -> None:
        """With what waits there, and with its pause."""
        for owner in ("company", "user:anna"):
            lane = f"acme/{owner}/x/anna"
            self.put(letter(lane=lane, owner=owner, user="anna"))
            self.box.pause(Pause(scope=f"lane:{lane}", reason="Lunch."))
        self.box.renamed("acme", "anna", "berta")
        wanted = ["acme/company/x/berta", "acme/user:berta/x/berta"]
        assert sorted(lane.account for lane in self.box.lanes("berta")) == wanted
        assert sorted(pause.scope for pause in self.box.pauses()) == [f"lane:{one}" for one in wanted]

    def test_one_lane_is_one_workers(self) -> None:
        """Another gets nothing of it while something of it is taken; other lanes are free."""
        self.put(letter("1", lane="a"), letter("2", lane="a"), letter("3", lane="b"))
        assert self.claim(most=1, accounts=frozenset({"a"}))
        assert [one.subject for one in self.claim()] == ["3"], "two workers are in one lane"

    def test_a_lane_is_free_when_nothing_of_it_is_taken(self) -> None:
        """And the next worker goes on in order."""
        put = self.put(letter("1"), letter("2"))
        first = self.claim(most=1)[0]
        assert not self.claim()
        assert self.take(steps.released(first))
        assert keys(self.claim()) == put

    def test_nothing_is_claimed_twice(self) -> None:
        """What is claimed is not waiting any more."""
        self.put()
        worker = self.box.enter("worker")
        assert self.claim(worker)
        assert not self.claim(worker)
        assert not self.claim()

    def test_each_claim_has_a_number_of_its_own(self) -> None:
        """The fence grows: what an earlier claim decides is not done."""
        first = self.claimed()
        assert self.take(steps.released(first))
        second = self.claim()[0]
        assert second.fence > first.fence
        assert not self.take(steps.attempting(first))
        assert self.take(steps.attempting(second))
