"""A thousand sends leave nothing behind: no file of the spool, no process, no growth of the worker."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pillarbox import Account, Attachment, Journal, Route
from pillarbox_mapi.spool import PREFIX
from tests.plugins.mapi.world import World, submission

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="Linux tells a process's memory in /proc"
)
WARM, ALL = 100, 1_000
GROWTH = 1.10


def resident(process: int) -> int:
    """Return the octets of memory that *process* holds."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def children() -> set[int]:
    """Return the processes that this one has started, and that run."""
    return {
        int(one)
        for task in Path("/proc/self/task").iterdir()
        for one in (task / "children").read_text().split()
    }


def letter():
    route = Route(account=Account(owner="company", method="mapi"), from_address=None)
    return submission(route, attachments=[Attachment("invoice.pdf", os.urandom(1000))])


def test_a_thousand_sends_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    world, before = World(tmp_path), children()
    world.forget()  # what the fake keeps of a mail would grow, and is not the worker's
    with world.transport() as transport:
        for number in range(ALL):
            transport.send(letter(), Journal())
            if number == WARM:
                (worker,) = children() - before
                warm = resident(worker)
        assert children() - before == {worker}
        assert resident(worker) < GROWTH * warm
        assert list(transport.host.spool.root.iterdir()) == []
    assert list(tmp_path.glob(f"{PREFIX}*")) == []
    gone = time.monotonic() + 5
    while children() - before and time.monotonic() < gone:
        time.sleep(0.01)
    assert children() - before == set()
    assert len(world.sent) == ALL


def test_workers_that_are_killed_leave_nothing_behind(tmp_path, monkeypatch):
    """Each is replaced, and none stays, nor what it was reading."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    world, before = World(tmp_path), children()
    with world.transport() as transport:
        for _ in range(10):
            transport.send(letter(), Journal())
            for worker in children() - before:
                os.kill(worker, 9)
                os.waitid(
                    os.P_PID, worker, os.WEXITED | os.WNOWAIT
                )  # it has ended, and its host has yet to see that
        assert list(transport.host.spool.root.iterdir()) == []
    assert list(tmp_path.glob(f"{PREFIX}*")) == []
    assert children() - before == set()
    assert len(world.sent) == 10
