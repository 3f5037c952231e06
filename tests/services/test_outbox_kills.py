"""One message's walk, killed at each of its storage and socket calls, and without power behind each of its writes."""

from __future__ import annotations

import collections
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pillarbox import State
from pillarbox.testing._outbox_contract._post import logged
from tests.core.outbox.killing.exhaust import Walk, compiled, put_back, walker, without_power, writes
from tests.core.outbox.killing.runs import sink

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]
TRACED = "pwrite64,write,fdatasync,fsync,ftruncate,unlink"


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The library that stands between a process and its calls."""
    return compiled(tmp_path_factory.mktemp("shim"))


def at_each_call(shim, folder, port, judge):
    """Kill a walk at each call, settle it, and have *judge* look at it; return what the judge said of each."""
    said_of_each = []
    with walker(shim) as process:
        count = process.calls(Walk(folder / "whole", port, 10_000))
        assert count > 200, f"a walk of {count} calls is none"
        for number in range(1, count + 3):
            walk = Walk(folder / f"{number}", port, number)
            assert process.walk(walk, fatal=number) in {-9, 0}
            said_of_each.append(judge(walk, walk.settled()))
            shutil.rmtree(walk.folder)
    return said_of_each


def test_killed_at_any_call_it_is_sent_once_by_a_carrier_that_can_look(shim, tmp_path):
    """Never lost, never repeated, never held."""

    def judge(walk, state):
        assert (len(logged(walk.office.log)), state) == (1, State.ACCEPTED), walk
        return state

    print(f"\n{len(at_each_call(shim, tmp_path, 0, judge))} moments, each sent once")


def test_killed_at_any_call_it_is_sent_once_by_smtp_or_held(shim, tmp_path):
    """Held where the server had said 354 alone: from there on the content may have begun."""

    def judge(walk, state):
        seen = said(tmp_path)[str(walk.number)]
        assert seen["accept"] <= 1, f"{walk}: sent twice"
        assert state is State.HELD or (state, seen["answer"]) == (State.ACCEPTED, 1), (
            f"{walk}: {state}, {seen}"
        )
        assert state is not State.HELD or seen["data"], f"{walk}: held, and nothing had been announced"
        return state.value, "content begun" if seen["begin"] else "not begun"

    with sink(tmp_path) as port:
        found = collections.Counter(at_each_call(shim, tmp_path, port, judge))
    print(f"\n{found.total()} moments: {dict(found)}")
    assert found["accepted", "content begun"] > 200
    assert found["held", "content begun"] > 0


def said(folder):
    """Return what the sink wrote down of each invoice."""
    seen = collections.defaultdict(collections.Counter)
    for what, who, *_ in map(str.split, (folder / "carrier.log").read_text("ascii").splitlines()):
        seen[who][what] += 1
    return seen


def test_without_power_at_any_moment_nothing_is_lost_or_repeated(shim, tmp_path):
    """Each state in which the disk may be: without some of the last writes that were not synced, or without one of them."""
    walk = Walk(tmp_path / "walk")
    with walker(shim) as process:
        assert process.walk(walk, log=tmp_path / "log") == 0
    states = list(without_power((tmp_path / "log").read_bytes(), walk.folder))
    for number, files in enumerate(states):
        again = Walk(tmp_path / f"{number}")
        put_back(files, again.folder)
        assert again.settled() is State.ACCEPTED, number
        assert len(logged(again.office.log)) == 1, (
            f"state {number}: sent {len(logged(again.office.log))} times"
        )
        shutil.rmtree(again.folder)
    print(
        f"\n{len(states)} states of the disk, {sum('returned' in files for files in states)} of them behind enqueue"
    )
    assert len(states) > 100


def test_the_shim_sees_every_change(shim, tmp_path):
    """As many as the system does: what goes past it would never be tried."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: .ci/install-servers"
    walk, trace, log = Walk(tmp_path / "walk"), tmp_path / "trace", tmp_path / "log"
    with walker(shim) as process:
        command = [strace, "-f", "-q", "-y", "-o", trace, "-e", f"trace={TRACED}", "-p", str(process.number)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracing:
            while not trace.exists() or "TracerPid:\t0" in status(process.number):
                time.sleep(0.01)
            assert process.walk(walk, log=log) == 0
            tracing.terminate()
    lines = [line for line in trace.read_text("utf-8", "replace").splitlines() if str(walk.folder) in line]
    of_system = collections.Counter(
        re.findall(r" (pwrite64|write|fdatasync|fsync|ftruncate|unlink)\(", "\n".join(lines))
    )
    of_shim = collections.Counter(what for what, *_ in writes(log.read_bytes()))
    assert of_shim["S"] == of_system["fdatasync"] + of_system["fsync"] > 5
    assert of_shim["W"] == of_system["pwrite64"] + of_system["write"] > 50
    assert (of_shim["T"], of_shim["U"]) == (of_system["ftruncate"], of_system["unlink"])


def status(number):
    """Return what the system says of a process."""
    return Path(f"/proc/{number}/status").read_text("ascii")
