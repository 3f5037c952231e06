"""Secrets that somebody typed into a form which had another mistake: kept for minutes, in memory, so that they are not typed twice."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping

KEPT = 600.0
"""Seconds for which they are kept."""
MOST = 500


class Stash:
    """Gives a name for secrets, and the secrets to whoever put them, by that name. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}

    def put(self, who: str, typed: Mapping[str, str]) -> str:
        """Keep *typed* for *who*, and return its name; "" where there is nothing to keep."""
        if not typed:
            return ""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._forget()
            self._kept[who, name] = (self._clock() + KEPT, dict(typed))
        return name

    def get(self, who: str, name: str) -> dict[str, str]:
        """Return what *who* put under *name*, and nothing of anybody else's."""
        with self._lock:
            self._forget()
            return dict(self._kept.get((who, name), (0.0, {}))[1])

    def drop(self, who: str, name: str) -> None:
        """Forget what was put under *name*."""
        with self._lock:
            self._kept.pop((who, name), None)

    def _forget(self) -> None:
        now = self._clock()
        self._kept = {key: one for key, one in self._kept.items() if one[0] > now}
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
