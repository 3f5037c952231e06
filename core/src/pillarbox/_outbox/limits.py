"""What a carrier allows one mailbox: so many within a minute and a day, from answers to starts (rule 28)."""

from __future__ import annotations

import bisect
import collections
import datetime as dt
import threading
from collections.abc import Iterable

from .._transports import Limits

MINUTE = dt.timedelta(minutes=1, milliseconds=50)
"""A minute as the other side may count it: our clock reads a little earlier than its."""
DAY = dt.timedelta(days=1, seconds=1)


class Meter:
    """The answers of one mailbox that still count; says how long the next start has to wait.

    It counts from the answer of the earlier to the start of the later, so the server never sees more than the limit, however
    long either is on the way.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._guard = threading.Lock()
        self._answers: list[dt.datetime] = []
        self._begun = 0

    @property
    def counts(self) -> bool:
        """Whether there is anything to count."""
        return self._limits.per_minute is not None or self._limits.per_day is not None

    @property
    def span(self) -> dt.timedelta:
        """How long an answer counts."""
        return MINUTE if self._limits.per_day is None else DAY

    def is_idle(self, at: dt.datetime) -> bool:
        """Whether all that counts has been in the outbox for long: nothing is lost when this is forgotten."""
        with self._guard:
            return not self._begun and (not self._answers or self._answers[-1] < at - MINUTE)

    def seed(self, answers: Iterable[dt.datetime]) -> None:
        """Begin from what the outbox knows, other workers' included; what is known here already counts once."""
        with self._guard:
            known = collections.Counter(self._answers) | collections.Counter(answers)
            self._answers = sorted(known.elements())

    def wait(self, at: dt.datetime) -> dt.timedelta:
        """Return how long the next has to wait; zero, and it is taken as begun, where it may start."""
        with self._guard:
            del self._answers[: bisect.bisect_right(self._answers, at - self.span)]
            wait = max(
                self._left(self._limits.per_minute, MINUTE, at), self._left(self._limits.per_day, DAY, at)
            )
            if not wait:
                self._begun += 1
            return wait

    def _left(self, most: int | None, span: dt.timedelta, at: dt.datetime) -> dt.timedelta:
        if most is None:
            return dt.timedelta(0)
        start = bisect.bisect_right(self._answers, at - span)
        recent = bisect.bisect_right(self._answers, at + span) - start  # later ones come of a clock set back
        over = recent + self._begun - most
        if over < 0:
            return dt.timedelta(0)
        if over >= recent:  # all places are taken by those under way
            return dt.timedelta(seconds=1)
        return self._answers[start + over] + span - at

    def answered(self, at: dt.datetime, *, counts: bool = True) -> None:
        """Take one that had begun as answered; without *counts* it never reached the carrier."""
        with self._guard:
            self._begun -= 1
            if counts:
                bisect.insort(self._answers, at)
