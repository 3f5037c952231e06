"""The worker: claims what is due, gives each lane its turn, looks for the unknown, and takes over from the dead."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import attrs

from .. import _log
from .._errors import OutboxError, PillarboxError
from .._mail import State
from . import steps
from .contract import Outbox
from .entry import Entry, Wanted
from .lane import Lane
from .recovery import Looks, boot_time, end_late, rescue
from .settings import OutboxSettings
from .turn import Post, Turn

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

RESCUE = 2.0
"""Seconds between two looks for dead workers."""
TIDY = 600.0
"""Seconds between two erasures."""
AHEAD = 64
"""How many of one lane are claimed ahead, at least; none of them is begun before its turn."""
LONGEST_WAIT = 1.0
"""Seconds after which it looks again whatever it was told."""
LINGER = 0.005
"""Seconds between two claims while there is work, so that new mail is claimed in sets; a worker that is idle claims at once."""


@attrs.frozen(kw_only=True)
class Only:
    """What a worker confines itself to; None for no such limit."""

    methods: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    users: frozenset[str] | None = None


class Worker:
    """Empties an outbox until it is stopped. One for a process is enough; several share the lanes.

    Args:
        outbox: What it empties.
        post: Accounts and transports.
        settings: How long, how often, how many at once.
        only: What it confines itself to.
        elapsed: Seconds that no clock's setting changes.
    """

    def __init__(
        self,
        outbox: Outbox,
        post: Post,
        settings: OutboxSettings | None = None,
        *,
        only: Only | None = None,
        elapsed: Callable[[], float] = boot_time,
    ) -> None:
        self._outbox = outbox
        self._post = post
        self._settings = settings or OutboxSettings()
        self._only = only or Only()
        self._looks = Looks(outbox, self._settings, elapsed)
        self._lanes: dict[str, Lane] = {}
        self._turn: collections.deque[str] = collections.deque()
        self._guard = threading.Lock()
        self._looking: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._counted: collections.Counter[State] = collections.Counter()
        self._next_rescue = self._next_tidy = 0.0
        self._name = ""

    @property
    def counted(self) -> Mapping[State, int]:
        """How many attempts of this worker ended in each state."""
        return dict(self._counted)

    def run(self, *, drain: bool = False) -> None:
        """Work until `stop`; with *drain* until nothing is due and nothing is under way.

        A stop finishes each attempt in hand, never cuts one, and gives back what was claimed and not begun.
        """
        from concurrent.futures import ThreadPoolExecutor

        self._name = self._outbox.enter("worker")
        try:
            with ThreadPoolExecutor(self._settings.threads, "pillarbox-worker") as pool:
                try:
                    self._work(pool, drain=drain)
                finally:
                    self._stop.set()
        finally:
            if self._gives_back():
                self._outbox.leave(self._name)
            self._stop.clear()

    def _work(self, pool: ThreadPoolExecutor, *, drain: bool) -> None:
        failures = 0
        while not self._stop.is_set():
            was_busy = self._is_busy()  # what a lane gives back while this looks is seen by the next look
            try:
                self._now_and_then()
                begun = self._claim() + self._look(pool)
                failures = 0
            except Exception as error:  # noqa: BLE001  (a storage that fails for a while is no end)
                failures += 1
                begun = 0
                _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
                self._stop.wait(min(0.1 * 2 ** min(failures, 7), 10.0))
            self._start(pool)
            if drain and not (failures or begun or was_busy or self._is_busy()):
                return
            if begun or self._is_at_work():
                self._stop.wait(LINGER)
            self._wait()

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if now >= self._next_rescue:
            self._next_rescue = now + RESCUE
            self._forget_idle()
            rescue(self._outbox)
            end_late(self._outbox)
        if now >= self._next_tidy:
            self._next_tidy = now + TIDY
            keep = self._settings.keep_bodies
            self._outbox.erase(self._outbox.clock() - steps.seconds(keep))

    def _claim(self) -> int:
        """Claim more where lanes have room, and say how much came."""
        with self._guard:
            ahead = sum(len(lane.waiting) for lane in self._lanes.values())
            busy = frozenset(key for key, lane in self._lanes.items() if lane.waiting or lane.is_resting)
        each = max(AHEAD, 4 * self._settings.batch)
        most = max(4 * self._settings.threads, each) - ahead
        if most <= 0:
            return 0
        wanted = Wanted(
            worker=self._name,
            most=most,
            each=each,
            busy=busy,
            methods=self._only.methods,
            accounts=self._only.accounts,
            users=self._only.users,
        )
        try:
            entries = self._outbox.claim(wanted)
        except OutboxError:  # the outbox was closed meanwhile, and is used again
            self._name = self._outbox.enter("worker")
            return 0
        if entries:
            lanes = len({entry.account for entry in entries})
            _log.event("debug", "pillarbox.claimed", count=len(entries), lanes=lanes)
        with self._guard:
            late = [entry for entry in entries if not self._lane(entry.account).offer(entry)]
        if late:
            self._outbox.take([steps.released(entry) for entry in late], soon=True)
        return len(entries) - len(late)

    def _lane(self, key: str) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
            self._turn.append(key)
        return lane

    def _start(self, pool: ThreadPoolExecutor) -> None:
        """Give threads to the lanes that can use one, each in its turn."""
        with self._guard:
            running = sum(lane.running for lane in self._lanes.values())
            for _ in range(len(self._turn)):
                if running >= self._settings.threads:
                    break
                lane = self._lanes[self._turn[0]]
                self._turn.rotate(-1)
                if lane.has_room and not lane.is_resting:
                    lane.running += 1
                    running += 1
                    pool.submit(self._take_turn, lane)

    def _take_turn(self, lane: Lane) -> None:
        try:
            turn = Turn(lane, self._outbox, self._post, self._settings, self._stop.is_set, self._count)
            turn.run()
        finally:
            with self._guard:
                lane.running -= 1
            self._outbox.wake()

    def _forget_idle(self) -> None:
        """Keep only the lanes at which something is, or lately was."""
        at = self._outbox.clock()
        with self._guard:
            self._lanes = {key: lane for key, lane in self._lanes.items() if not lane.is_idle(at)}
            self._turn = collections.deque(key for key in self._turn if key in self._lanes)

    def _count(self, state: State) -> None:
        with self._guard:
            self._counted[state] += 1

    def _look(self, pool: ThreadPoolExecutor) -> int:
        """Look for the unknown whose time has come, beside the sending; say of how many."""
        begun = 0
        for entry in self._outbox.due_looks(8, users=self._only.users):
            with self._guard:
                if entry.key in self._looking:
                    continue
                self._looking.add(entry.key)
            pool.submit(self._look_for, entry)
            begun += 1
        return begun

    def _look_for(self, entry: Entry) -> None:
        try:
            account = self._post.account(entry)
            with self._post.transport(account) as transport:
                self._looks.look(entry, transport)
        except OutboxError as error:
            self._looks.unable(entry, error.detail)
        except PillarboxError as error:
            self._looks.later(entry, str(error))
        except Exception as error:  # noqa: BLE001  (a look that fails is made again)
            _log.event("error", "pillarbox.worker_failed", error=type(error).__name__)
            self._looks.later(entry, f"The look failed with {type(error).__name__}.")
        finally:
            with self._guard:
                self._looking.discard(entry.key)
            self._outbox.wake()

    def _is_busy(self) -> bool:
        """Whether something is under way, or waits for a limit alone."""
        with self._guard:
            return bool(self._looking) or any(
                lane.running
                or lane.waiting
                or (lane.is_resting and lane.meter is not None and lane.meter.counts)
                for lane in self._lanes.values()
            )

    def _is_at_work(self) -> bool:
        with self._guard:
            return any(lane.running for lane in self._lanes.values())

    def _wait(self) -> None:
        """Wait for a thread that is free, for new mail, or for what comes due."""
        now = time.monotonic()
        with self._guard:
            rests = [lane.rests_until - now for lane in self._lanes.values() if lane.is_resting]
        try:
            due = self._outbox.next_due()
            until = (due - self._outbox.clock()).total_seconds() if due is not None else 0.0
            soonest = min([LONGEST_WAIT, *rests, *([until] if until > 0 else [])])
            self._outbox.wait(max(soonest, 0.005))
        except Exception as error:  # noqa: BLE001  (a storage that fails for a while is no end)
            _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
            self._stop.wait(LONGEST_WAIT)

    def _gives_back(self) -> bool:
        """Give back what was claimed and not begun; say whether the storage has it, and all that nobody waited for.

        Where it fails, the worker's life goes on with the process: what it had is written down when the storage works
        again, and nobody takes it for a dead worker's before.
        """
        with self._guard:
            moves = [step for lane in self._lanes.values() for step in lane.give_back()]
            self._lanes.clear()
            self._turn.clear()
        try:
            self._outbox.take(moves)
        except Exception as error:  # noqa: BLE001  (a storage that fails for a while is no end)
            _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
            self._outbox.take(moves, soon=True)
            return False
        return True

    def stop(self) -> None:
        """Finish what is in hand and return from `run`; safe in a signal handler and from any thread."""
        self._stop.set()

    def start(self) -> Self:
        """Work in a thread of this process, until `stop` and `join` or the end of the `with` block."""
        self._thread = threading.Thread(target=self.run, name="pillarbox-worker", daemon=True)
        self._thread.start()
        return self

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread that `start` made has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()
