"""What the cases of OutboxContract stand on: a folder, a clock, letters, and processes that can be killed."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import tempfile
import time
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import attrs

from ..._mail import Envelope, State, Submission
from ..._outbox import Entry, Outbox, OutboxSettings, Wanted, steps
from .._contract import NotStaged

E = TypeVar("E", bound=Exception)
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at: dt.datetime = at

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, seconds: float) -> dt.datetime:
        """Set it forward, or back, by so many seconds, and return what it shows."""
        self.at += dt.timedelta(seconds=seconds)
        return self.at


def letter(text: str = "Invoice", *, lane: str = "acme/company/x", key: str = "", **more: Any) -> Entry:
    """Return an entry with a submission of its own; *more* are its fields, or those of its submission."""
    fields = {field.name for field in attrs.fields(Submission)}
    of_submission = {name: more.pop(name) for name in list(more) if name in fields}
    to = more.pop("to", "ap@customer.example")
    name = key or uuid.uuid4().hex
    facts: dict[str, Any] = {
        "key": name,
        "message_id": f"<{name}@acme.example>",
        "envelope": Envelope("orders@acme.example", (to,)),
        "chunks": (f"Subject: {text}\r\n\r\n{text}\r\n".encode(),),
        "header_size": len(text) + 11,
        "composed_at": NOON,
    }
    whose = {"owner": "company", "company": "acme", "method": "x", "mailbox": "orders@acme.example"}
    times = {"created_at": NOON, "changed_at": NOON}
    submission = Submission(**{**facts, **of_submission})
    return Entry(**{"submission": submission, "account": lane, "subject": text, **whose, **times, **more})


class Process:
    """A process of its own that does *work* and ends with it; it can be stopped and killed.

    It is forked: nothing of an outbox may be open in this process when it begins.
    """

    def __init__(self, work: Callable[[], None], trouble: Path, patience: float) -> None:
        self._trouble = trouble
        self._patience = patience
        self._code: int | None = None
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # it forks beside threads, and uses none of theirs
            self.number: int = os.fork()  # type: ignore[attr-defined,unused-ignore]
        if not self.number:
            _do_and_end(work, trouble)

    @property
    def code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        if self._code is None:
            found, status = os.waitpid(self.number, os.WNOHANG)  # type: ignore[attr-defined,unused-ignore]
            self._code = os.waitstatus_to_exitcode(status) if found else None
        return self._code

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until *reached* says so, as long as the process has not failed."""
        give_up = time.monotonic() + self._patience
        while not reached():
            assert self.code in {None, 0}, f"the process ended with {self.code}: {self._told()}"
            assert time.monotonic() < give_up, f"nothing came of the process in {self._patience:g} seconds"
            time.sleep(0.005)

    def wait(self) -> None:
        """Wait for its end, which has to be a good one."""
        self.until(lambda: self.code == 0)

    def stop(self) -> None:
        """Let it stand still, as a suspended machine does."""
        os.kill(self.number, signal.SIGSTOP)  # type: ignore[attr-defined,unused-ignore]

    def kill(self) -> None:
        """End it at once, without a last word."""
        if self.code is None:
            os.kill(self.number, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
            while self.code is None:
                time.sleep(0.002)

    def _told(self) -> str:
        return self._trouble.read_text("utf-8") if self._trouble.exists() else "it said nothing"


def _do_and_end(work: Callable[[], None], trouble: Path) -> NoReturn:
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  (the child has no other way to tell)
        trouble.write_text(traceback.format_exc(), "utf-8")
    finally:
        os._exit(code)


class OutboxGround:
    """The part of the contract that its author fills in, and tools that the cases use; own cases may use them too."""

    clock: Clock
    folder: Path
    settings: OutboxSettings = OutboxSettings(
        shortest_wait=0.02, longest_wait=0.05, user_burst=0, company_burst=0
    )
    """What the outboxes of most cases are given."""
    patience: float = 30.0
    """Seconds after which what should have come is taken never to come."""

    def outbox(self, path: Path, settings: OutboxSettings, clock: Callable[[], dt.datetime]) -> Outbox:
        """Return the outbox that is kept at *path*, opened anew; the same entries each time.

        An outbox that is kept elsewhere names its database by *path*, which is another one in each test.
        """
        raise NotImplementedError("OutboxContract needs outbox(self, path, settings, clock) -> Outbox.")

    def setup_method(self) -> None:
        """Begin with an empty folder and a clock at noon."""
        self.folder = Path(tempfile.mkdtemp(prefix="pillarbox-outbox-"))
        self.clock = Clock()
        self._opened: list[Outbox] = []
        self._processes: list[Process] = []

    def teardown_method(self) -> None:
        """End what was begun."""
        for process in self._processes:
            process.kill()
        for box in self._opened:
            box.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(
        self, settings: OutboxSettings | None = None, clock: Callable[[], dt.datetime] | None = None
    ) -> Outbox:
        """Return the test's outbox, opened once more."""
        box = self.outbox(self.folder / "outbox", settings or self.settings, clock or self.clock)
        self._opened.append(box)
        return box

    @property
    def box(self) -> Outbox:
        """The test's outbox."""
        return self._opened[0] if self._opened else self.open()

    def process(self, work: Callable[[], None]) -> Process:
        """Do *work* in a process of its own, which opens the outbox for itself."""
        if not hasattr(os, "fork"):
            raise NotStaged("this system can't fork")
        for box in self._opened:
            box.close()
        self._opened.clear()
        begun = Process(work, self.folder / f"trouble-{len(self._processes)}", self.patience)
        self._processes.append(begun)
        return begun

    def put(self, *letters: Entry) -> list[str]:
        """Put *letters*, one after another, and return their keys."""
        return [self.box.put([one])[0].key for one in letters or (letter(),)]

    def claim(self, worker: str = "", *, box: Outbox | None = None, **wanted: Any) -> list[Entry]:
        """Claim for *worker*, a new one by default, without limits but those that are named."""
        there = box or self.box
        name = worker or there.enter("worker")
        return there.claim(Wanted(**{"worker": name, "most": 1_000, "each": 1_000, **wanted}))

    def claimed(self, one: Entry | None = None, *, worker: str = "") -> Entry:
        """Put *one* and claim it."""
        self.put(one or letter())
        return self.claim(worker)[0]

    def attempted(self, one: Entry | None = None, *, worker: str = "") -> Entry:
        """Put *one*, claim it, and mark its hand-over; return it as it was claimed."""
        entry = self.claimed(one, worker=worker)
        with self.box.journal(entry).handing_over():
            return entry

    def unknown(self, one: Entry | None = None, due_at: dt.datetime | None = None) -> Entry:
        """Put *one* and bring it to where nobody knows whether it was sent; return it as it stands."""
        entry = self.attempted(one)
        assert self.take(steps.after_death(entry_in(entry, State.ATTEMPTING), due_at or self.clock()))
        return self.stands(entry)

    def take(self, *moves: Any, box: Outbox | None = None) -> bool:
        """Take *moves* and say whether all were taken."""
        return all((box or self.box).take(moves))

    def stands(self, entry: Entry | str) -> Entry:
        """Return an entry as it stands now."""
        found = self.box.get(entry if isinstance(entry, str) else entry.key)
        assert found is not None, "the entry is gone"
        return found

    def is_in(self, entry: Entry | str, state: State) -> None:
        """Raise AssertionError unless the entry is in *state*."""
        found = self.stands(entry).state
        assert found is state, f"it is {found.value}, and should be {state.value}"


class Caught(Generic[E]):
    """The error that a block was to raise, once it has.

    Attributes:
        error: It.
    """

    error: E


@contextlib.contextmanager
def refused(kind: type[E], said: str = "") -> Iterator[Caught[E]]:
    """Raise AssertionError unless the block raises a *kind* whose text holds *said*."""
    caught: Caught[E] = Caught()
    try:
        yield caught
    except kind as error:
        assert said in str(error), f"the {kind.__name__} does not say {said!r}: {error}"  # noqa: PT017
        caught.error = error
        return
    raise AssertionError(f"no {kind.__name__} was raised")


def entry_in(entry: Entry, state: State) -> Entry:
    """Return *entry* as it stands in another state."""
    return attrs.evolve(entry, state=state)


def keys(entries: Sequence[Entry]) -> list[str]:
    """Return the keys of *entries*, in order."""
    return [entry.key for entry in entries]
