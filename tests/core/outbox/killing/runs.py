"""One run: messages are put and sent while hosts and workers are killed; then it is counted what became of them."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import attrs

from pillarbox import State
from pillarbox.outbox import Search
from pillarbox.testing._outbox_contract._post import logged
from tests.core.outbox.killing.nursery import told
from tests.core.outbox.killing.office import Office

ROOT = Path(__file__).parents[4]
WELL_BEFORE = 1.0
"""Seconds before a kill that are time enough to write down a mark or an answer, on a disk that others write to as well."""
OVER = {State.ACCEPTED, State.HELD}


@attrs.frozen(kw_only=True)
class Plan:
    """What is done.

    Attributes:
        carrier: `look` for a file that can be looked at, `many` for one that takes several before it answers, `smtp` for
            plain SMTP, which holds what is in doubt.
        messages, kills: How many.
        workers: How many processes work at once.
        seed: Of the moments and of who is killed.
        patience: Seconds in which all has to be over behind the last kill.
    """

    carrier: str
    messages: int
    kills: int
    workers: int
    seed: int = attrs.field(factory=lambda: random.randrange(1, 10**9))
    pause: float = 0.005
    patience: float = 60.0


@attrs.frozen(kw_only=True)
class Report:
    """What came of it.

    Attributes:
        lost: Invoices that are neither with the carrier nor held.
        repeated: Invoices that the carrier has more than once.
        held: Held for a person; with a carrier that can be looked at there is none.
        unexplained: Held without cause: the content had not begun, or its answer was given well before the kill.
        found, resent: What looks found, and did not find.
        open: What never ended, by its state.
        seconds: It took.
    """

    plan: Plan
    lost: Sequence[int]
    repeated: Sequence[int]
    held: Sequence[int]
    unexplained: Sequence[str]
    found: int
    resent: int
    open: Mapping[str, int]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, repeated, left open or held without cause."""
        return not (self.lost or self.repeated or self.open or self.unexplained)

    def __str__(self) -> str:
        plan = self.plan
        return (
            f"{plan.carrier:4}  {plan.workers} process{'es' if plan.workers > 1 else '  '}  {plan.messages:6,} messages  "
            f"{plan.kills:3} kills   lost {len(self.lost)}  repeated {len(self.repeated)}  held {len(self.held)}  "
            f"without cause {len(self.unexplained)}  found {self.found}  resent {self.resent}  open {dict(self.open)}  "
            f"{self.seconds:.1f} s  seed {plan.seed}"
        )


def run(plan: Plan) -> Report:
    """Do as *plan* says, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-kills-") as name:
        folder, started = Path(name), time.monotonic()
        with contextlib.ExitStack() as stack:
            port = stack.enter_context(sink(folder, pause=plan.pause)) if plan.carrier == "smtp" else 0
            office = Office(folder, port, pause=plan.pause, several=plan.carrier == "many")
            kills = stack.enter_context(nursery(office)).play(plan, office)
        return _judged(plan, office, kills, time.monotonic() - started)


@contextlib.contextmanager
def sink(
    folder: Path, *, pause: float = 0.0, per_minute: int = 0, minute: float = 60.0, at_once: int = 0
) -> Iterator[int]:
    """Run the sink, and yield its port; it writes into the folder's `carrier.log`."""
    values = map(str, (folder / "carrier.log", pause, per_minute, minute, at_once))
    with _running("sink", *values) as process:
        assert process.stdout
        yield int(process.stdout.readline())


@contextlib.contextmanager
def _running(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.core.outbox.killing.{module}", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(30)


@contextlib.contextmanager
def nursery(office: Office) -> Iterator[Nursery]:
    """Run a nursery; whatever it has borne is dead at the end."""
    arguments = map(str, (office.folder, office.port, office.mailboxes, office.pause, office.several))
    with _running("nursery", *arguments) as process:
        assert process.stdin
        assert process.stdout
        found = Nursery(process.stdin, process.stdout)
        try:
            yield found
        finally:
            found.end()


class Nursery:
    """Bears processes, and kills them."""

    def __init__(self, asks: IO[str], answers: IO[str]) -> None:
        self._asks, self._answers = asks, answers
        self._alive: set[int] = set()
        self.kills: list[tuple[int, float]] = []

    def bear(self, words: str) -> int:
        self._asks.write(f"{words}\n")
        self._asks.flush()
        number = int(self._answers.readline())
        self._alive.add(number)
        return number

    def kill(self, number: int) -> None:
        """End a process at once, and remember when; the number of one that has ended is still its own."""
        os.kill(number, signal.SIGKILL)
        self.kills.append((number, time.monotonic()))
        self._alive.discard(number)

    def end(self) -> None:
        for number in list(self._alive):
            self.kill(number)

    def play(self, plan: Plan, office: Office) -> Mapping[int, float]:
        """Put and send, kill and begin again; return when each process was killed."""
        chance = random.Random(plan.seed)
        host = self.bear(f"host 0 {plan.messages}")
        workers = [self.bear("worker") for _ in range(plan.workers)]
        for number in range(plan.kills):
            share = plan.messages * (number + chance.random()) / (plan.kills + 1)
            _until(lambda share=share: _taken(office) >= share, plan.patience)
            time.sleep(chance.random() * 0.03)
            if chance.random() < 0.2:
                self.kill(host)
                host = self.bear(f"host 0 {plan.messages}")
            else:
                self.kill(workers.pop(chance.randrange(len(workers))))
                workers.append(self.bear("worker"))
        kills = dict(self.kills)
        _until(lambda: _is_over(plan, office), plan.patience)
        return kills


def _until(reached: object, patience: float) -> None:
    assert callable(reached)
    give_up = time.monotonic() + patience
    while not reached() and time.monotonic() < give_up:
        time.sleep(0.01)


def _taken(office: Office) -> int:
    """Return how many messages the carrier has, about."""
    if not office.log.exists():
        return 0
    if not office.port:
        return office.log.stat().st_size // 33
    return office.log.read_bytes().count(b"accept ")


def _is_over(plan: Plan, office: Office) -> bool:
    if len(told(office.folder)) < plan.messages:
        return False
    with office.outbox() as outbox:
        return not outbox.list(Search(states=frozenset(set(State) - OVER), limit=1))


def _judged(plan: Plan, office: Office, kills: Mapping[int, float], seconds: float) -> Report:
    keys = told(office.folder)
    with office.outbox() as outbox:
        entries = outbox.list(Search(limit=10**6))
        events = [event.reason for entry in entries for event in outbox.history(entry.key)]
    by_key = {entry.key: entry for entry in entries}
    carried = _carried(office, {key: number for number, key in keys.items()})
    held = [number for number, key in keys.items() if by_key[key].state is State.HELD]
    return Report(
        plan=plan,
        lost=[number for number in range(plan.messages) if not carried[number] and number not in set(held)],
        repeated=[number for number, count in carried.items() if count > 1],
        held=held,
        unexplained=list(_unexplained(office, held, kills))
        if office.port
        else [f"{number}" for number in held],
        found=sum("found that it was sent" in reason for reason in events),
        resent=sum("found that it was not sent" in reason for reason in events),
        open=collections.Counter(one.state.value for one in entries if one.state not in OVER),
        seconds=seconds,
    )


def _carried(office: Office, numbers: Mapping[str, int]) -> collections.Counter[int]:
    """Return how often the carrier has each invoice."""
    if not office.port:
        return collections.Counter(numbers.get(key, -1) for key in logged(office.log))
    lines = map(str.split, office.log.read_text("ascii").splitlines())
    return collections.Counter(int(who) for what, who, *_ in lines if what == "accept")


def _unexplained(office: Office, held: Sequence[int], kills: Mapping[int, float]) -> Iterator[str]:
    """Yield what is held although its outcome was plain when its worker was killed."""
    seen: dict[int, dict[str, tuple[str, float]]] = collections.defaultdict(dict)
    for what, who, client, at in map(str.split, office.log.read_text("ascii").splitlines()):
        seen[int(who)][what] = (client, float(at))
    for number in held:
        client, began = seen[number].get("data", ("", 0.0))
        killed = kills.get(int(client[1:].partition(".")[0] or 0), 0.0)
        if "begin" not in seen[number] and killed - began > WELL_BEFORE:
            yield f"{number}: held, and its content had not begun {killed - began:.3f} s behind the 354"
        answered = seen[number].get("answer")
        if answered is not None and killed - answered[1] > WELL_BEFORE:
            yield f"{number}: held, and 250 was said {killed - answered[1]:.3f} s before the kill"
