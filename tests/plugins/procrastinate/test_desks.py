"""Workers at users' computers, whose server has several processes and its outbox in PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import random

import pytest

from pillarbox import Company, Mailer, MemoryDirectory, MemoryVault, State
from tests.plugins.web.agent.office import (
    LETTER,
    QUICK,
    USERS,
    Office,
    Program,
    at_desk,
    plugins,
    serving,
    until,
)

pytestmark = pytest.mark.services


@pytest.fixture
def acme(opened):
    """A host of three processes, as far as a worker can tell: each call goes to the next of them."""
    from pillarbox_web import agent_app

    company = Company(address="orders@acme.example", name="Acme", method="desk")
    directory = MemoryDirectory(company, USERS, plugins=plugins(Program()))
    vault = MemoryVault()
    with contextlib.ExitStack() as stack:
        mailers = [
            stack.enter_context(Mailer(directory, vault=vault, outbox=opened(QUICK), queue=QUICK))
            for _ in range(3)
        ]
        doors = itertools.cycle([agent_app(mailer) for mailer in mailers])

        async def next_door(scope, receive, send):
            await next(doors)(scope, receive, send)

        office = Office(mailers[0])
        office.url = stack.enter_context(serving(office.app(next_door)))
        yield office


@pytest.fixture
def program():
    return Program()


def test_each_call_may_go_to_another_process(acme, program):
    """Each of them knows the run by its token, and takes its claims for one worker's."""
    keys = [acme.write() for _ in range(6)]
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.states(*keys) == [State.ACCEPTED] * 6, 40)
        late = acme.mailer.enqueue(LETTER, user="anna").key
        until(lambda: acme.state(late) is State.ACCEPTED, 40)
    assert sorted(program.sent) == sorted([*keys, late])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_that_breaks_loses_and_repeats_nothing(acme, program, when):
    """One call of five, to whichever process it goes."""
    chance = random.Random(7)
    token, keys = acme.token(), [acme.write() for _ in range(5)]
    with at_desk(acme.url, token, program):
        acme.faults = lambda _: when if chance.random() < 0.2 else ""
        until(lambda: acme.states(*keys) == [State.ACCEPTED] * 5, 60)
    assert sorted(program.sent) == sorted(keys)


def test_a_run_that_takes_over_is_known_to_all(acme, program):
    """What the first had in hand goes to the second, sent once."""
    token, second = acme.token(), Program(sent=program.sent)  # one mailbox, seen from two computers
    keys = [acme.write() for _ in range(4)]
    with at_desk(acme.url, token, program) as (_, worker):
        until(lambda: program.sent)
        with at_desk(acme.url, token, second):
            worker.join(25)
            until(lambda: acme.states(*keys) == [State.ACCEPTED] * 4, 60)
    assert sorted(program.sent) == sorted(keys)
