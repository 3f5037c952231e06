"""`pillarbox worker --agent` as a process at a user's computer, also where it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pillarbox import State
from tests import access
from tests.core.cli.conftest import START
from tests.plugins.web.agent.office import at_desk, until

DESKMAIL = """
import os
from pathlib import Path
import attrs
from pillarbox import Receipt, SenderPolicy, Sighting, SightingState, Transport

SENT, ONCE = Path(os.environ["DESK_SENT"]), Path(os.environ["DESK_SENT"] + ".died")

def dies(where):
    if os.environ.get("DESK_DIES") == where and not ONCE.exists():
        ONCE.touch()
        os._exit(9)

@attrs.frozen
class Settings:
    profile: str = ""

class Desk(Transport):
    settings: Settings
    label = "Deskmail"
    sender_policy = SenderPolicy.CLIENT
    settling = 0.0

    def send(self, submission, journal):
        dies("before")
        with journal.handing_over():
            dies("inside")
            with SENT.open("a") as file:
                file.write(submission.key + "\\n")
                file.flush()
                os.fsync(file.fileno())
            dies("after")
        return Receipt(submission.message_id, sender="desk@acme.example")

    def find(self, submission, journal):
        if SENT.exists() and submission.key in SENT.read_text().split():
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT)
"""


class Computer:
    """One that has pillarbox, a mail program, and the token of its user."""

    def __init__(self, folder, office, token):
        self.folder, self.url = folder, office.url
        site = folder / "site"
        info = site / "deskmail-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "deskmail.py").write_text(DESKMAIL)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deskmail\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[pillarbox.transports]\ndesk = deskmail:Desk\n")
        self.token_file = folder / "token.txt"
        self.token_file.write_text(token + "\n")
        access.give(self.token_file, 0o600)
        self.file = folder / "sent.txt"

    @property
    def sent(self):
        return self.file.read_text().split() if self.file.exists() else []

    def begin(self, *arguments, dies="", **env):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PILLARBOX")}
        more = {"PYTHONPATH": str(self.folder / "site"), "DESK_SENT": str(self.file), "DESK_DIES": dies}
        command = [sys.executable, "-c", START, "worker", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**kept, "NO_COLOR": "1", **more, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, **more):
        ours = ("--agent", self.url, "--token-file", str(self.token_file))
        with self.begin(*ours, *arguments, **more) as process:
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return process.returncode, out, err


@pytest.fixture
def computer(tmp_path, acme):
    folder = tmp_path / "computer"
    folder.mkdir()
    return Computer(folder, acme, acme.token())


def test_it_sends_what_there_is_and_ends(acme, computer):
    """Without a settings file, and without a vault."""
    keys = [acme.write() for _ in range(2)]
    code, out, err = computer.run("--drain")
    assert code == 0, err
    assert out.startswith("Done: 2 of 2 (2 accepted)")
    assert "Sending for Anna Berg from this computer" in err
    assert sorted(computer.sent) == sorted(keys)
    assert acme.states(*keys) == [State.ACCEPTED] * 2


def test_it_tells_programs(acme, computer):
    acme.write()
    code, out, _ = computer.run("--drain", "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["done"] == 1


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_a_worker_that_is_killed_loses_and_repeats_nothing(acme, computer, where):
    """Before the hand-over, in it, and behind it; what starts again with the same token goes on."""
    keys = [acme.write() for _ in range(3)]
    code, _, _ = computer.run("--drain", dies=where)
    assert code == 9
    code, _, err = computer.run("--drain", dies=where)
    assert code == 0, err
    assert sorted(computer.sent) == sorted(keys)
    assert acme.states(*keys) == [State.ACCEPTED] * 3


def test_a_stop_gives_back_what_was_not_begun(acme, computer):
    process = computer.begin("--agent", acme.url, PILLARBOX_AGENT_TOKEN=acme.token(label="the desk"))
    with process:
        key = acme.write()
        until(lambda: acme.state(key) is State.ACCEPTED)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Stopped: 1" in out


def test_a_token_that_is_ended_ends_it(acme, computer):
    """With the exit code of a sign-in that was refused, and what to do."""
    (token,) = acme.tokens.list("anna", "company")
    assert acme.tokens.revoke(token.id, "anna", "company")
    code, _, err = computer.run()
    assert code == 77
    assert "Make a new one on the user's page" in err


def test_one_that_is_taken_over_ends(acme, computer, program):
    secret = computer.token_file.read_text().strip()
    process = computer.begin("--agent", acme.url, "--token-file", str(computer.token_file))
    with process:
        until(lambda: "/wait" in acme.calls)
        with at_desk(acme.url, secret, program):
            _, err = process.communicate(timeout=40)
    assert process.returncode == 77
    assert "took over" in err
    assert secret not in err


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--agent", "{url}"], {}, "--token-file, or set PILLARBOX_AGENT_TOKEN"),
        (["--agent", "http://erp.acme.example", "--token-file", "{file}"], {}, "https://"),
        (["--agent", "{url}"], {"PILLARBOX_AGENT_TOKEN": "hunter2"}, "no token of pillarbox"),
        (["--agent", "{url}/nowhere", "--token-file", "{file}"], {}, "There is no door for workers at"),
        (
            ["--agent", "{url}", "--token-file", "{file}", "--user", "otto"],
            {},
            "The token is for anna, not for otto",
        ),
        (["--token-file", "{file}"], {}, "belong to --agent"),
        (["--agent", "{url}", "--token-file", "{file}", "--ca-file", "nowhere.pem", "--drain"], {}, None),
    ],
)
def test_a_call_that_can_t_be(acme, computer, arguments, env, said):
    filled = [one.format(url=acme.url, file=computer.token_file) for one in arguments]
    with computer.begin(*filled, **env) as process:
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    if said is not None:
        assert process.returncode in {64, 77, 78}
        assert said in err
    assert "hunter2" not in err


def test_a_server_that_is_not_there_yet_is_waited_for(acme, computer, monkeypatch):
    """A computer that has just started; with --drain it is told at once."""
    acme.faults = lambda _: "before"
    code, _, err = computer.run("--drain")
    assert code == 75, err
    key = acme.write()
    process = computer.begin("--agent", acme.url, "--token-file", str(computer.token_file))
    with process:
        time.sleep(2)
        acme.faults = lambda _: ""
        until(lambda: acme.state(key) is State.ACCEPTED, 40)
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert "It is tried again until the server answers" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' own rights are looked at in tests/core")
def test_a_token_that_others_can_read_is_not_used(acme, computer):
    computer.token_file.chmod(0o644)
    code, _, err = computer.run("--drain")
    assert code == 78
    assert "chmod 600" in err
