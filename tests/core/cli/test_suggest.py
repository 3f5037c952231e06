"""`pillarbox suggest`: what fits an address, and the command that would set it."""

from __future__ import annotations

import shlex

import pytest

from pillarbox import Suggestion, Suggestions
from pillarbox.cli.suggest import Way, show

from .conftest import write


def test_suggest_says_what_fits_why_and_how_it_is_set(command):
    """Without a settings file; nothing is asked for a domain of the address book."""
    done = command("suggest", "anna@fastmail.com")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("  1  SMTP   ready\n")
    assert "But: Fastmail takes an app password" in done.out
    assert (
        "--server smtp.fastmail.com --encryption tls --port 465 --username anna@fastmail.com --password\n"
        in done.out
    )


def test_the_command_that_is_shown_sets_it(invoke, settings):
    """As it stands, but for what is asked for."""
    found = invoke("suggest", "orders@acme.example", "--offline", "--json").json["methods"][0]
    line = found["command"].replace("SERVER", "smtp.acme.example").replace("--password", "--password-env PW")
    done = invoke(*shlex.split(line)[1:])
    assert done.code == 0, done.err
    assert invoke("company", "show", "--json").json["smtp"]["server"] == "smtp.acme.example"


def test_json_tells_all_of_it(invoke):
    """Methods with sources and commands, what was seen, and what was not asked."""
    found = invoke("suggest", "orders@acme.example", "--offline", "--json").json
    assert set(found) == {"address", "methods", "seen", "not_asked"}
    assert found["not_asked"] == ["Neither DNS nor the web site of acme.example was asked: offline."]
    assert {
        "method",
        "settings",
        "sources",
        "reason",
        "drawbacks",
        "ready",
        "cure",
        "as_found",
        "command",
    } <= set(found["methods"][0])


def test_a_user_has_commands_of_their_own(invoke):
    """Their setting becomes Personal."""
    done = invoke("suggest", "anna@gmail.com", "--user", "anna")
    assert "pillarbox user set anna --settings personal --address anna@gmail.com --method gmail\n" in done.out


def test_what_the_deployer_leaves_out_is_not_called_ready(invoke, monkeypatch):
    """Nor is the pip command told, which would help nobody."""
    monkeypatch.setenv("PILLARBOX_PLUGINS", "pillarbox-smtp")
    done = invoke("suggest", "anna@gmail.com")
    assert done.out.startswith("  1  Gmail   not here\n")
    assert "Left out" in done.out


def test_what_does_not_work_on_this_computer_says_why(capsys):
    """Below its name, where there is room."""
    why = "Outlook is Windows' alone."
    show(
        Suggestions(address="a@b.example", methods=(Suggestion(method="mapi", label="Outlook", cure=why),)),
        Way("a@b.example", None, {}),
    )  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines()[0] == "  1  Outlook   not here"


@pytest.mark.parametrize("address", ["acme.example", "a b@acme.example", "a@b@", "a\x1b[31m@acme.example"])
def test_what_is_no_address_is_a_mistake_in_the_call(invoke, address):
    """Exit code 64; nothing of it steers the terminal."""
    done = invoke("suggest", address)
    assert (done.code, done.out) == (64, "")
    assert "\x1b" not in done.err


def test_a_broken_settings_file_is_told(invoke, tmp_path):
    """What it allows can't be known."""
    write(tmp_path, "company = 1")
    assert invoke("suggest", "anna@gmail.com").code == 78


def test_what_stands_in_a_command_is_quoted():
    """Whoever copies it runs one command."""
    one = Suggestion(method="pigeon", settings={"loft": "a; rm -rf $HOME", "feed": False})
    line = Way("o'neil@acme.example", None, {}).command(one)  # type: ignore[arg-type]
    assert shlex.split(line)[3:] == [
        "--address",
        "o'neil@acme.example",
        "--method",
        "pigeon",
        "--loft",
        "a; rm -rf $HOME",
        "--no-feed",
    ]
