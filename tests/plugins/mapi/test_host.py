"""The host's side of the worker: one deadline, kill, restart; whatever is no answer is a fault by its step."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from pillarbox import Account as PillarboxAccount
from pillarbox import Attachment, Journal, OutcomeUnknown, Receipt, Route, SendDeferred, Unavailable
from pillarbox.testing.outlook import Fault
from pillarbox_mapi.host import Host, WorkerFault
from tests.plugins.mapi.world import World, submission

ROUTE = Route(account=PillarboxAccount(owner="company", method="mapi"), from_address=None)
SAYS = ("nonsense", "wrong id", "long", "half", "list", "end")


def worker(script):
    return Host((sys.executable, "-c", script))


def fault_of(host, seconds=5.0):
    with pytest.raises(WorkerFault) as caught:
        host.ask("look", seconds)
    host.close()
    return caught.value.how


@pytest.mark.parametrize("said", SAYS)
def test_what_is_no_answer_to_send_leaves_the_outcome_unknown_and_the_next_mail_goes(tmp_path, said):
    """It is looked for, and found: Send had run."""
    world, journal = World(tmp_path), Journal()
    one = submission(ROUTE)
    with world.transport() as transport:
        world.say(submit="end" if said == "half" else said)
        with pytest.raises(OutcomeUnknown):
            transport.send(one, journal)
        world.say()
        assert transport.find(one, journal).state.value == "sent"
        assert isinstance(transport.send(submission(ROUTE), Journal()), Receipt)
    assert len(world.sent) == 2


@pytest.mark.parametrize("said", ["nonsense", "wrong id", "long", "end"])
def test_what_is_no_answer_before_send_is_not_sent(tmp_path, said):
    """And the draft that it left is removed by the next try."""
    world, journal = World(tmp_path), Journal({"entry_id": "1"})
    one = submission(ROUTE)
    with world.transport() as transport:
        world.say(prepare=said)
        with pytest.raises(SendDeferred):
            transport.send(one, journal)
        assert not journal.handed_over
        world.say()
        transport.send(one, journal)
    assert (len(world.sent), world.outlook().in_folder("Drafts")) == (1, [])


def test_a_worker_that_says_nothing_is_killed_at_the_deadline():
    host, started = worker("import time; time.sleep(60)"), time.monotonic()
    with pytest.raises(WorkerFault, match="silent"):
        host.ask("look", 0.5)
    assert time.monotonic() - started < 5
    host.close()


def test_a_worker_that_ends_is_told_from_one_that_is_silent():
    assert fault_of(worker("pass")) == "ended"
    assert fault_of(worker("input(); print('hello')")) == "nonsense"
    assert fault_of(Host(("/nonexistent/worker",))) == "absent"


def test_what_the_worker_started_ends_with_it(tmp_path):
    """No orphan, on POSIX, where both share a session."""
    pid = tmp_path / "pid"
    script = (
        "import subprocess, sys, pathlib, time\n"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(one.pid)); time.sleep(600)"
    )
    host = worker(script)
    with pytest.raises(WorkerFault):
        host.ask("look", 2.0)
    number = int(pid.read_text())
    until = time.monotonic() + 5
    while _runs(number) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(number)
    host.close()


def _runs(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("fault", ["", "crash", "stall"])
def test_the_spool_is_empty_behind_each_message_and_gone_in_the_end(tmp_path, fault):
    """Whatever happened to the worker."""
    faults = [Fault("MailItem", "Save", fault, times=9, seconds=60)] if fault else []
    world = World(tmp_path, faults=faults)
    transport = world.transport(attach_timeout=2.0, call_timeout=1.0)
    one = submission(ROUTE, attachments=[Attachment("a.pdf", b"%PDF")])
    try:
        transport.send(one, Journal())
    except SendDeferred:
        assert fault
    root = transport.host.spool.root
    assert list(root.iterdir()) == []
    transport.close()
    assert not root.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there it is the usual")
def test_off_windows_it_says_what_is_missing():
    from pillarbox_mapi import MapiSettings, MapiTransport

    with pytest.raises(Unavailable, match="needs Windows with classic Outlook"):
        MapiTransport(MapiSettings()).send(submission(ROUTE), Journal())
    (first, *others) = MapiTransport(MapiSettings()).check()
    assert (first.stage, first.code, {one.level.value for one in others}) == (
        "platform",
        "platform-other",
        {"skip"},
    )
