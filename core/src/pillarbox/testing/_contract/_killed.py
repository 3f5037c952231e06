"""Cases: a sender is killed, and what its journal says is compared with what the carrier has."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import attrs

from ..._mail import SightingState, Submission
from ._ground import Ground, NotStaged
from ._journals import REACHED, Durable, Mortal, end

_SECONDS = 30.0
_STEP = 0.01


@attrs.frozen
class _Folder:
    """Where a sender that is about to die leaves its marks."""

    path: Path

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def trouble(self) -> Path:
        return self.path / "trouble"

    def told(self) -> str:
        return self.trouble.read_text("utf-8") if self.trouble.exists() else "it said nothing"


class _Child:
    """A process that does *work* and ends with it, whatever comes of it."""

    def __init__(self, work: Callable[[], None], trouble: Path) -> None:
        self._code: int | None = None
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # it forks beside threads, and uses none of theirs
            self._number = os.fork()  # type: ignore[attr-defined,unused-ignore]
        if not self._number:
            _do_and_end(work, trouble)

    @property
    def code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        if self._code is None:
            found, status = os.waitpid(self._number, os.WNOHANG)  # type: ignore[attr-defined,unused-ignore]
            self._code = os.waitstatus_to_exitcode(status) if found else None
        return self._code

    def kill(self) -> None:
        """End it, if it has not ended, and wait until it is gone."""
        if self.code is None:
            os.kill(self._number, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
            _until(lambda: self.code is not None)


def _do_and_end(work: Callable[[], None], trouble: Path) -> NoReturn:
    try:
        work()
    except BaseException:  # noqa: BLE001  (the child has no other way to tell)
        trouble.write_text(traceback.format_exc(), "utf-8")
    finally:
        end(1)


def _until(reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _SECONDS
    while not reached():
        assert time.monotonic() < give_up, f"the sender did nothing for {_SECONDS:g} seconds"
        time.sleep(_STEP)


class Killed(Ground):
    """What is known after a crash."""

    def test_killed_before_the_hand_over_nothing_left(self) -> None:
        """The journal says not handed over, and it is true."""
        handed_over, count = self._killed("before")
        assert not handed_over, "no mark was made, and the journal has one"
        assert not count, "no mark was made, and the carrier has it"

    def test_killed_at_the_mark_it_is_never_called_unsent(self) -> None:
        """From the mark on the carrier may have it, and the journal says so."""
        handed_over, _ = self._killed("marked")
        assert handed_over, "the mark was made and is not in the journal"

    def test_killed_while_it_waits_for_the_answer_it_is_never_called_unsent(self) -> None:
        """The carrier may have all of it and had not answered: the journal says handed over."""
        with self._ready() as folder:
            submission, before = self.submission(), len(self.accepted())
            with self.stage("silent after"):
                child = _Child(lambda: self._send(submission, folder, "answered"), folder.trouble)
                try:
                    _until(lambda: Durable.read(folder.journal).handed_over or child.code is not None)
                finally:
                    child.kill()
            assert Durable.read(folder.journal).handed_over, f"no mark is in the journal; {folder.told()}"
            self._agrees(submission, folder, before)

    def test_killed_after_the_answer_it_is_never_called_unsent(self) -> None:
        """The carrier has it, and the journal says that it may."""
        handed_over, count = self._killed("answered")
        assert handed_over, "it was accepted, and the journal says that nothing was handed over"
        assert count == 1, f"it was accepted, and the carrier has it {count} times"

    def test_killed_at_a_note_it_is_never_called_unsent(self) -> None:
        """What was noted (a draft's id, say) is there for the look afterwards, and is no proof against the mark."""
        with self._ready() as folder:
            journal = Durable(folder.journal)
            self.send(self.submission(), journal)
        if not journal.notes:
            raise NotStaged("the transport notes nothing")
        self._killed("noted")

    def _killed(self, point: str) -> tuple[bool, int]:
        """Kill a sender at *point*; return whether its journal says handed over, and how many messages the carrier got."""
        with self._ready() as folder:
            submission, before = self.submission(), len(self.accepted())
            child = _Child(lambda: self._send(submission, folder, point), folder.trouble)
            try:
                _until(lambda: child.code is not None)
            finally:
                child.kill()
            assert child.code == REACHED, f"the sender never came to the point: {point}; {folder.told()}"
            return self._agrees(submission, folder, before)

    def _send(self, submission: Submission, folder: _Folder, point: str) -> None:
        """Send in a process of its own, and end it at *point*."""
        self.make_transport().send(submission, Mortal(folder.journal, point))
        if point == "answered":
            end(REACHED)

    def _agrees(self, submission: Submission, folder: _Folder, before: int) -> tuple[bool, int]:
        """Compare what the journal says, what the carrier has, and what a look afterwards finds."""
        journal = Durable.read(folder.journal)
        with self.opened() as transport:
            found = transport.find(submission, journal).state
        count = len(self.accepted()) - before  # what left while the look was made was there to be seen
        assert journal.handed_over or not count, "not handed over by the journal, and the carrier has it"
        assert count <= 1, f"one attempt, and the carrier has it {count} times"
        assert found is not SightingState.SENT or count, (
            "the look says SENT, and the carrier does not have it"
        )
        assert found is not SightingState.ABSENT or not count, "the look says ABSENT, and the carrier has it"
        return journal.handed_over, count

    @contextlib.contextmanager
    def _ready(self) -> Iterator[_Folder]:
        if not self.carrier_outlives:
            raise NotStaged("carrier_outlives is False: the carrier ends with the sender")
        if not hasattr(os, "fork"):
            raise NotStaged("this system can't fork")
        with tempfile.TemporaryDirectory() as folder:
            yield _Folder(Path(folder))
