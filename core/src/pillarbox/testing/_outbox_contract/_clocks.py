"""Cases: a clock that is set makes nothing wait for ever, and nothing leave too early."""

from __future__ import annotations

import datetime as dt

from ..._errors import SendDeferred
from ..._outbox import Pause, steps
from ._ground import NOON, OutboxGround, keys, letter

YEAR = 365 * 86_400.0
DAYS = 3 * 86_400.0


class Clocks(OutboxGround):
    """The clock is set forward, and back."""

    def test_what_waits_for_nothing_is_due_by_any_clock(self) -> None:
        """Also by one that was set back by years."""
        put = self.put()
        self.clock.forward(-10 * YEAR)
        assert keys(self.claim()) == put

    def test_a_deferred_one_comes_again_behind_a_clock_that_was_wrong(self) -> None:
        """It was put off while the clock was a year ahead."""
        self.clock.forward(YEAR)
        entry = self.claimed()
        assert self.take(steps.after(entry, SendDeferred("busy"), self.settings, self.clock()).step)
        self.clock.forward(-YEAR)
        assert self._within_days(lambda: bool(self.claim()))

    def test_a_look_comes_behind_a_clock_that_was_wrong(self) -> None:
        """It became unknown while the clock was a year ahead."""
        self.clock.forward(YEAR)
        self.unknown()
        self.clock.forward(-YEAR)
        assert self._within_days(lambda: bool(self.box.due_looks())), "the look waits for a year"

    def test_a_servers_pause_ends_behind_a_clock_that_was_wrong(self) -> None:
        """One that a person set waits for that person."""
        self.clock.forward(YEAR)
        scope, until = "lane:acme/company/x", self.clock() + dt.timedelta(seconds=60)
        self.box.pause(Pause(scope=scope, reason="busy", since=self.clock(), until=until, kind="server"))
        self.put()
        self.clock.forward(-YEAR)
        assert self._within_days(lambda: bool(self.claim())), "the lane waits for a year"

    def test_what_is_scheduled_keeps_its_time(self) -> None:
        """However far off."""
        self.put(letter(due_at=NOON + dt.timedelta(seconds=YEAR)))
        assert not self._within_days(lambda: bool(self.claim()))
        self.clock.forward(YEAR)
        assert self.claim()

    def _within_days(self, reached: object) -> bool:
        """Whether it comes while three days pass by the clock that is right now."""
        assert callable(reached)
        for _ in range(4):
            if reached():
                return True
            self.clock.forward(DAYS / 3)
        return False
