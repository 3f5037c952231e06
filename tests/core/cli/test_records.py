"""init, company, user: settings from the command line, nothing lost, secrets never shown."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys

from .conftest import write


def test_init_writes_an_owner_only_file_and_says_what_will_happen(command, tmp_path):
    """And what to do next."""
    done = command("init", "--address", "orders@acme.example", "--name", "Acme Ltd", "--method", "smtp", "--server", "s.example", "--username", "orders@acme.example", "--password-env", "PW")  # fmt: skip
    assert done.code == 0, done.err
    assert "sends through its own SMTP account" in done.out
    assert stat.S_IMODE((tmp_path / "pillarbox.toml").stat().st_mode) == 0o600
    assert command("explain").code == 0


def test_init_overwrites_nothing(command, settings):
    """Exit 78, the file as it was."""
    before = settings.read_bytes()
    done = command("init", "--method", "none")
    assert (done.code, "exists already" in done.err) == (78, True)
    assert settings.read_bytes() == before


def test_set_keeps_comments_and_what_is_not_named(command, settings):
    """One field changes; nothing else does."""
    before = settings.read_text()
    done = command("company", "set", "--name", "Acme AG")
    assert done.code == 0, done.err
    assert settings.read_text() == before.replace("Acme Ltd", "Acme AG")


def test_several_problems_are_told_at_once_and_nothing_is_written(command, settings):
    """With a guess at misspelt fields."""
    before = settings.read_bytes()
    done = command("company", "set", "--port", "99999", "--set", "sever=x")
    assert done.code == 78
    assert "did you mean server?" in done.err
    assert "not 99999" in done.err
    assert settings.read_bytes() == before


def test_a_strange_field_can_be_set_and_unset(command, settings):
    """--set takes any field of the method, --unset puts it back."""
    assert command("company", "set", "--set", "connections=5").code == 0
    assert "connections = 5" in settings.read_text()
    assert command("company", "set", "--unset", "connections").code == 0
    assert "connections" not in settings.read_text()


def test_booleans_can_be_said_both_ways(command, settings):
    """--authenticate, --no-authenticate."""
    done = command(
        "company", "set", "--authenticate", "--username", "orders@acme.example", "--password-env", "PW"
    )
    assert done.code == 0, done.err
    assert "authenticate = true" in settings.read_text() or "authenticate" not in settings.read_text()
    assert command("company", "set", "--no-authenticate").code == 0
    assert "authenticate = false" in settings.read_text()


def test_choosing_the_encryption_sets_the_port(command, tmp_path):
    """Unless it was set (rule 15)."""
    write(
        tmp_path,
        '[company]\naddress="a@b.example"\nmethod="smtp"\n[company.smtp]\nserver="s.example"\nauthenticate=false\n',
    )
    command("company", "set", "--encryption", "tls")
    assert "s.example:465, TLS required" in command("explain").out
    command("company", "set", "--port", "2525")
    command("company", "set", "--encryption", "starttls")
    assert "s.example:2525, STARTTLS required" in command("explain").out


def test_the_settings_of_another_method_are_kept(command, settings):
    """Switching back needs nothing typed again."""
    command("company", "set", "--method", "none")
    assert 'server = "127.0.0.1"' in settings.read_text()
    assert command("explain", "anna").code == 78
    command("company", "set", "--method", "smtp")
    assert command("explain", "anna").code == 0


def test_a_users_life(command, settings):
    """Added, shown, set, renamed, removed."""
    assert command("user", "add", "otto", "--address", "otto@acme.example", "--name", "Otto Lind").code == 0
    assert command("user", "add", "otto").code == 78
    assert "Personal, None" in command("user", "list").out
    done = command(
        "user",
        "set",
        "otto",
        "--settings",
        "personal",
        "--method",
        "smtp",
        "--server",
        "x.example",
        "--no-authenticate",
    )
    assert done.code == 0, done.err
    assert "Otto Lind <otto@acme.example> sends through their own SMTP account." in done.out
    assert command("user", "show", "otto", "--json").json["smtp"] == {
        "server": "x.example",
        "authenticate": False,
    }
    assert command("user", "rename", "otto", "karl").code == 0
    assert command("user", "show", "otto").code == 78
    assert command("user", "remove", "karl", stdin="n\n").code == 130
    assert command("user", "remove", "karl", "--yes").code == 0
    assert [user["id"] for user in command("user", "list", "--json").json] == ["anna", "carl"]


def test_a_long_list_comes_in_pages(command, settings):
    """And can be searched."""
    done = command("user", "list", "--limit", "1")
    assert "pillarbox user list --after anna" in done.out
    assert [user["id"] for user in command("user", "list", "--after", "anna", "--json").json] == ["carl"]
    assert [user["id"] for user in command("user", "list", "--search", "weber", "--json").json] == ["carl"]


def test_a_username_that_is_not_the_address_is_refused_when_saved(command, settings):
    """Rule 16, with the opt-out named."""
    done = command("company", "set", "--authenticate", "--username", "apikey", "--password-env", "PW")
    assert done.code == 78
    assert "username_differs" in done.err


def test_a_literal_password_is_not_an_option(command, settings):
    """Neither as the flag's value nor by --set."""
    done = command(
        "company", "set", "--authenticate", "--username", "orders@acme.example", "--set", "password=hunter2"
    )
    assert done.code == 78
    assert "hunter2" not in done.err + done.out + settings.read_text()


def test_a_password_file_is_made_owner_only_and_never_shown(command, settings, tmp_path):
    """From a pipe here; one that exists is only referred to."""
    arguments = [
        "company",
        "set",
        "--authenticate",
        "--username",
        "orders@acme.example",
        "--password-file",
        "pw",
    ]
    done = command(*arguments, stdin="hunter2\n")
    assert done.code == 0, done.err
    assert (tmp_path / "pw").read_text() == "hunter2\n"
    assert stat.S_IMODE((tmp_path / "pw").stat().st_mode) == 0o600
    assert command(*arguments, stdin="other\n").code == 0
    assert (tmp_path / "pw").read_text() == "hunter2\n"
    assert "hunter2" not in done.out + done.err + settings.read_text() + command("company", "show").out


def test_a_typed_password_is_not_echoed(settings, tmp_path):
    """On a terminal it is asked for twice, hidden."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(tmp_path)
        code = "from pillarbox.cli import main; main()"
        arguments = [
            "company",
            "set",
            "--authenticate",
            "--username",
            "orders@acme.example",
            "--password-file",
            "pw",
        ]
        os.execv(sys.executable, [sys.executable, "-c", code, *arguments])
    shown = b""
    for prompts in (1, 2):
        while shown.count(b":") < prompts:
            shown += os.read(terminal, 1024)
        os.write(terminal, b"hunter2\n")
    try:
        while block := os.read(terminal, 1024):
            shown += block
    except OSError:
        pass  # the terminal is gone when the child has ended
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert b"hunter2" not in shown
    assert (tmp_path / "pw").read_text() == "hunter2\n"


def test_a_third_partys_method_gets_options_for_nothing(tmp_path):
    """Drawn from its settings class."""
    (tmp_path / "strange.py").write_text(
        "import attrs\nfrom pillarbox import Transport\nfrom pillarbox.settings import setting\n"
        "@attrs.frozen\nclass S:\n    flavour: str = setting('plain', help='How it tastes.')\n"
        "class T(Transport):\n    settings: S\n    label = 'Strange'\n    def send(self, s, j): ...\n"
    )
    info = tmp_path / "strange-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pillarbox.transports]\nstrange = strange:T\n")
    run = [
        sys.executable,
        "-c",
        "from pillarbox.cli import main; main()",
        "init",
        "--address",
        "a@b.example",
        "--method",
        "strange",
    ]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    helped = subprocess.run(
        [*run, "--help"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert "How it tastes." in helped.stdout
    done = subprocess.run(
        [*run, "--flavour", "sour"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert 'flavour = "sour"' in (tmp_path / "pillarbox.toml").read_text()
