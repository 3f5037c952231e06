"""Which workers are alive: each holds the lock of a file for its life, and the system frees it at its death."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from .._errors import SettingsError
from .._locks import Held


class Lives:
    """The workers of one outbox, by their lock files; those that this process began, and everybody's.

    A worker that is stopped still holds its lock, one that was killed does not, at once.

    Args:
        folder: Where the files lie; made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours: dict[str, Held] = {}

    def begin(self, kind: str) -> str:
        """Return the name of a new worker, alive until it leaves or this process dies.

        Raises:
            SettingsError: The folder can't be locked.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for _ in range(10):  # whoever counts workers may have the lock of a name that is just being made
            worker = f"{kind}-{uuid.uuid4().hex}"
            held = Held.take(self._folder / worker)
            if held is not None:
                self._ours[worker] = held
                return worker
        raise SettingsError(f"{self._folder} can't be locked.", cure="Keep it on a local disk.")

    def end(self, worker: str) -> None:
        """Let a worker's life end."""
        held = self._ours.pop(worker, None)
        if held is not None:
            held.free(remove=True)

    def end_all_but(self, busy: Iterable[str]) -> None:
        """Let the lives of this process's workers end that are not *busy*."""
        for worker in set(self._ours).difference(busy):
            self.end(worker)

    def is_ours(self, worker: str) -> bool:
        """Whether this process began it, and it has not ended."""
        return worker in self._ours

    def forget(self) -> None:
        """Know in a forked child that these are the parent's."""
        self._ours = {}

    def is_alive(self, worker: str) -> bool:
        """Whether it is; the file of a dead one goes."""
        if worker in self._ours:
            return True
        lock = self._folder / worker
        held = Held.take(lock, make=False)
        if held is None:
            return lock.exists()
        held.free(remove=True)  # nobody else's: names are never used again
        return False

    def count(self, kind: str) -> int:
        """Return how many of a *kind* are alive, in any process."""
        names = [lock.name for lock in self._folder.glob(f"{kind}-*")]
        return sum(map(self.is_alive, names))
