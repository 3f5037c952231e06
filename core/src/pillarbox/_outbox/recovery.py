"""After a crash: what a dead worker had is nobody's, and of what was handed over the carrier is asked (rules 20 to 22)."""

from __future__ import annotations

import datetime as dt
import sys
import time
from typing import TYPE_CHECKING

from .. import _log
from .._errors import PillarboxError, SignInNeeded
from .._mail import Sighting, SightingState, State
from .._transports import Transport
from . import steps
from .contract import Outbox
from .entry import Entry, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import OutboxSettings


SHUT = 300.0
"""Seconds in which no other look of a lane is made behind a refused sign-in."""
_SHUT = "The look was not made: the account's sign-in was refused a moment ago."


def rescue(outbox: Outbox) -> int:
    """Take from dead workers what they had, and say how much; what was handed over is to be looked for."""
    moves = [step for entry in outbox.abandoned() for step in _after_death(entry, outbox.clock())]
    count = sum(outbox.take(moves)) if moves else 0
    if count:
        _log.event("warning", "pillarbox.rescued", count=count)
    return count


def _after_death(entry: Entry, at: dt.datetime) -> list[Step]:
    return steps.history_after_death(entry, at) if steps.is_history(entry) else [steps.after_death(entry, at)]


def end_late(outbox: Outbox) -> int:
    """End what was not to leave so late, and say how much; else it would wait behind a pause, and then fail."""
    moves = [steps.too_late(entry) for entry in outbox.expired()]
    return sum(outbox.take(moves)) if moves else 0


def boot_time() -> float:
    """Return seconds that no setting of the clock changes, and that count while the machine sleeps."""
    if sys.platform == "linux":
        seconds = time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        seconds = time.monotonic()
    return seconds


class Looks:
    """Looks for unknown entries, and says what follows.

    Args:
        outbox: Where they are kept.
        settings: How long, and what then.
        elapsed: Seconds that no clock's setting changes.
    """

    def __init__(
        self, outbox: Outbox, settings: OutboxSettings, elapsed: Callable[[], float] = boot_time
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._elapsed = elapsed
        self._first_seen: dict[str, float] = {}
        self._shut: dict[str, float] = {}

    def look(self, entry: Entry, transport: Transport) -> Step:
        """Ask the carrier for *entry*, which is unknown, and take the step that follows."""
        step = self._step(entry, transport)
        self._taken(entry, step)
        return step

    def _step(self, entry: Entry, transport: Transport) -> Step:
        kind, at = type(transport), self._outbox.clock()
        word = self._outbox.journal(entry).noted_receipt(entry.submission)
        if word is not None:
            return steps.after_word(entry, word, self._settings, at, takes_envelope=kind.takes_envelope)
        if self._is_safe(entry, kind):
            return steps.safe_again(entry)
        settling = dt.timedelta(seconds=max(self._settings.settling, kind.settling))
        waited, sighting = self._waited(entry), self._sighting(entry, transport)
        return steps.after_look(entry, sighting, self._settings, settling, waited, at)

    def unable(self, entry: Entry, reason: str) -> Step:
        """Take the step of an unknown entry whose account can't look any more."""
        step = steps.looked_in_vain(entry, reason)
        self._taken(entry, step)
        return step

    def later(self, entry: Entry, reason: str) -> Step:
        """Take the step of a look that could not even begin: it is one that failed."""
        sighting = Sighting(SightingState.UNCLEAR, detail=f"The look failed: {reason}")
        settling = dt.timedelta(seconds=self._settings.settling)
        step = steps.after_look(
            entry, sighting, self._settings, settling, self._waited(entry), self._outbox.clock()
        )
        self._taken(entry, step)
        return step

    def _taken(self, entry: Entry, step: Step) -> None:
        self._outbox.take([step])
        if step.state is State.HELD:
            _log.event("warning", "pillarbox.held", submission=entry.key, method=entry.method)
        if step.state is not None:
            self._first_seen.pop(entry.key, None)

    def _sighting(self, entry: Entry, transport: Transport) -> Sighting:
        if self._elapsed() < self._shut.get(entry.account, 0.0):
            return Sighting(SightingState.UNCLEAR, detail=_SHUT)
        try:
            found: object = transport.find(entry.submission, self._outbox.journal(entry))
        except SignInNeeded as error:  # forty looks must not lock a mailbox (rule 28)
            self._shut[entry.account] = self._elapsed() + SHUT
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error.detail}")
        except PillarboxError as error:
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error.detail}")
        except Exception as error:  # noqa: BLE001  (a look that fails is no evidence, whatever it raises)
            _log.event("warning", "pillarbox.look_failed", submission=entry.key, error=type(error).__name__)
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed with {type(error).__name__}.")
        if isinstance(found, Sighting):
            return found
        return Sighting(SightingState.UNCLEAR, detail="The look answered nothing that can be used.")

    def _waited(self, entry: Entry) -> dt.timedelta:
        """Return how long ago the attempt was, by the clock and by what passed since it was first seen here: the less.

        A clock that was set forward makes no absence evidence; one that was set back, behind the attempt, says nothing.
        """
        passed = self._elapsed() - self._first_seen.setdefault(entry.key, self._elapsed())
        begun = entry.attempted_at or entry.changed_at
        by_clock, here = self._outbox.clock() - begun, dt.timedelta(seconds=passed)
        return here if by_clock < dt.timedelta(0) else min(by_clock, here)

    def _is_safe(self, entry: Entry, kind: type[Transport]) -> bool:
        """Whether the carrier still recognises the key, and sends nothing twice."""
        begun = entry.attempted_at or entry.changed_at
        age = self._outbox.clock() - begun
        return dt.timedelta(0) <= age < kind.resend_safe_for / 2  # half: no clock is trusted to the end
