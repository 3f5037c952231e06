"""A desk's line that breaks: at each kind of call, and at random; every mail is sent once, none is lost."""

from __future__ import annotations

import itertools
import random

import pytest

from pillarbox import SendDeferred, State
from pillarbox.agent import Agent, wire
from tests.plugins.web.agent.office import at_desk, plugins, until

CALLS = [wire.CLAIM, wire.CONTENT, wire.HAND_OVER, wire.NOTE, wire.SETTLE, wire.LOOKS, wire.WAIT]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", CALLS)
def test_a_line_that_breaks_at_any_word_loses_and_repeats_nothing(acme, program, path, when):
    """Three breaks in a row, at each kind of call: asked for and not done, done and not told."""
    breaks = itertools.count()

    def fault(asked):
        return when if asked.startswith(path) and next(breaks) < 3 else ""

    acme.faults = fault
    keys = [acme.write() for _ in range(3)]
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.states(*keys) == [State.ACCEPTED] * 3)
    assert sorted(program.sent) == sorted(keys)


@pytest.mark.parametrize("seed", range(4))
def test_a_line_that_breaks_often_loses_and_repeats_nothing(acme, program, seed):
    """A quarter of all calls, at random."""
    chance = random.Random(seed)
    acme.faults = lambda _: chance.choice(["", "", "", "", "", "", "before", "after"])
    keys = [acme.write() for _ in range(8)]
    token = acme.token()
    with Agent(acme.url, token, plugins=plugins(program)) as agent:
        desk = None
        while desk is None:
            try:
                desk = agent.enter()
            except SendDeferred:
                continue
        with agent.worker(desk):
            until(lambda: acme.states(*keys) == [State.ACCEPTED] * 8, 60.0)
    assert sorted(program.sent) == sorted(keys)
