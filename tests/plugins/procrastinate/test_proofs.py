"""What is promised when processes are killed or stopped, and when PostgreSQL is: nothing lost, nothing sent twice."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from pillarbox import Message, State
from pillarbox.outbox import Search
from tests.plugins.procrastinate import working
from tests.plugins.procrastinate.working import USERS, mailer
from tests.services._ports import HOST, claim_port
from tests.services._postgres import running_postgres

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]
MESSAGES, KILLS = 500, 10
ROOT = Path(__file__).parents[3]
OPEN = frozenset(State) - {State.ACCEPTED, State.HELD, State.REJECTED, State.CANCELLED}


class Crew:
    """Worker processes, each of which can be killed and is replaced."""

    def __init__(self, url, method, taken, port=0, threads=4, answer=0.02):
        self._command = [sys.executable, "-m", working.__name__, url, method, taken, port, threads, answer]
        self._said = taken.with_name("said").open("ab")
        self.processes: list[subprocess.Popen] = []

    def begin(self, count):
        for _ in range(count):
            command = list(map(str, self._command))
            self.processes.append(subprocess.Popen(command, cwd=ROOT, stderr=self._said))

    def kill_one(self):
        victim = self.processes.pop(random.randrange(len(self.processes)))
        victim.kill()
        victim.wait(10)

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)
        self._said.close()


@pytest.fixture
def crew(request):
    """Return how to make a crew; what is left of one at the end is killed."""
    made = []

    def crew(*given, **more):
        made.append(Crew(*given, **more))
        return made[-1]

    yield crew
    for one in made:
        one.end()


@pytest.fixture
def taken(tmp_path):
    """The file of what the carrier took."""
    path = tmp_path / "taken"
    path.touch()
    return path


def letters(mailer_, count):
    messages = (Message(to="ap@customer.example", subject=f"Invoice {n}", text="t") for n in range(count))
    return [mailer_.enqueue(one, user=f"u{n % USERS}").key for n, one in enumerate(messages)]


def until(condition, seconds=100.0):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(0.05)


def settled(outbox):
    return not outbox.list(Search(states=OPEN, limit=1))


@pytest.mark.parametrize("workers", [2, 4])
def test_killed_workers_lose_nothing_and_repeat_nothing(workers, database, crew, taken):
    """A carrier that can look: five hundred messages, ten kills."""
    desk = mailer(database, "filemail", taken)
    keys = letters(desk, MESSAGES)
    some = crew(database, "filemail", taken)
    some.begin(workers)
    for kill in range(KILLS):
        until(lambda kill=kill: len(taken.read_text().split()) > (kill + 0.5) * MESSAGES / (KILLS + 1))
        some.kill_one()
        some.begin(1)
    until(lambda: settled(desk.queue))
    assert collections.Counter(taken.read_text().split()) == collections.Counter(keys)
    assert {one.state for one in desk.queue.list(Search(limit=MESSAGES))} == {State.ACCEPTED}
    desk.queue.close()


class Slow:
    """A server's side that takes a message, and takes its time to say so."""

    def __init__(self):
        self.taken: collections.Counter[str] = collections.Counter()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.taken[re.search(rb"(?im)^message-id: *<([^@>]+)", envelope.content)[1].decode()] += 1
        await asyncio.sleep(0.02)
        return "250 taken"


@contextlib.contextmanager
def smtp_server():
    handler, port = Slow(), claim_port()
    controller = Controller(handler, hostname=HOST, port=port.number, server_hostname="sink.example")
    controller.start()
    try:
        yield handler.taken, port.number
    finally:
        controller.stop()
        port.release()


@pytest.mark.parametrize("workers", [2, 4])
def test_by_plain_smtp_every_unknown_is_listed_and_none_repeated(workers, database, crew, taken):
    """Nobody can look: what was handed over when a worker was killed waits for a person."""
    with smtp_server() as (accepted, port):
        desk = mailer(database, "smtp", taken, port)
        keys = letters(desk, MESSAGES)
        some = crew(database, "smtp", taken, port)
        some.begin(workers)
        for kill in range(KILLS):
            until(lambda kill=kill: accepted.total() > (kill + 0.5) * MESSAGES / (KILLS + 1))
            some.kill_one()
            some.begin(1)
        until(lambda: settled(desk.queue))
        entries = desk.queue.list(Search(limit=MESSAGES))
        ids = {one.key: one.submission.message_id.strip("<>").partition("@")[0] for one in entries}
        assert sorted(ids) == sorted(keys)
        assert max(accepted.values()) == 1
        not_sent = {one.key for one in entries if ids[one.key] not in accepted}
        held = {one.key for one in entries if one.state is State.HELD}
        assert not_sent <= held, "lost"
        assert {one.state for one in entries} <= {State.ACCEPTED, State.HELD}
        desk.queue.close()


def test_a_worker_that_was_stopped_finds_its_mark_refused(database, crew, taken):
    """Its lease ran out, another sent the message; when it goes on, the content does not leave."""
    desk = mailer(database, "filemail", taken)
    (key,) = letters(desk, 1)
    frozen, other = crew(database, "hesitant", taken), crew(database, "filemail", taken)
    frozen.begin(1)
    until(taken.with_name("ready").exists)
    os.kill(frozen.processes[0].pid, signal.SIGSTOP)
    other.begin(1)
    until(lambda: desk.queue.get(key).state is State.ACCEPTED)
    taken.with_name("go").touch()
    os.kill(frozen.processes[0].pid, signal.SIGCONT)
    frozen.processes[0].terminate()
    frozen.processes[0].wait(60)
    assert taken.read_text().split() == [key]
    desk.queue.close()


def test_postgresql_killed_under_load(tmp_path, crew, taken):
    """Twice, with two workers at it: they wait, and go on by themselves."""
    with running_postgres() as server:
        url = server.database()
        desk = mailer(url, "filemail", taken)
        keys = letters(desk, 150)
        some = crew(url, "filemail", taken)
        some.begin(2)
        for share in (0.25, 0.6):
            until(lambda share=share: len(taken.read_text().split()) > share * len(keys))
            server.kill()
            server.start()
        until(lambda: settled(desk.queue))
        assert collections.Counter(taken.read_text().split()) == collections.Counter(keys)
        some.end()
        desk.queue.close()
