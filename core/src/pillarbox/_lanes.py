"""The open transports of each account: kept between sends, never more at once than the carrier allows."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator

from ._delivery import let_go
from ._errors import PillarboxError, SendDeferred
from ._settings import Account
from ._transports import Transport

MOST_LANES = 1_024
"""The most accounts whose connections are kept; the one unused for longest is closed first."""


class Lane:
    """The transports of one account: idle ones are used again, last in first out."""

    def __init__(self, account: Account, concurrency: int, make: Callable[[], Transport]) -> None:
        self.account = account
        self._make = make
        self._places = threading.BoundedSemaphore(max(1, concurrency))
        self._guard = threading.Lock()
        self._idle: list[Transport] = []
        self._closed = False

    @contextlib.contextmanager
    def borrow(self, timeout: float | None = None) -> Iterator[Transport]:
        """Give a transport for this thread alone, waiting up to *timeout* seconds for a place.

        Raises:
            SendDeferred: All places were taken for that long.
        """
        if not self._places.acquire(timeout=timeout):
            raise SendDeferred("All connections of this account are busy; nothing left.", stage="connect")
        try:
            kept = self._take()
            transport = self._make() if kept is None else kept
            try:
                yield transport
            except BaseException as error:
                # Cut by something else than its own answer, its line may stand in the middle of a message.
                self._give_back(transport, reusable=isinstance(error, PillarboxError))
                raise
            self._give_back(transport, reusable=True)
        finally:
            self._places.release()

    def _take(self) -> Transport | None:
        with self._guard:
            return self._idle.pop() if self._idle else None

    def _give_back(self, transport: Transport, *, reusable: bool) -> None:
        with self._guard:
            keep = reusable and not self._closed
            if keep:
                self._idle.append(transport)
        if not keep:
            let_go(transport)

    def close(self) -> None:
        """Let idle transports go; those in use follow when they are given back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for transport in idle:
            let_go(transport)


class Lanes:
    """Every account's lane, made on first use and again when the account has changed.

    After a fork the child forgets its parent's connections without touching them: they are the parent's.
    """

    def __init__(self) -> None:
        self._forget()
        _everyones.add(self)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._lanes: OrderedDict[str, Lane] = OrderedDict()

    def of(self, account: Account, make: Callable[[], Lane]) -> Lane:
        """Return the lane of *account*."""
        with self._lock:
            lane = self._lanes.get(account.key)
            stale = None
            if lane is None or (lane.account is not account and lane.account != account):
                stale, lane = lane, make()
                self._lanes[account.key] = lane
            self._lanes.move_to_end(account.key)
            oldest = self._lanes.popitem(last=False)[1] if len(self._lanes) > MOST_LANES else None
        for gone in (stale, oldest):
            if gone is not None:
                gone.close()
        return lane

    def close(self) -> None:
        """Let every idle transport go."""
        with self._lock:
            lanes, self._lanes = self._lanes, OrderedDict()
        for lane in lanes.values():
            lane.close()


_everyones: weakref.WeakSet[Lanes] = weakref.WeakSet()


def _after_fork() -> None:
    for lanes in list(_everyones):
        _inherited.append(lanes._lanes)  # noqa: SLF001  (kept alive: to be dropped is to be closed, for some transports)
        lanes._forget()  # noqa: SLF001


_inherited: list[OrderedDict[str, Lane]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
