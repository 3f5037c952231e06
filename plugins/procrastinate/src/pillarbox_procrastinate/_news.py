"""Waiting for what has come: notifications of the database, heard by one thread of this process."""

from __future__ import annotations

import contextlib
import threading
import time

from ._database import Database
from ._forks import begun
from ._log import failed
from ._tables import CHANNEL

_ROUND = 1.0
"""Seconds after which the listening thread looks whether it is over."""


class News:
    """Wakes whoever waits in this process, when anybody in any process has put something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        begun(self)

    def begin(self) -> None:
        """Forget what a process has."""
        self._came = threading.Condition()
        self._local = threading.local()
        self._count = 0
        self._over = False
        self._thread: threading.Thread | None = None

    def tell(self) -> None:
        """Wake who waits here."""
        with self._came:
            self._count += 1
            self._came.notify_all()

    def wait(self, seconds: float) -> None:
        """Return when something may have come since this thread last waited, or *seconds* have passed."""
        with self._came:
            seen: int = getattr(self._local, "seen", -1)
            self._listen()
            self._came.wait_for(lambda: self._count != seen, timeout=seconds)
            self._local.seen = self._count

    def _listen(self) -> None:
        if self._thread is None and not self._over:
            self._thread = threading.Thread(target=self._hear, name="pillarbox-news", daemon=True)
            self._thread.start()

    def _hear(self) -> None:
        pause = 0.1
        while not self._over:
            try:
                with self._database.apart() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.tell()  # what came while nobody listened
                    pause = 0.1
                    while not self._over:
                        for _ in connection.notifies(timeout=_ROUND, stop_after=1):
                            self.tell()
            except Exception as error:  # noqa: BLE001  (who waits looks again by itself meanwhile)
                if not self._over:
                    failed(error)
                    time.sleep(pause)
                    pause = min(pause * 2, 5.0)

    def close(self) -> None:
        """Stop listening."""
        self._over = True
        self.tell()
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(RuntimeError):
                thread.join(2 * _ROUND)
