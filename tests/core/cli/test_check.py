"""`pillarbox check`: each stage as it finishes, the cure below what failed."""

from __future__ import annotations

from pillarbox import Finding, Level
from pillarbox.cli.check import show
from pillarbox.testing.smtp_server import Reply, ScriptedServer, Silence
from tests import access

from .conftest import COMPANY, write

STAGES = ["settings", "dns", "connect", "tls", "greeting", "sign-in", "sender", "recipient", "reset"]


def test_check_tells_each_stage_and_sends_nothing(command, settings, server):
    """In order, aligned."""
    done = command("check", "anna")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[1] for line in lines] == STAGES
    assert {line[:7] for line in lines} == {"  ok   "}
    assert server.accepted == []


def test_check_as_json_is_one_array(invoke, settings):
    """With the stable codes."""
    found = invoke("check", "anna", "--json").json
    assert [one["stage"] for one in found] == STAGES
    assert {one["level"] for one in found} == {"ok"}
    assert found[0]["code"] == "settings-ok"


def test_check_ends_with_the_code_of_its_first_failing_stage(invoke, tmp_path):
    """The cure and the finding's code below it; what it could not reach is skipped."""
    with ScriptedServer(at={"mail": Reply(553, "5.7.1 not yours")}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done, program = invoke("check", "anna"), invoke("check", "anna", "--json")
    assert (done.code, program.code) == (65, 65)
    failed = done.out.splitlines().index(
        next(line for line in done.out.splitlines() if "  fail  sender" in line)
    )
    assert done.out.splitlines()[failed + 1].startswith(" " * 21)
    assert "  skip  recipient    not reached\n" in done.out
    assert [one["level"] for one in program.json] == ["ok"] * 6 + ["fail", "skip", "skip"]
    assert server.accepted == []


def test_settings_that_lead_nowhere_are_the_first_stage(invoke, settings):
    """With the cure, and their own exit code."""
    done = invoke("check", "carl")
    assert done.code == 78
    assert done.out.startswith("  fail  settings     Carl Weber can't send")
    assert "(method-none)" in done.out


def test_a_finding_is_folded_to_the_terminal(capsys, monkeypatch):
    """In the column of what was seen, with the time on its first line."""
    monkeypatch.setattr("pillarbox.cli.check.width", lambda: 60)
    show(
        Finding("tls", Level.WARN, "tls-soon", "one two three four five six seven eight", "Renew it.", 0.0382)
    )
    assert capsys.readouterr().out.splitlines() == [
        "  warn  tls          one two three four five six       38 ms",
        "                     seven eight",
        "                     Renew it. (tls-soon)",
    ]


def test_a_long_look_shows_that_something_goes_on(terminal, tmp_path):
    """On a terminal, until it is over; and Ctrl-C ends it with 130."""
    with ScriptedServer(at={"greeting": Silence()}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        screen = terminal("check", "anna")
        screen.until("ok    connect")
        screen.until("Looking ...")
        screen.interrupt()
        assert screen.end() == 130
    assert "Interrupted." in screen.shown


def test_a_transcript_is_kept_and_overwrites_nothing(invoke, settings, tmp_path):
    """Owner-only, each line with its time."""
    assert invoke("check", "anna", "--transcript", "talk.txt").code == 0
    again = invoke("check", "anna", "--transcript", "talk.txt")
    assert (again.code, "Choose a new file." in again.err) == (78, True)
    assert "S: 220" in (tmp_path / "talk.txt").read_text()
    assert access.mode(tmp_path / "talk.txt") == 0o600
