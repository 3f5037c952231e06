"""Waiting for an Outlook that is busy: a call that was refused before it ran is made again until the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from .com import ComError, Dispatch

T = TypeVar("T")
BUSY = frozenset({0x80010001, 0x8001010A})
"""RPC_E_CALL_REJECTED and RPC_E_SERVERCALL_RETRYLATER: the call was refused and never ran, so that even Send may be
made again (learn.microsoft.com, IMessageFilter::HandleInComingCall)."""
FIRST, LONGEST = 0.05, 1.0
"""Seconds between two tries; each pause is twice the one before."""


class Patience:
    """One deadline for one operation.

    Attributes:
        until: When it is over, by the clock.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self.until = clock()

    def begin(self, seconds: float) -> None:
        """Give the operation that begins now so many seconds."""
        self.until = self._clock() + seconds

    def with_busy(self, call: Callable[[], T], *, also: frozenset[int] = frozenset()) -> T:
        """Return what *call* returns, made again while Outlook is busy, or answers one of *also*.

        Raises:
            ComError: Another answer, or the deadline has come.
        """
        pause = FIRST
        while True:
            try:
                return call()
            except ComError as error:
                if error.code not in BUSY | also or self._clock() + pause >= self.until:
                    raise
            self._sleep(pause)
            pause = min(2 * pause, LONGEST)


class Patient:
    """A `Dispatch` whose every call waits for a busy Outlook; so do the objects that it returns."""

    def __init__(self, inner: Dispatch, patience: Patience) -> None:
        self.inner, self._patience = inner, patience

    def get(self, name: str) -> Any:
        """See `Dispatch`."""
        return self._wrapped(self._patience.with_busy(lambda: self.inner.get(name)))

    def put(self, name: str, value: Any) -> None:
        """See `Dispatch`."""
        self._patience.with_busy(lambda: self.inner.put(name, value))

    def putref(self, name: str, value: Any) -> None:
        """See `Dispatch`."""
        self._patience.with_busy(lambda: self.inner.putref(name, value.inner))

    def call(self, name: str, *args: Any) -> Any:
        """See `Dispatch`."""
        return self._wrapped(self._patience.with_busy(lambda: self.inner.call(name, *args)))

    def _wrapped(self, answer: Any) -> Any:
        return Patient(answer, self._patience) if hasattr(answer, "putref") else answer
