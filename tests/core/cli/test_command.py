"""The command as a whole: help, exit codes, JSON, and errors that carry the cure."""

from __future__ import annotations

import pytest

from pillarbox.testing.smtp_server import Cut, Reply, ScriptedServer

from .conftest import COMPANY, write


def test_help_names_every_command_and_the_exit_codes(command):
    """What a newcomer reads first."""
    done = command("--help")
    assert done.code == 0
    for name in ("demo", "init", "methods", "company", "user", "explain", "check", "send"):
        assert f"\n  {name} " in done.out
    assert "78 settings" in done.out


@pytest.mark.parametrize(
    "name",
    [
        "demo",
        "init",
        "methods",
        "company",
        "company set",
        "user",
        "user add",
        "user set",
        "explain",
        "check",
        "send",
    ],
)
def test_each_commands_help_teaches_by_example(command, name):
    """A group's help lists its commands."""
    done = command(*name.split(), "--help")
    assert done.code == 0
    assert "Example" in done.out or "Commands:" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explian"], "Did you mean explain?"),
        (["send"], "Missing option '--subject'"),
        (["check", "--nonsense"], "No such option"),
        (["user", "add"], "Missing argument 'USER'"),
    ],
)
def test_a_mistake_in_the_call_is_64(command, settings, arguments, said):
    """With what was meant."""
    done = command(*arguments)
    assert done.code == 64
    assert said in done.err.replace("\n", " ")


@pytest.mark.parametrize(("name", "distribution"), [("web", "pillarbox-web")])
def test_a_command_of_another_distribution_says_which(command, name, distribution):
    """One pip line, exit 69."""
    done = command(name)
    assert (done.code, f"pip install {distribution}" in done.err) == (69, True)


def test_a_missing_settings_file_says_how_to_write_one(command):
    """Exit 78, and the command with the path that was looked for."""
    done = command("--config", "elsewhere.toml", "explain")
    assert done.code == 78
    assert "pillarbox --config elsewhere.toml init" in done.err


def test_the_config_can_stand_in_the_environment(command, settings):
    """PILLARBOX_CONFIG."""
    other = settings.rename(settings.with_name("other.toml"))
    assert command("explain").code == 78
    assert command("explain", PILLARBOX_CONFIG=str(other)).code == 0


EXITS = [
    ({}, ["send", "--user", "anna"], 0),
    ({}, ["send", "--user", "carl"], 78),
    ({}, ["send", "--user", "nobody"], 78),
    ({"rcpt": Reply(550, "5.1.1 no such user")}, ["send", "--user", "anna"], 65),
    ({"rcpt": Reply(450, "4.2.1 busy")}, ["send", "--user", "anna"], 75),
    ({"connect": Cut()}, ["send", "--user", "anna"], 75),
    ({"dot": Cut()}, ["send", "--user", "anna"], 70),
]


@pytest.mark.parametrize(
    ("script", "arguments", "code"), EXITS, ids=[f"{list(s)}-{a[-1]}-{c}" for s, a, c in EXITS]
)
@pytest.mark.parametrize("as_json", [False, True])
def test_the_exit_code_says_what_to_do_next(command, tmp_path, script, arguments, code, as_json):
    """The table of the errors, on the command's line; with --json one document, whatever happens."""
    with ScriptedServer(at=script) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = command(
            *arguments, "--to", "ap@customer.example", "--subject", "s", *(["--json"] if as_json else [])
        )
    assert done.code == code, done
    if as_json:
        assert done.json["error"]["exit"] == code if code else done.json["receipt"]
    elif code:
        assert done.out == ""
        assert done.err


def test_a_servers_escapes_never_reach_the_terminal(command, tmp_path):
    """Quoted, without escape, bidirectional and control characters (rule 39)."""
    with ScriptedServer(at={"rcpt": Reply(550, "\x1b[31m\u202eevil\x07")}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = command("send", "--user", "anna", "--to", "a@b.example", "--subject", "s")
    assert done.code == 65
    assert "evil" in done.err
    assert not {"\x1b", "\u202e", "\x07"} & set(done.err + done.out)


def test_a_settings_files_escapes_never_reach_the_terminal(command, tmp_path):
    """A file that somebody sent is not to be trusted either."""
    write(tmp_path, '[company]\n"\\u001b[31mred" = 1\nname = "\\u001b[32mgreen"\n')
    done = command("explain")
    assert done.code == 78
    assert "\x1b" not in done.err
