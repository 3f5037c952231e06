"""The lanes that this process was given to serve: each is a job of the engine's, held until nothing is left for now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Lock

import attrs

TURN = 5.0
"""Seconds after which a lane goes to the end of the line, when others wait for a place."""


@attrs.define(eq=False)
class _Grant:
    over: Future[bool] = attrs.field(factory=Future)
    since: float = attrs.field(factory=time.monotonic)


class Grants:
    """What the engine gave, from any thread.

    Args:
        most: How many lanes are served at a time.
        tell: Called when a lane has come.
    """

    def __init__(self, most: int, tell: Callable[[], None]) -> None:
        self.most = most
        self._tell = tell
        self._guard = Lock()
        self._held: dict[str, _Grant] = {}
        self._is_open = False

    def take(self, lane: str) -> Future[bool] | None:
        """Serve *lane*; the future is done when that is over, and true if it is to be served again. None: not here."""
        with self._guard:
            if lane in self._held or not self._is_open:
                return None
            grant = self._held[lane] = _Grant()
        self._tell()
        return grant.over

    @property
    def lanes(self) -> frozenset[str]:
        """What is served now."""
        with self._guard:
            return frozenset(self._held)

    def over(self, lanes: Iterable[str]) -> None:
        """Let go of *lanes*: nothing is left in them that this process could begin."""
        self._end(lanes, again=False)

    def rotate(self) -> None:
        """Send lanes that have had their turn to the end of the line, if there may be a line."""
        late = time.monotonic() - TURN
        with self._guard:
            had = [lane for lane, grant in self._held.items() if grant.since < late]
            is_full = len(self._held) >= self.most
        if is_full:
            self._end(had, again=True)

    def open(self) -> None:
        """Take lanes from now on."""
        with self._guard:
            self._is_open = True

    def close(self) -> None:
        """Let go of everything, and take nothing more."""
        with self._guard:
            self._is_open = False
        self.over(self.lanes)

    def _end(self, lanes: Iterable[str], *, again: bool) -> None:
        with self._guard:
            ended = [self._held.pop(lane) for lane in lanes if lane in self._held]
        for grant in ended:
            grant.over.set_result(again)
