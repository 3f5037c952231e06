"""What a desk still has to tell its server: in order, until it is heard."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import attrs

from .. import _log
from .._errors import OutboxError, PillarboxError, SendDeferred
from .._outbox import Step

TOGETHER = 50
"""The most steps that are said at once."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
"""Seconds between two tries while the server can't be reached."""


@attrs.frozen
class Note:
    """A note of an entry's journal."""

    key: str
    fence: int
    name: str
    value: str


class Telling:
    """Tells what came of attempts. Safe between threads.

    Args:
        say: Says steps.
        say_note: Says a note.
        leaving: Set when nothing more comes; what is pending is tried once more then.
    """

    def __init__(
        self,
        say: Callable[[Sequence[Step]], object],
        say_note: Callable[[Note], object],
        leaving: threading.Event,
    ) -> None:
        self._say = say
        self._say_note = say_note
        self._leaving = leaving
        self._pending: collections.deque[Step | Note] = collections.deque()
        self._guard = threading.Lock()
        self._bell = threading.Event()

    def later(self, *what: Step | Note) -> None:
        """Tell *what* behind all that is pending, from another thread, until it is heard."""
        self._pending.extend(what)
        self._bell.set()

    def wake(self) -> None:
        """Let the thread look whether it is to leave."""
        self._bell.set()

    @contextlib.contextmanager
    def after_all(self) -> Iterator[None]:
        """Tell all that is pending, then hold the line for the length of the block: what is said in it comes behind.

        Raises:
            PillarboxError: It can't be told now; it stays pending.
        """
        with self._guard:
            self._tell()
            yield

    def run(self) -> None:
        """Tell what is pending, in a thread, until there is nothing more to come, or the server hears it neither now nor later."""
        pause = SHORTEST_PAUSE
        while True:
            self._bell.wait()
            self._bell.clear()
            try:
                with self.after_all():
                    pause = SHORTEST_PAUSE
            except SendDeferred:
                self._leaving.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                self._bell.set()
            except PillarboxError:
                return
            except Exception as error:  # noqa: BLE001  (a fault must not end the telling)
                _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
                self._leaving.wait(LONGEST_PAUSE)
                self._bell.set()
            if self._leaving.is_set():
                return

    def _tell(self) -> None:
        while self._pending:
            first = self._pending[0]
            count = 1
            try:
                if isinstance(first, Step):
                    some = list(self._steps())
                    count = len(some)
                    self._say(some)
                else:
                    self._say_note(first)
            except SendDeferred:
                raise
            except PillarboxError as error:  # the server never takes it: what is in it then is looked for
                if isinstance(first, Step) and not isinstance(error, OutboxError):
                    raise
                _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
            for _ in range(count):
                self._pending.popleft()

    def _steps(self) -> Iterator[Step]:
        """Give the steps that are pending before the next note."""
        for one in list(self._pending)[:TOGETHER]:
            if not isinstance(one, Step):
                return
            yield one
