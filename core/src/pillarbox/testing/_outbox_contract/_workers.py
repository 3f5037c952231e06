"""Cases: whose an entry is, and what becomes of it when that worker dies."""

from __future__ import annotations

import threading

from ..._mail import State
from ..._outbox import steps
from ..._outbox.recovery import rescue
from ._ground import OutboxGround, Process, keys, letter


class Workers(OutboxGround):
    """Living and dead workers."""

    def test_what_a_living_worker_has_is_its_own(self) -> None:
        """However long it takes."""
        self.claimed(letter(lane="a"), worker=self.box.enter("worker"))
        self.attempted(letter(lane="b"), worker=self.box.enter("worker"))
        self.clock.forward(1_000_000)
        assert not self.box.abandoned()
        assert not self.open().abandoned(), "another opening of the outbox takes a living worker for dead"

    def test_what_a_worker_had_that_left_is_abandoned(self) -> None:
        """Claimed and attempted alike, each as it stands."""
        worker = self.box.enter("worker")
        self.claimed(letter("1", lane="a"), worker=worker)
        self.attempted(letter("2", lane="b"), worker=worker)
        self.box.leave(worker)
        found = {one.subject: one.state for one in self.box.abandoned()}
        assert found == {"1": State.CLAIMED, "2": State.ATTEMPTING}

    def test_the_rescue_looks_for_what_was_handed_over(self) -> None:
        """And gives back what was not; a second rescue finds nothing."""
        worker = self.box.enter("worker")
        claimed = self.claimed(letter("1", lane="a"), worker=worker)
        attempted = self.attempted(letter("2", lane="b"), worker=worker)
        self.box.leave(worker)
        stale = self.box.abandoned()
        assert rescue(self.box) == 2
        self.is_in(claimed, State.QUEUED)
        self.is_in(attempted, State.UNKNOWN)
        assert not any(self.box.take([steps.after_death(one, self.clock()) for one in stale]))
        assert keys(self.box.due_looks()) == [attempted.key]

    def test_no_two_workers_have_one_name(self) -> None:
        """Whoever is counted while others enter."""
        names: list[str] = []
        box, over = self.box, threading.Event()

        def enter() -> None:
            other = self.outbox(self.folder / "outbox", self.settings, self.clock)
            names.extend(other.enter("worker") for _ in range(20))
            over.wait(30)
            other.close()

        threads = [threading.Thread(target=enter) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and len(names) < 80:
            box.workers()
        counted = box.workers()
        over.set()
        for thread in threads:
            thread.join(30)
        assert len(set(names)) == 80, f"{len(set(names))} of 80 workers could enter"
        assert counted in {None, 80}, f"80 workers are alive, and {counted} are counted"

    def test_what_a_killed_worker_had_is_abandoned_at_once(self) -> None:
        """No clock decides who is alive."""
        worker = self._working()
        assert not self.box.abandoned(), "the worker is alive, and what it has is called abandoned"
        worker.kill()
        assert {one.subject: one.state for one in self.box.abandoned()} == _BOTH
        assert rescue(self.box) == 2

    def test_a_worker_that_stands_still_is_alive(self) -> None:
        """What it has may be on its way: a stopped process goes on where it stood."""
        worker = self._working()
        worker.stop()
        self.clock.forward(1_000_000)
        assert not self.box.abandoned(), "a stopped worker was taken for dead"
        assert not self.claim(), "its lanes were given to another"
        worker.kill()
        assert len(self.box.abandoned()) == 2

    def _working(self) -> Process:
        """Return a process that has claimed one and is about to hand over another, and does not go on."""
        ready = self.folder / "ready"

        def work() -> None:
            box = self.outbox(self.folder / "outbox", self.settings, self.clock)
            self._opened = [box]
            name = box.enter("worker")
            self.claimed(letter("1", lane="a"), worker=name)
            self.attempted(letter("2", lane="b"), worker=name)
            ready.touch()
            threading.Event().wait(60)

        begun = self.process(work)
        begun.until(ready.exists)
        return begun

    def test_an_attempt_outlives_the_closing(self) -> None:
        """What is under way when the outbox is closed is not another's: it may still be taken."""
        worker = self.box.enter("send")
        entry = self.attempted(worker=worker)
        self.box.close()
        assert not self.open().abandoned(), "an attempt is under way, and is called abandoned"
        self.box.leave(worker)
        assert keys(self.open().abandoned()) == [entry.key]


_BOTH = {"1": State.CLAIMED, "2": State.ATTEMPTING}
