"""Looks at carriers that show late what they have, and clocks that are set meanwhile: nothing is resent that was taken."""

from __future__ import annotations

import datetime as dt
import random

import attrs
import pytest

from pillarbox import OutcomeUnknown, Receipt, Sighting, SightingState, SignInNeeded, State, Transport
from pillarbox._outbox import steps
from pillarbox._outbox.recovery import Looks
from pillarbox.outbox import OnUnknown, OutboxSettings, Wanted
from pillarbox.testing._outbox_contract._ground import Clock, letter
from tests.core.doubles import KeptOutbox, NoSettings

SETTLING = 600.0
UNCLEAR = Sighting(SightingState.UNCLEAR, detail="The mailbox did not answer.")


class Late(Transport):
    """Finds what it has *lag* seconds after it was taken; None for what it never took."""

    settings: NoSettings
    label = "Late"
    settling = SETTLING

    def __init__(self, world, lag):
        super().__init__(NoSettings())
        self.world, self.lag, self.looks = world, lag, 0

    def send(self, submission, journal):
        raise NotImplementedError

    def find(self, submission, journal):
        self.looks += 1
        if self.lag is not None and self.world.passed >= self.lag:
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT)


@attrs.define
class World:
    """What really passes, and what the clock shows; the clock alone can be set."""

    clock: Clock = attrs.field(factory=Clock)
    passed: float = 0.0
    boot: float = 5_000.0

    def goes_on(self, seconds):
        self.passed += seconds
        self.boot += seconds
        self.clock.forward(seconds)

    def elapsed(self):
        return self.boot


@pytest.fixture
def world():
    return World()


@attrs.define
class Desk:
    """An outbox with one entry of which nobody knows whether it was sent, and who looks for it."""

    world: World
    settings: OutboxSettings = attrs.field(factory=OutboxSettings)
    outbox: KeptOutbox = attrs.field(init=False)
    looks: Looks = attrs.field(init=False)
    key: str = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.outbox = KeptOutbox(self.settings, clock=self.world.clock)
        self.begins_again()
        self.outbox.put([letter()])
        [entry] = self.outbox.claim(Wanted(worker=self.outbox.enter("worker")))
        with self.outbox.journal(entry).handing_over():
            self.key = entry.key
        assert self.outbox.take(
            [steps.after(entry, OutcomeUnknown("lost"), self.settings, self.world.clock()).step]
        )

    def begins_again(self):
        """A new worker takes over."""
        self.looks = Looks(self.outbox, self.settings, self.world.elapsed)

    def state(self):
        return self.outbox.get(self.key).state

    def look(self, carrier):
        """Look, where a look is due."""
        for entry in self.outbox.due_looks():
            self.looks.look(entry, carrier)

    def until_told(self, carrier, *, most=100_000.0, step=20.0):
        """Look again and again until it is told, and return the seconds that it took."""
        start = self.world.passed
        while self.state() is State.UNKNOWN and self.world.passed - start < most:
            self.look(carrier)
            self.world.goes_on(step)
        return self.world.passed - start


@pytest.mark.parametrize("lag", [0.0, 59.0, 300.0, 600.0])
def test_what_shows_within_the_settling_delay_is_found(world, lag):
    """However late in it: not found is no evidence before."""
    desk = Desk(world)
    desk.until_told(Late(world, lag))
    assert desk.state() is State.ACCEPTED


def test_what_was_never_taken_is_resent_behind_the_settling_delay_alone(world):
    """Not a second before."""
    desk = Desk(world)
    seconds = desk.until_told(Late(world, None), step=1.0)
    assert desk.state() is State.QUEUED
    assert SETTLING <= seconds <= SETTLING + 10


@pytest.mark.parametrize("seed", range(8))
def test_no_clock_that_is_set_and_no_worker_that_dies_makes_it_resent(world, seed):
    """An hour forward, an hour back, at any moment, with lags up to ten minutes."""
    chance = random.Random(seed)
    desk, carrier = Desk(world), Late(world, chance.uniform(0, SETTLING))
    for _ in range(60):
        desk.look(carrier)
        assert desk.state() is not State.QUEUED, (
            f"resent behind {world.passed:g} s; it shows at {carrier.lag:g} s"
        )
        world.goes_on(chance.uniform(1, 60))
        if chance.random() < 0.3:
            world.clock.forward(chance.choice([3_600, -3_600, 86_400]))
        if chance.random() < 0.1:
            desk.begins_again()
    desk.until_told(carrier, most=4 * 86_400.0, step=60.0)
    assert desk.state() is State.ACCEPTED


def test_a_clock_set_forward_is_no_evidence(world):
    """The time since the attempt is what passed, not what the clock says."""
    desk, carrier = Desk(world), Late(world, None)
    desk.look(carrier)
    world.clock.forward(3_600)
    desk.look(carrier)
    assert carrier.looks == 2
    assert desk.state() is State.UNKNOWN


@pytest.mark.parametrize("back", [3_600.0, 365 * 86_400.0])
def test_a_clock_set_back_delays_nothing_for_ever(world, back):
    """An hour, or the year by which it was wrong."""
    desk, carrier = Desk(world), Late(world, None)
    world.clock.forward(-back)
    seconds = desk.until_told(carrier, step=60.0, most=10 * 86_400.0)
    assert desk.state() is State.QUEUED
    assert SETTLING <= seconds <= SETTLING + max(3_600.0, 120.0) + 120


def test_a_look_that_fails_is_no_evidence(world):
    """It is repeated, and then a person is asked."""
    desk = Desk(world)

    class Failing(Late):
        def find(self, submission, journal):
            raise ConnectionError("reset")

    desk.until_told(Failing(world, None))
    assert desk.state() is State.HELD
    assert "ConnectionError" in desk.outbox.get(desk.key).reason


def test_a_deployment_that_resends_waits_as_long(world):
    """`on_unknown = "resend"`: only where nobody can tell, and behind the settling delay."""
    desk = Desk(world, OutboxSettings(on_unknown=OnUnknown.RESEND, look_for=0.0))

    class Blind(Late):
        def find(self, submission, journal):
            return attrs.evolve(UNCLEAR, is_final=True)

    seconds = desk.until_told(Blind(world, None), step=5.0)
    assert desk.state() is State.QUEUED
    assert seconds >= SETTLING


def test_what_a_carrier_knows_by_its_key_is_resent_at_once(world):
    """While it recognises the key, and half of that time is left."""
    carrier = type("Known", (Late,), {"resend_safe_for": dt.timedelta(hours=24)})(world, None)
    desk = Desk(world)
    desk.look(carrier)
    assert (desk.state(), carrier.looks) == (State.QUEUED, 0)


def test_a_refused_sign_in_is_tried_once_for_all_that_are_looked_for(world):
    """Forty looks must not lock a mailbox; some minutes later it is tried once more."""
    desk, tried = Desk(world), []

    class Refused(Late):
        def find(self, submission, journal):
            tried.append(world.passed)
            raise SignInNeeded("535")

    carrier = Refused(world, None)
    entry = desk.outbox.get(desk.key)
    for _ in range(40):
        desk.looks.look(attrs.evolve(entry, attempted_at=world.clock()), carrier)
    assert len(tried) == 1
    assert desk.state() is State.UNKNOWN
    world.goes_on(301)
    desk.looks.look(entry, carrier)
    assert tried == [0.0, 301.0]
