"""How often somebody may make the server reach out: a bucket of tries for each person and deed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

MOST_BUCKETS = 10_000
"""The most that are remembered; the one that was idle longest is forgotten first."""


@attrs.frozen
class Rate:
    """So many tries at once, and one more each so many seconds."""

    burst: int
    seconds: float


RATES = {
    "check": Rate(6, 10.0),
    "connect": Rate(6, 10.0),
    "test": Rate(3, 30.0),
    "password": Rate(5, 20.0),
    "suggest": Rate(6, 10.0),
    "token": Rate(10, 5.0),
    "agent": Rate(20, 3.0),
}


class Limits:
    """Counts tries. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def seconds_to_wait(self, deed: str, who: str) -> float:
        """Take one try, and return 0; or the seconds until there is one."""
        rate, now = RATES[deed], self._clock()
        with self._lock:
            left, since = self._buckets.pop((deed, who), (float(rate.burst), now))
            left = min(rate.burst, left + (now - since) / rate.seconds)
            wait = 0.0 if left >= 1 else (1 - left) * rate.seconds
            self._buckets[deed, who] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
        return wait
