"""A sender that is killed at every point: never two in Sent, and never none without a state that says so."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pillarbox import Attachment, Journal, Receipt, SightingState, Submission
from pillarbox.testing.graph import FakeGraph, Fault
from tests.plugins.m365.givens import CONFIRM, ORDERS, SEND, outcome_of, submission, transport
from tests.plugins.m365.relay import Relay
from tests.plugins.m365.sending import lines_of, notes_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nobody is killed so there")
FILES = [Attachment("large.bin", bytes(range(256)) * 12_000), Attachment("small.bin", b"abc")]
ROOT = Path(__file__).resolve().parents[3]


def _on_disk(what: Submission, journal: Path) -> Path:
    file = journal.with_suffix(".pickle")
    file.write_bytes(pickle.dumps(what))
    return file


def started(
    graph: FakeGraph,
    what: Submission,
    journal: Path,
    *,
    url: str = "",
    last: int = 0,
    scopes: tuple[str, ...] = CONFIRM,
) -> subprocess.Popen[bytes]:
    """Return a process that sends *what*; it kills itself behind the note or mark number *last*."""
    settings = {
        "url": url or graph.url,
        "token": graph.token(ORDERS, *scopes),
        "scopes": scopes,
        "mailbox": ORDERS,
        "submission": str(_on_disk(what, journal)),
        "journal": str(journal),
        "last": last,
    }
    code = "import sys, json; from tests.plugins.m365.sending import main; main(json.loads(sys.argv[1]))"
    return subprocess.Popen([sys.executable, "-c", code, json.dumps(settings)], cwd=ROOT)


def settled(graph: FakeGraph, what: Submission, journal: Path, scopes: tuple[str, ...] = CONFIRM) -> str:
    """Do as an outbox does after a crash: look where it was handed over, and send again what is not there."""
    notes = notes_in(journal)
    with transport(graph, scopes=scopes) as one:
        if any("mark" in line for line in lines_of(journal)):
            seen = one.find(what, Journal(notes))
            if seen.state is not SightingState.ABSENT:
                return "accepted" if seen.state is SightingState.SENT else "held"
        outcome = outcome_of(one, what, Journal(notes))
        return "accepted" if isinstance(outcome, Receipt) else repr(outcome)


@pytest.mark.parametrize(("files", "points"), [((), 3), (FILES, 4)], ids=["small", "large"])
def test_killed_at_every_note_and_mark(
    graph: FakeGraph, tmp_path: Path, files: list[Attachment], points: int
) -> None:
    """Behind each it goes on to exactly one mail, and leaves no draft."""
    for last in range(1, points + 1):
        what, journal = submission(attachments=files), tmp_path / str(last)
        assert started(graph, what, journal, last=last).wait(60) == -signal.SIGKILL
        assert settled(graph, what, journal) == "accepted"
        assert len(graph.sent(ORDERS)) == last
        assert graph.drafts(ORDERS) == []


def _killed_at_the_call(
    graph: FakeGraph, tmp_path: Path, call: bytes, when: str, scopes: tuple[str, ...]
) -> tuple[Submission, Path]:
    """Kill a sender just before, or just after, its request passes on the way to the provider."""
    what, journal, running = submission(), tmp_path / "journal", []

    def kill(octets: bytes) -> bool:
        if call in octets:
            running[0].kill()
            running[0].wait(60)
            return False
        return True

    with Relay(graph._server.port) as relay:
        hook: Callable[[bytes], bool] = kill
        setattr(relay, "coming" if when == "before" else "gone", hook)
        running.append(started(graph, what, journal, url=relay.url, scopes=scopes))
        assert running[0].wait(60) == -signal.SIGKILL
    return what, journal


def _processed(graph: FakeGraph, step: str) -> None:
    """Wait until the fake has done what was asked of it."""
    _until(lambda: any(request.step == step for request in graph.requests))


def _until(reached: Callable[[], bool]) -> None:
    for _ in range(4000):
        if reached():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to that")


def test_killed_when_the_request_that_sends_has_left(graph: FakeGraph, tmp_path: Path) -> None:
    """The mail is found, and is not sent again."""
    what, journal = _killed_at_the_call(graph, tmp_path, b"/send HTTP", "after", CONFIRM)
    _processed(graph, "send")
    assert settled(graph, what, journal) == "accepted"
    assert len(graph.sent(ORDERS)) == 1


def test_killed_when_the_request_that_sends_did_not_arrive(graph: FakeGraph, tmp_path: Path) -> None:
    """The draft is still one, and is sent."""
    what, journal = _killed_at_the_call(graph, tmp_path, b"/send HTTP", "before", CONFIRM)
    assert graph.sent(ORDERS) == []
    assert settled(graph, what, journal) == "accepted"
    assert len(graph.sent(ORDERS)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_where_nobody_can_look(graph: FakeGraph, tmp_path: Path, when: str) -> None:
    """It is held for a person, whether it left or not."""
    what, journal = _killed_at_the_call(graph, tmp_path, b"/sendMail HTTP", when, SEND)
    if when == "after":
        _processed(graph, "sendMail")
    assert settled(graph, what, journal, SEND) == "held"
    assert len(graph.sent(ORDERS)) == (1 if when == "after" else 0)


def test_killed_while_it_asks_for_the_copy(graph: FakeGraph, tmp_path: Path) -> None:
    """It was accepted, and nobody had written that down."""
    graph.fault("get", Fault.HANG)
    what, journal = submission(), tmp_path / "journal"
    child = started(graph, what, journal)
    _until(lambda: not graph._faults._plans["get"])
    child.kill()
    child.wait(60)
    assert settled(graph, what, journal) == "accepted"
    assert len(graph.sent(ORDERS)) == 1
