"""Cases: several processes at one outbox, and workers that are killed in the middle."""

from __future__ import annotations

import collections
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..._mail import State, now
from ..._outbox import Search, Worker
from ._ground import OutboxGround, Process, letter
from ._post import LogPost, logged

_ENDED = frozenset({State.ACCEPTED})


class Crowd(OutboxGround):
    """Several at once."""

    seed = 0
    """What the moments are drawn by at which workers are killed; 0 for a new one each time."""

    def test_several_processes_put_and_work_at_once(self) -> None:
        """Nothing is lost, nothing is sent twice, each lane in its order."""
        processes = [self.process(self._of_a_host(number, 20)) for number in range(2)]
        processes += [self.process(self._of_a_worker(drains=40)) for _ in range(2)]
        for process in processes:
            process.wait()
        self._sent_once(40)

    def test_killed_workers_lose_nothing_and_repeat_nothing(self) -> None:
        """Two at a time, killed at random moments, with a carrier that can be looked at."""
        chance = random.Random(seed := self.seed or random.randrange(1, 10**9))  # noqa: S311
        self.process(self._of_a_host(0, 60)).wait()
        working = [self.process(self._of_a_worker()) for _ in range(2)]
        for _ in range(4):
            self._after(chance.randint(1, 10), working)
            working.pop(chance.randrange(2)).kill()
            working.append(self.process(self._of_a_worker()))
        self._all_sent(working, 60, seed)
        for process in working:
            process.kill()
        self._sent_once(60, f"; seed {seed}")

    def _of_a_host(self, number: int, count: int) -> Callable[[], None]:
        """Return the work of a host that puts so many, in three lanes."""

        def work() -> None:
            box = self.outbox(self.folder / "outbox", self.settings, now)
            for each in range(count):
                box.put([letter(str(each), lane=f"lane-{each % 3}", user=str(number))])
            box.close()

        return work

    def _of_a_worker(self, drains: int = 0) -> Callable[[], None]:
        """Return the work of a worker until it is killed, or until so many were taken."""

        def work() -> None:
            box = self.outbox(self.folder / "outbox", self.settings, now)
            worker = Worker(box, LogPost(self._log, 0.01), self.settings).start()
            while not drains or len(logged(self._log)) < drains:
                time.sleep(0.01)
            worker.stop()
            worker.join(30)
            box.close()

        return work

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _after(self, count: int, working: Sequence[Process]) -> None:
        """Wait until so many more were taken, or all."""
        before = len(logged(self._log))
        working[0].until(lambda: len(logged(self._log)) >= min(before + count, 60))

    def _all_sent(self, working: Sequence[Process], count: int, seed: int) -> None:
        give_up = time.monotonic() + self.patience
        while len(set(logged(self._log))) < count or self._open():
            assert time.monotonic() < give_up, f"seed {seed}: {self._open()} wait for ever"
            time.sleep(0.05)

    def _open(self) -> list[State]:
        """Return the states of what has not ended, read by a process that is no worker."""
        return [one.state for one in self.box.list(Search(limit=1_000)) if one.state not in _ENDED]

    def _sent_once(self, count: int, more: str = "") -> None:
        found = collections.Counter(logged(self._log))
        kept = {one.key for one in self.box.list(Search(limit=1_000))}
        repeated = [key for key, times in found.items() if times > 1]
        assert len(kept) == count, f"{count} were put, and {len(kept)} are kept{more}"
        assert not kept - set(found), f"{len(kept - set(found))} of {count} are lost{more}"
        assert not repeated, f"{len(repeated)} of {count} were sent twice{more}"
