"""What the outbox tells the host's log: nouns with fields, and no address, no subject."""

from __future__ import annotations

import logging

import attrs
import pytest

from pillarbox import SignInNeeded, State
from pillarbox.outbox import Pause, Wanted
from tests.core.doubles import DEPLOYER, LETTER, slow
from tests.core.test_status import desk


@pytest.fixture
def heard(caplog):
    """Return what gives the events so far, each with its fields."""
    caplog.set_level(logging.DEBUG, logger="pillarbox")

    def events():
        return {record.getMessage(): vars(record) for record in caplog.records}

    yield events
    told = "\n".join(map(str, (vars(record) for record in caplog.records)))
    assert "customer.example" not in told
    assert LETTER.subject not in told


def test_what_is_kept_and_taken_is_told(heard):
    """By its key, and by how many."""
    mailer = desk()
    entry = mailer.enqueue(LETTER)
    mailer.worker().run(drain=True)
    found = heard()
    assert found["pillarbox.enqueued"]["submission"] == entry.key
    assert (found["pillarbox.claimed"]["count"], found["pillarbox.claimed"]["lanes"]) == (1, 1)
    assert found["pillarbox.accepted"]["submission"] == entry.key


def test_a_pause_and_its_end_are_told(heard):
    """With its scope, and why."""
    method = slow()
    method.send = lambda self, submission, journal: (_ for _ in ()).throw(SignInNeeded("535"))
    mailer = desk(method)
    mailer.enqueue(LETTER)
    mailer.worker().run(drain=True)
    paused = heard()["pillarbox.paused"]
    assert (paused["scope"], paused["kind"]) == ("lane:company/company/slowmail", "sign-in")
    mailer.mended(mailer.directory.look_up(None)[0])
    assert heard()["pillarbox.resumed"]["scope"] == "lane:company/company/slowmail"


def test_what_is_held_is_told(heard):
    """The account is another one by now."""
    mailer = desk()
    entry = mailer.enqueue(LETTER)
    company, _ = mailer.directory.look_up(None)
    changed = attrs.evolve(company, address="sales@acme.example")
    mailer.directory.save(changed, version=company.version, by=DEPLOYER)
    mailer.worker().run(drain=True)
    assert heard()["pillarbox.held"]["submission"] == entry.key


def test_what_was_a_dead_process_is_told_as_rescued(heard):
    """How many."""
    mailer = desk()
    mailer.enqueue(LETTER)
    dead = mailer.queue.enter("worker")
    mailer.queue.claim(Wanted(worker=dead))
    mailer.queue.leave(dead)
    mailer.worker().run(drain=True)
    assert heard()["pillarbox.rescued"]["count"] == 1
    assert mailer.queue.states() == [State.ACCEPTED]


def test_a_handler_that_raises_changes_nothing():
    """What was kept is kept, what is sent is sent."""

    class Raising(logging.Handler):
        def emit(self, record):
            raise RuntimeError("the host's own")

    logger, handler = logging.getLogger("pillarbox"), Raising()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        mailer = desk()
        mailer.enqueue(LETTER)
        mailer.queue.pause(Pause(scope="company:other", reason="x"))
        mailer.worker().run(drain=True)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    assert mailer.queue.states() == [State.ACCEPTED]
