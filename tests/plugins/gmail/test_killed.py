"""A sender is killed at every point that its journal knows, and while Gmail has its request: nothing is sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pillarbox import Journal, PillarboxError, SightingState
from pillarbox.testing._contract._journals import Durable
from pillarbox.testing._http.faults import Plan
from pillarbox.testing._http.values import Call, Ending, Reply
from pillarbox.testing.gmail import FakeGmail
from tests.plugins.gmail.givens import ANNA, GRANTS, large, submission, transport

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nobody is killed without SIGKILL")
CHILD = """
import os, pickle, signal, sys, types
from pathlib import Path
from pillarbox.testing._contract._journals import Durable
from tests.plugins.gmail.givens import transport

class Dying(Durable):
    '''Ends the process at its n-th event: before and behind each note and each mark.'''
    left = int(sys.argv[4])
    def reached(self):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
    def _write(self, name, value):
        self.reached(); super()._write(name, value); self.reached()
    def _mark(self):
        self.reached(); super()._mark(); self.reached()

url, token, folder, _, *scopes = sys.argv[1:]
made = transport(types.SimpleNamespace(url=url, token=lambda *_: token), *scopes)
made.send(pickle.loads(Path(folder, "message").read_bytes()), Dying(Path(folder, "journal")))
"""
EVENTS = {"send only": 4, "send and confirm": 8}
"""How many there are: around the mark and the carrier's word, and around the two notes of the draft."""


class Killing(FakeGmail):
    """Does something when the request that submits has come, before or behind doing what it asks for."""

    strike: Callable[[], None] | None = None
    is_done_first = False

    def _under(self, plan: Plan | None, call: Call, step: str) -> Reply | Ending:
        submits = step in {"drafts.send", "messages.send"} and self.strike is not None
        if submits and not self.is_done_first:
            self.struck()
            return Ending.CUT
        said = super()._under(plan, call, step)
        if submits:
            self.struck()
        return said

    def struck(self) -> None:
        strike, self.strike = self.strike, None
        assert strike is not None
        strike()


@pytest.fixture
def gmail():
    with Killing(per_minute=None) as fake:
        fake.add_mailbox(ANNA, "Anna Berg")
        yield fake


def begun(gmail: FakeGmail, message, folder: Path, event: int, scopes) -> subprocess.Popen[bytes]:
    import pickle

    (folder / "message").write_bytes(pickle.dumps(message))
    arguments = [gmail.url, gmail.token(ANNA, *scopes), str(folder), str(event), *scopes]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stderr=subprocess.PIPE)


def recovered(gmail: FakeGmail, message, folder: Path, scopes) -> str:
    """Do what core does after a crash, and return the state that the message is left in."""
    journal = Durable.read(folder / "journal")
    with transport(gmail, *scopes) as made:
        if journal.handed_over:
            if Journal(journal.notes).noted_receipt(message) is not None:
                return "accepted"
            found = made.find(message, Journal(journal.notes)).state
            if found is not SightingState.ABSENT:
                return {SightingState.SENT: "accepted", SightingState.UNCLEAR: "held"}[found]
        try:
            made.send(message, Journal(journal.notes))
        except PillarboxError as error:
            raise AssertionError("it could have been sent again") from error
        return "accepted"


@pytest.mark.parametrize("make", [submission, large], ids=["small", "large"])
@pytest.mark.parametrize(
    ("grant", "event"), [(grant, event) for grant, last in EVENTS.items() for event in range(1, last + 1)]
)
def test_killed_at_a_point_of_the_journal(
    gmail: Killing, tmp_path: Path, make, grant: str, event: int
) -> None:
    """Never two in Sent, and never none without a state that says so."""
    message, scopes = make(), GRANTS[grant]
    child = begun(gmail, message, tmp_path, event, scopes)
    _, said = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, said.decode()
    state, sent = recovered(gmail, message, tmp_path, scopes), len(gmail.sent(ANNA))
    assert sent == 1 or (sent == 0 and state == "held")
    assert gmail.drafts(ANNA) == []


@pytest.mark.parametrize("done", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("grant", GRANTS)
def test_killed_while_gmail_has_the_request(gmail: Killing, tmp_path: Path, grant: str, done: bool) -> None:
    """What Gmail did not do is done again where it can look; what it did is never done again."""
    message, scopes = submission(), GRANTS[grant]
    children: list[subprocess.Popen[bytes]] = []
    gmail.is_done_first = done

    def strike() -> None:
        children[0].kill()
        children[0].wait()

    gmail.strike = strike
    children.append(begun(gmail, message, tmp_path, 99, scopes))
    _, said = children[0].communicate(timeout=60)
    assert children[0].returncode == -signal.SIGKILL, said.decode()
    state, sent = recovered(gmail, message, tmp_path, scopes), len(gmail.sent(ANNA))
    if done or grant == "send only":
        assert (sent, state) == (int(done), "held")
    else:
        assert (sent, state) == (1, "accepted")
