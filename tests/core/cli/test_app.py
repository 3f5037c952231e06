"""The command as a whole: help, where the settings are, commands of others, and what it costs to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systems import WINDOWS

from .conftest import START, environment

COMMANDS = ["demo", "init", "methods", "company", "user", "explain", "check", "send"]
PAGES = [
    *COMMANDS,
    "company show",
    "company set",
    *(f"user {name}" for name in ("list", "show", "add", "set", "rename", "remove")),
]
HEAVY = {
    "aiosmtpd", "asyncio", "attr", "attrs", "cattrs", "email", "importlib.metadata", "logging", "pillarbox._plugins",
    "pillarbox_smtp", "pillarbox_vault", "pluggy", "rich", "socket", "ssl", "structlog", "tomlkit", "tomllib",
}  # fmt: skip


def test_help_names_every_command_and_the_exit_codes(command):
    """What a newcomer reads first, also without a word."""
    done = command("--help")
    assert done.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in done.out] == []
    assert "  78   the settings have to be mended" in done.out
    assert command() == done


def test_help_imports_nothing_heavy():
    """No plugin, no entry points, no structlog, attrs, cattrs, rich: help costs next to nothing."""
    code = f"import sys\ntry:\n {START.replace('; ', chr(10) + ' ')}\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("Usage: pillarbox")
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_commands_help_teaches_by_example(invoke, page):
    """Without a settings file too."""
    done = invoke(*page.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert f"  pillarbox {page}" in done.out.partition("Example")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explian"], "There is no command explian. Did you mean explain?"),
        (["valt"], "Did you mean vault?"),
        (["send"], "Missing option '--subject'"),
        (["check", "--acount", "company"], "--account"),
        (["company", "set", "--sever", "x"], "--server"),
        (["user", "add"], "Missing argument 'USER'"),
        (["user", "list", "--limit", "0"], "not in the range"),
        (["company", "set", "--port", "many"], "not a valid integer"),
    ],
)
def test_a_mistake_in_the_call_is_64_with_a_guess(invoke, settings, arguments, said):
    """On standard error, nothing on standard output."""
    done = invoke(*arguments)
    assert (done.code, done.out) == (64, "")
    assert said in " ".join(done.err.split())


def test_a_command_of_another_distribution_says_which(invoke, monkeypatch):
    """One pip line, exit 69; only for names that are ours."""
    monkeypatch.setenv("PILLARBOX_PLUGINS", "pillarbox-smtp")  # as where it is not installed
    done = invoke("web")
    assert done.code == 69
    assert "pip install pillarbox-web" in done.err


def test_a_plugins_command_is_one_of_ours(command, tmp_path):
    """Brought by the entry-point group pillarbox.commands, with the settings and the printing of ours."""
    (tmp_path / "strange.py").write_text(
        "import click\nfrom pillarbox.cli import say\n"
        "@click.command()\n@click.pass_obj\ndef hello(state): say(f'Hello {state.config}')\n"
    )
    install(tmp_path, "[pillarbox.commands]\nhello = strange:hello\n")
    done = command("--config", "x.toml", "hello", PYTHONPATH=str(tmp_path))
    assert (done.code, done.out) == (0, "Hello x.toml\n")


def test_a_broken_plugins_command_is_a_sentence(command, tmp_path):
    """With the distribution to reinstall or remove."""
    (tmp_path / "strange.py").write_text("import nothing_like_this\n")
    install(tmp_path, "[pillarbox.commands]\nhello = strange:hello\n")
    done = command("hello", PYTHONPATH=str(tmp_path))
    assert done.code == 69
    assert "Reinstall or remove strange." in done.err
    assert command("methods", PYTHONPATH=str(tmp_path)).code == 0


def test_without_click_the_cure_is_one_line():
    """Exit 69."""
    code = f"import sys; sys.modules['click'] = None; {START}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69
    assert (
        done.stderr
        == "The pillarbox command needs click and rich. Install them with: pip install 'pillarbox[cli]'\n"
    )


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("rich", ["methods"]),
        ("aiosmtpd", ["demo"]),
        ("tomlkit", ["company", "set", "--name", "Acme AG"]),
        ("tomlkit", ["--config", "new.toml", "init", "--name", "Acme AG"]),
    ],
)
def test_a_missing_part_is_one_pip_line(settings, module, arguments):
    """Exit 69, nothing changed."""
    before = settings.read_bytes()
    code = f"import sys; sys.modules[{module!r}] = None; {START}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=settings.parent, env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'pillarbox[cli]'" in done.stderr
    assert settings.read_bytes() == before


def test_a_missing_settings_file_says_how_to_write_one(invoke):
    """Exit 78, and the command with the path that was looked for."""
    done = invoke("--config", "elsewhere.toml", "explain")
    assert done.code == 78
    assert "pillarbox --config elsewhere.toml init" in done.err


def test_the_config_can_stand_in_the_environment(command, settings):
    """PILLARBOX_CONFIG."""
    other = settings.rename(settings.with_name("other.toml"))
    assert command("explain").code == 78
    assert command("explain", PILLARBOX_CONFIG=str(other)).code == 0


def test_a_reader_who_leaves_is_no_error_to_tell(settings):
    """`pillarbox ... | head`: silence on standard error."""
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", START, "explain", "anna"],
        cwd=settings.parent, env=environment(), stdout=written, stderr=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    os.close(written)
    assert (done.returncode, done.stderr) == (1, b"")


def run_into(settings, stdout, *more, shell: str = ""):
    send = ["send", "--to", "ap@customer.example", "--subject", "x", "--text", "y", *more]
    code = [sys.executable, "-c", START, *send]
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", *code]
    return subprocess.run(
        command, cwd=settings.parent, env=environment(), stdout=stdout, stderr=subprocess.PIPE, timeout=60
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes descriptors: run elsewhere")
def test_a_mail_is_sent_with_every_stream_closed(settings, server):
    """As a program is started that shall print nothing; exit code 1 would let it be sent again."""
    assert run_into(settings, None, shell="<&- >&- 2>&-").returncode == 0
    assert len(server.accepted) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on what a process may write: run elsewhere")
def test_a_transcript_that_can_not_be_written_changes_no_outcome(settings, server):
    """A disk that is full by then: the mail is out, and a warning says what is missing."""
    full = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); "
    )
    send = [
        "send",
        "--to",
        "ap@customer.example",
        "--subject",
        "x",
        "--text",
        "y",
        "--transcript",
        "talk.txt",
    ]
    done = subprocess.run(
        [sys.executable, "-c", full + START, *send],
        cwd=settings.parent, env=environment(), capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout[:11]) == (0, b"Accepted by")
    assert b"Warning: The transcript talk.txt is not whole: file too large." in done.stderr
    assert len(server.accepted) == 1


@pytest.mark.skipif(
    WINDOWS or not Path("/dev/full").exists(), reason="needs a device that is full: run under Linux"
)
def test_a_full_disk_behind_standard_output_is_told_from_a_mail_that_was_not_sent(settings, server):
    """The mail is out, which is said where it can be."""
    with Path("/dev/full").open("wb") as full:
        done = run_into(settings, full)
        failed = run_into(settings, full, "--user", "nobody", "--json")
    assert (done.returncode, failed.returncode) == (74, 78)
    assert failed.stderr.startswith(b"There is no user 'nobody'.")
    assert done.stderr.startswith(b"What was done can't be printed: no space left")
    assert len(server.accepted) == 1


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_pipe_of_few_letters_is_no_trouble(command, settings, encoding):
    """As Windows' are: a ? stands for what they lack, and JSON has it all."""
    settings.write_text(settings.read_text("utf-8").replace("Anna Berg", "Łucja Żak"), "utf-8")
    done = command("user", "show", "anna", PYTHONIOENCODING=encoding)
    assert (done.code, "?ucja ?ak" in done.out) == (0, True)
    done = command("user", "show", "anna", "--json", PYTHONIOENCODING=encoding)
    assert done.json["name"] == "Łucja Żak"


def test_the_version_is_the_distributions(invoke):
    """For reports of faults."""
    from importlib.metadata import version

    assert invoke("--version").out == f"pillarbox {version('pillarbox')}\n"


def install(folder, entry_points: str) -> None:
    """Make *folder* hold a distribution `strange` with these entry points."""
    info = folder / "strange-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1\n")
    (info / "entry_points.txt").write_text(entry_points)
