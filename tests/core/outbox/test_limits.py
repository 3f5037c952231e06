"""What a carrier allows a mailbox is never passed: a server that counts for itself refuses nothing for it."""

from __future__ import annotations

import collections
import datetime as dt
import random

import pytest

from pillarbox import Company, Mailer, MemoryDirectory, Plugins, State, User
from pillarbox._outbox import limits
from pillarbox._outbox.limits import Meter
from pillarbox._transports import Limits
from pillarbox.outbox import Search
from pillarbox.testing._outbox_contract._ground import Clock
from pillarbox_smtp import SmtpTransport
from tests.core.doubles import LETTER, until
from tests.core.outbox.killing.office import SETTINGS
from tests.core.outbox.killing.runs import sink

MINUTE = dt.timedelta(seconds=60)


class Limited(SmtpTransport):
    """SMTP to a server whose limits are known."""

    @classmethod
    def limits(cls, settings):
        return Limits(concurrency=2, per_minute=5)


@pytest.mark.parametrize("seed", range(10))
def test_no_minute_sees_more_than_the_limit(seed):
    """From answer to start, however long each is on its way, whatever other workers have answered meanwhile."""
    chance, clock, meter = random.Random(seed), Clock(), Meter(Limits(per_minute=28))
    answers, under_way = [], 0
    for _ in range(2_000):
        if chance.random() < 0.02:
            meter.seed([at for at in answers if at > clock() - meter.span])
        if under_way and chance.random() < 0.5:
            meter.answered(clock())
            answers.append(clock())
            under_way -= 1
        elif under_way < 2:
            wait = meter.wait(clock())
            if wait:
                clock.forward(wait.total_seconds())
                continue
            recent = [at for at in answers if at > clock() - MINUTE]
            assert len(recent) + under_way < 28
            under_way += 1
        clock.forward(chance.random())


def test_the_limit_is_used_to_the_full():
    """What the outbox tells again of what is known already counts once."""
    clock, meter, answers = Clock(), Meter(Limits(per_minute=28)), []
    for _ in range(600):
        meter.seed(answers)
        if wait := meter.wait(clock()):
            clock.forward(wait.total_seconds())
            continue
        clock.forward(0.001)
        meter.answered(clock())
        answers.append(clock())
    minutes = (answers[-1] - answers[0]) / MINUTE
    assert len(answers) / minutes > 27


def test_a_server_that_counts_refuses_nothing(tmp_path, monkeypatch):
    """Five within two seconds for each of eight mailboxes, two at once, by two workers that take turns."""
    monkeypatch.setattr(limits, "MINUTE", dt.timedelta(seconds=2.05))
    with (
        sink(tmp_path, pause=0.002, per_minute=5, minute=2.0, at_once=2) as port,
        desk(port, tmp_path) as mailer,
    ):
        for number in range(8 * 12):
            mailer.enqueue(LETTER, user=f"u{number % 8}")
        with mailer.worker(), mailer.worker():
            until(
                lambda: (
                    not mailer.outbox.list(Search(states=frozenset(set(State) - {State.ACCEPTED}), limit=1))
                )
            )
    said = collections.Counter(
        line.split()[0] for line in (tmp_path / "carrier.log").read_text("ascii").splitlines()
    )
    assert (said["refuse"], said["accept"]) == (0, 96)


def desk(port, folder):
    """Return a mailer whose users each have an account at the sink."""
    from pillarbox.outbox import SqliteOutbox

    smtp = {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}
    users = [
        User(
            id=f"u{n}",
            address=f"u{n}@acme.example",
            choice="personal",
            method="limited",
            methods={"limited": smtp},
        )
        for n in range(8)
    ]
    plugins = Plugins(extra={"limited": Limited})
    directory = MemoryDirectory(Company(address="orders@acme.example"), users, plugins=plugins)
    outbox = SqliteOutbox(folder / "outbox.sqlite3", SETTINGS)
    return Mailer(directory, outbox=outbox, queue=SETTINGS, plugins=plugins, private_networks=["127.0.0.0/8"])
