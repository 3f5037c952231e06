"""Steps that nobody waits for: written with the next that somebody does, soon at the latest, again while it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pillarbox import SendDeferred
from pillarbox.outbox import Step

from ._forks import begun
from ._log import failed

Write = Callable[[list[Step]], None]
_SOON = 0.002
_AGAIN = 0.5


class Pending:
    """Gathers steps, and has them written by a thread of its own if nobody takes them along before.

    Args:
        write: Writes steps in one transaction; raises when the storage does not take them.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        begun(self)

    def begin(self) -> None:
        """Forget what a process has: what its parent was to write, the parent writes."""
        self._state = threading.Condition()
        self._steps: list[Step] = []
        self._writing = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, steps: list[Step]) -> None:
        """Write *steps* soon."""
        with self._state:
            self._steps += steps
            if self._thread is None:
                self._thread = threading.Thread(target=self._flush, name="pillarbox-outbox", daemon=True)
                self._thread.start()
            self._state.notify_all()

    def along(self) -> list[Step]:
        """Return what waits, for a transaction that is about to be written; `back` puts it in line again."""
        with self._state:
            steps, self._steps = self._steps, []
            return steps

    def back(self, steps: list[Step]) -> None:
        """Put back what could not be written, before what came since."""
        if steps:
            with self._state:
                self._steps = steps + self._steps
            self.add([])

    def _flush(self) -> None:
        pause = _SOON
        while True:
            with self._state:
                self._state.wait_for(lambda: bool(self._steps) or self._closed)
                if self._closed:
                    return
                self._state.wait_for(lambda: self._closed, timeout=pause)
                steps, self._steps = self._steps, []
                self._writing = bool(steps)
            pause = _SOON if self._tried(steps) else _AGAIN

    def _tried(self, steps: list[Step]) -> bool:
        try:
            left = self._left(steps)
        finally:
            with self._state:
                self._writing = False
                self._state.notify_all()
        with self._state:
            self._steps = left + self._steps
        return not left

    def _left(self, steps: list[Step]) -> list[Step]:
        """Write *steps*; return those for which the storage was not there. One that can't be kept spoils no other."""
        try:
            if steps:
                self._write(steps)
        except SendDeferred as error:
            failed(error)
            return steps
        except Exception as error:  # noqa: BLE001  (a fault of one of them)
            failed(error)
            return [left for step in steps for left in self._left([step])] if len(steps) > 1 else []
        return []

    def close(self) -> None:
        """Write what is left, once, and stop."""
        with self._state:
            self._closed = True
            self._state.notify_all()
            self._state.wait_for(lambda: not self._writing, timeout=10)
            steps, self._steps = self._steps, []
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(5)
        self._closed = False
        self._tried(steps)
