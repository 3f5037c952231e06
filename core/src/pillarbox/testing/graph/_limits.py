"""Counts what a mailbox is asked at once and what it sends in a minute."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator

from ._errors import GraphError
from ._manners import Manners

_MINUTE = 60.0


class Limits:
    """The counters of all mailboxes, by the key of each.

    Args:
        manners: What is allowed.
        clock: Seconds.
    """

    def __init__(self, manners: Manners, clock: Callable[[], float]) -> None:
        self._manners, self._clock = manners, clock
        self._gate = threading.Lock()
        self._open: Counter[str] = Counter()
        self._most: Counter[str] = Counter()
        self._sent: dict[str, deque[float]] = {}

    @contextlib.contextmanager
    def request(self, mailbox: str) -> Iterator[None]:
        """Count one request of *mailbox* while the block lasts."""
        with self._gate:
            self._open[mailbox] += 1
            self._most[mailbox] = max(self._most[mailbox], self._open[mailbox])
        try:
            yield
        finally:
            with self._gate:
                self._open[mailbox] -= 1

    def most(self, mailbox: str) -> int:
        """Return how many requests of *mailbox* were open at once, at the most."""
        return self._most[mailbox]

    def require_room(self, mailbox: str) -> None:
        """Do nothing if no more requests of *mailbox* are open than may be.

        Raises:
            GraphError: There are more; 429.
        """
        if self._open[mailbox] > self._manners.concurrency:
            raise GraphError(
                429, "ApplicationThrottled", inner="MailboxConcurrency", headers={"Retry-After": "1"}
            )

    def count_mail(self, mailbox: str) -> None:
        """Count one mail of *mailbox*.

        Raises:
            GraphError: It has sent as many as it may in a minute; 429.
        """
        most = self._manners.per_minute
        sent, now = self._sent.setdefault(mailbox, deque()), self._clock()
        while sent and sent[0] <= now - _MINUTE:
            sent.popleft()
        if most is not None and len(sent) >= most:
            wait = {"Retry-After": str(max(1, math.ceil(sent[0] + _MINUTE - now)))}
            raise GraphError(
                429, "ApplicationThrottled", "Application is over its MessageRate limit.", headers=wait
            )
        sent.append(now)
