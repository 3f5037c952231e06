"""A history without an outbox: what was sent, to be searched; nothing of it is ever sent again by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox import OutcomeUnknown, SendDeferred, SendRejected, SettingsError, State
from pillarbox.outbox import Search, Worker
from tests.core.doubles import LETTER, KeptOutbox, mailer, slow


def raising(error, *, inside=False):
    """Return a method that ends in *error*, before the hand-over or in it."""

    def send(self, submission, journal):
        if inside:
            with journal.handing_over():
                raise error
        raise error

    return slow(send=send)


def test_a_send_is_kept_with_its_outcome(tmp_path):
    """In a file that is there for that."""
    desk = mailer(slow(), history=tmp_path / "history.sqlite3")
    receipt = desk.send(LETTER, user="anna")
    (entry,) = desk.history.list(Search(user="anna"))
    assert (entry.state, entry.receipt.message_id) == (State.ACCEPTED, receipt.message_id)
    desk.close()


@pytest.mark.parametrize(
    ("error", "inside", "state"),
    [
        (SendRejected("no"), False, State.REJECTED),
        (SendDeferred("later"), False, State.CANCELLED),
        (OutcomeUnknown("the line broke"), True, State.HELD),
        (OutcomeUnknown("never told"), False, State.HELD),
    ],
)
def test_an_error_ends_it_and_the_unknown_is_held(error, inside, state):
    """For a person, not for a look: that might send it again."""
    desk = mailer(raising(error, inside=inside), history=KeptOutbox())
    with pytest.raises(type(error)):
        desk.send(LETTER)
    (entry,) = desk.history.list()
    assert entry.state is state


def test_a_worker_on_the_same_file_sends_nothing_of_it():
    """Whatever it was set up for."""
    history = KeptOutbox()
    desk = mailer(raising(OutcomeUnknown("?"), inside=True), history=history)
    with pytest.raises(OutcomeUnknown):
        desk.send(LETTER)
    method = slow()
    Worker(history, mailer(method, outbox=history)._post()).run(drain=True)
    assert method.handed == []


ROOT = Path(__file__).resolve().parents[2]
CRASH = """
import os, sys
from tests.core.doubles import LETTER, mailer, slow

def send(self, submission, journal):
    if {inside}:
        with journal.handing_over():
            os._exit(9)
    os._exit(9)

mailer(slow(send=send), history=sys.argv[1]).send(LETTER)
"""


@pytest.mark.parametrize(("inside", "state"), [(True, State.HELD), (False, State.CANCELLED)])
def test_a_crash_is_listed_by_the_next_process(tmp_path, inside, state):
    """Held where it may have left; ended where it can't have."""
    path = tmp_path / "history.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(inside=inside), str(path)], cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == 9
    desk = mailer(slow(), history=path)
    desk.send(LETTER)
    assert [entry.state for entry in desk.history.list()] == [State.ACCEPTED, state]
    desk.close()


def test_an_outbox_needs_no_history():
    """It keeps its own."""
    with pytest.raises(SettingsError, match="keeps the history itself"):
        mailer(slow(), outbox=KeptOutbox(), history=KeptOutbox())


def test_many_are_kept_too():
    """Each with its own outcome."""
    desk = mailer(slow(), history=KeptOutbox())
    desk.send_many([LETTER, LETTER])
    assert [entry.state for entry in desk.history.list()] == [State.ACCEPTED] * 2
