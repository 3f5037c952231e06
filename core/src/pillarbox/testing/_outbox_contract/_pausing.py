"""Cases: what is paused does not start."""

from __future__ import annotations

from ..._errors import SendDeferred
from ..._mail import State
from ..._outbox import Entry, Pause, scopes_of, steps
from ._ground import NOON, OutboxGround, keys, letter, refused

LANE, COMPANY, USER = 0, 1, 2


class Pausing(OutboxGround):
    """Pauses of a lane, a company, a user."""

    def test_nothing_of_a_paused_lane_is_claimed(self) -> None:
        """Other lanes go on."""
        self._holds_back(LANE, letter(lane="a"), letter(lane="b"))

    def test_nothing_of_a_paused_company_is_claimed(self) -> None:
        """Other companies go on."""
        self._holds_back(COMPANY, letter(lane="a"), letter(lane="b", company="other"))

    def test_nothing_of_a_paused_user_is_claimed(self) -> None:
        """Others who write by the same account go on, and one of the same name in another company."""
        anna = {"user": "anna"}
        others = [letter(user="otto"), letter(), letter(lane="b", company="other", **anna)]
        self._holds_back(USER, letter(**anna), *others)

    def _holds_back(self, kind: int, one: Entry, *others: Entry) -> None:
        self.put(one, *others)
        scope = scopes_of(one)[kind]
        self.box.pause(Pause(scope=scope, reason="too many", since=NOON))
        worker = self.box.enter("worker")
        assert sorted(keys(self.claim(worker))) == sorted(keys(others))
        paused = self.box.is_paused(one)
        assert paused is not None
        assert (paused.scope, paused.reason) == (scope, "too many")
        assert self.box.resume(scope)
        assert keys(self.claim(worker)) == [one.key]
        assert not self.box.resume(scope)

    def test_nothing_is_handed_over_in_any_pause(self) -> None:
        """Of a lane, a company or a user: what was claimed before goes back, and nothing is wrong with it."""
        for kind in (LANE, COMPANY, USER):
            self._is_not_marked(kind)

    def _is_not_marked(self, kind: int) -> None:
        entry = self.claimed(letter(user="anna"))
        scope = scopes_of(entry)[kind]
        self.box.pause(Pause(scope=scope, reason="too many", since=NOON))
        with refused(SendDeferred) as refusal, self.box.journal(entry).handing_over():
            pass
        step = steps.after(entry, refusal.error, self.settings, NOON).step
        assert step.state is State.QUEUED, "the refusal does not say that it is a pause"
        assert self.take(step)
        self.box.resume(scope)
        claimed = self.claim()[0]
        assert claimed.attempts == 0
        assert self.take(steps.cancelled(claimed.key, "over", ""))

    def test_a_pause_ends_at_its_time(self) -> None:
        """By itself."""
        self.put()
        until = self.clock.forward(60)
        self.clock.forward(-60)
        self.box.pause(
            Pause(scope="lane:acme/company/x", reason="busy", since=NOON, until=until, kind="server")
        )
        assert not self.claim()
        assert [one.until for one in self.box.pauses()] == [until]
        self.clock.forward(61)
        assert not self.box.pauses()
        assert self.claim()

    def test_a_persons_pause_is_a_persons(self) -> None:
        """One of pillarbox's own does not replace it: it would end by itself."""
        scope = "lane:acme/company/x"
        self.box.pause(Pause(scope=scope, reason="wait", since=NOON, by="root"))
        until = self.clock.forward(60)
        self.box.pause(Pause(scope=scope, reason="busy", since=NOON, until=until, kind="server"))
        self.clock.forward(3_600)
        (found,) = self.box.pauses()
        assert (found.reason, found.by, found.until) == ("wait", "root", None)
        self.box.pause(Pause(scope=scope, reason="wait on", since=NOON, by="anna"))
        assert [one.by for one in self.box.pauses()] == ["anna"]

    def test_a_look_is_made_in_a_pause_too(self) -> None:
        """Nothing is sent by looking."""
        entry = self.unknown()
        self.box.pause(Pause(scope=scopes_of(entry)[LANE], reason="wait", since=NOON))
        assert keys(self.box.due_looks()) == [entry.key]
