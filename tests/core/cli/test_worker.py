"""`pillarbox worker`: it sends what waits, tells how far it is, and stops cleanly."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest

from pillarbox import Mailer, Message
from pillarbox.testing.smtp_server import ScriptedServer
from tests import systems

from .conftest import COMPANY, START, environment, write

LETTER = Message(to="ap@customer.example", subject="Invoice", text="t")


def enqueue(settings, count=1, **more):
    """Keep letters in the outbox beside *settings*, and return their keys."""
    with Mailer.open(settings) as mailer:
        return [mailer.enqueue(LETTER, user="anna", **more).key for _ in range(count)]


def state_of(settings, key):
    with Mailer.open(settings) as mailer:
        return mailer.queue.known(key).state.value


def test_a_drain_sends_all_and_ends(invoke, settings, server):
    """With a line that says how much, and how fast."""
    enqueue(settings, 3)
    done = invoke("worker", "--drain")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Done: 3 of 3 (3 accepted), ")
    assert len(server.accepted) == 3


def test_a_program_gets_one_object_a_line(invoke, settings, server):
    """The last says the end."""
    enqueue(settings, 2)
    done = invoke("worker", "--drain", "--json")
    last = json.loads(done.out.splitlines()[-1])
    assert (last["event"], last["done"], last["states"]) == ("ended", 2, {"accepted": 2})


def test_a_drain_says_by_its_code_what_is_left(invoke, settings, tmp_path):
    """75: it waits for a later try."""
    write(tmp_path, COMPANY.format(port=1))
    enqueue(settings)
    done = invoke("worker", "--drain")
    assert done.code == 75
    assert "1 deferred" in done.out


def test_a_worker_confines_itself(invoke, settings, server):
    """To a method, or to a user, which have to be known."""
    enqueue(settings)
    invoke("user", "add", "otto", "--address", "otto@acme.example")
    assert invoke("worker", "--drain", "--user", "otto").out.startswith("Done: 0 of 0 (nothing)")
    assert server.accepted == []
    assert invoke("worker", "--drain", "--method", "smtp", "--user", "anna").code == 0
    assert len(server.accepted) == 1
    assert "Did you mean anna?" in invoke("worker", "--user", "ana").err
    assert invoke("worker", "--method", "pigeon").code == 69


class Gate:
    """Lets a server answer a message only when the test opens it."""

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, turn):
        self.reached.set()
        self.opened.wait(30)


@pytest.fixture
def gated(tmp_path):
    """A server that waits at the final dot, the settings that lead there, and the gate."""
    gate = Gate()
    with ScriptedServer(at={"dot": gate}) as server:
        yield server, write(tmp_path, COMPANY.format(port=server.port)), gate
        gate.opened.set()


def started(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-u", "-c", START, "worker", *arguments],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(
    systems.WINDOWS, reason="Windows ends a process by TerminateProcess, which no handler hears"
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_attempt_in_hand(gated, tmp_path, number):
    """And exits with 0; what had not begun is there for the next. A second wish is answered, and cuts nothing."""
    _, settings, gate = gated
    keys = enqueue(settings, 8)  # two connections, each with one in hand and the next announced
    process = started(tmp_path)
    assert gate.reached.wait(30)
    process.send_signal(number)
    assert process.stderr.readline() == "Stopping: what is in hand is finished first.\n"
    process.send_signal(number)
    assert process.stderr.readline().startswith("An attempt is still under way. It isn't cut")
    gate.opened.set()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.startswith("Stopped: ")) == (0, True), out
    states = [state_of(settings, key) for key in keys]
    assert (states[0], states[-1], set(states)) == ("accepted", "queued", {"accepted", "queued"})


@pytest.mark.skipif(
    systems.WINDOWS, reason="Windows ends a process by TerminateProcess, which no handler hears"
)
def test_an_interrupted_drain_says_that_it_was_not_finished(gated, tmp_path):
    """130, for the script that waits for it."""
    _, settings, gate = gated
    enqueue(settings, 2)
    process = started(tmp_path, "--drain")
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGINT)
    process.stderr.readline()
    gate.opened.set()
    process.communicate(timeout=60)
    assert process.returncode == 130


@pytest.mark.skipif(systems.WINDOWS, reason="a pipe that nobody reads is told otherwise there")
def test_a_worker_ends_when_nobody_reads_what_it_prints(settings, tmp_path):
    """`| head`: the command does not go on in the dark, nor hang."""
    enqueue(settings)
    at_once = "import pillarbox.cli.worker as worker; worker.TOLD = 0.0"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{at_once}; {START}", "worker", "--json"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    process.stdout.close()
    assert process.wait(60) == 1


def test_a_terminal_is_shown_that_it_works(terminal, settings):
    """With the end as a line of its own."""
    enqueue(settings, 2)
    shown = terminal("worker", "--drain")
    assert shown.end() == 0
    assert any("Done: 2 of 2 (2 accepted)" in line for line in shown.visible)
