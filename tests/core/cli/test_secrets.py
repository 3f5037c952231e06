"""Secrets at the command line: never an argument, never shown, kept only once the settings are known to be good."""

from __future__ import annotations

import json
import os
import threading

import pytest

from tests import access, systems

from .conftest import write

SIGN_IN = ["company", "set", "--authenticate", "--username", "orders@acme.example"]


@pytest.fixture
def vault(settings, invoke):
    """A vault with a key, beside the settings."""
    assert invoke("vault", "init", "--key-file", "vault.key").code == 0


def entries(invoke) -> list[str]:
    return [row["name"] for row in invoke("vault", "list", "--json").json]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--set", "password=hunter2"], 78, "can't stand in the settings in clear"),
        (["--password=hunter2"], 64, "--password takes no value: the password is asked for, hidden."),
        (["--password", "hunter2"], 64, "--password takes no value: the password is asked for, hidden."),
    ],
)
def test_a_literal_password_is_not_an_option(invoke, settings, arguments, code, said):
    """Neither as the flag's value nor by --set; and it is not repeated."""
    before = settings.read_bytes()
    done = invoke(*SIGN_IN, *arguments)
    assert (done.code, said in done.err) == (code, True)
    assert "hunter2" not in done.out + done.err
    assert settings.read_bytes() == before


def test_a_variable_is_only_referred_to(invoke, settings):
    """It need not be set yet."""
    assert invoke(*SIGN_IN, "--password-env", "NOT_SET_YET").code == 0
    assert 'password = {env = "NOT_SET_YET"}' in settings.read_text()


def test_a_password_file_is_made_owner_only_from_a_pipe(command, settings, tmp_path):
    """One line; the settings hold its absolute path, since they are read from any folder."""
    done = command(*SIGN_IN, "--password-file", "pw", stdin="hunter2\nmore\n")
    assert done.code == 0, done.err
    assert (tmp_path / "pw").read_text() == "hunter2\n"
    assert access.mode(tmp_path / "pw") == 0o600
    assert f"file = {json.dumps(str(tmp_path / 'pw'))}" in settings.read_text()
    assert "hunter2" not in done.out + done.err + settings.read_text() + command("company", "show").out


def test_a_password_file_that_exists_is_only_referred_to(invoke, settings, tmp_path):
    """Nothing is asked, and nothing is overwritten."""
    (tmp_path / "pw").write_text("hunter2\n")
    assert invoke(*SIGN_IN, "--password-file", "pw", stdin="other\n").code == 0
    assert (tmp_path / "pw").read_text() == "hunter2\n"


@pytest.mark.parametrize(
    ("stdin", "said"),
    [("", "none was given"), ("\n", "none was given"), (b"\xff\n", "not UTF-8"), ("x" * 70_000, "KiB")],
)
def test_what_is_no_password_is_refused(invoke, settings, tmp_path, stdin, said):
    """Nothing is written."""
    before = settings.read_bytes()
    done = invoke(*SIGN_IN, "--password-file", "pw", stdin=stdin)
    assert (done.code, said in done.err) == (64, True)
    assert not (tmp_path / "pw").exists()
    assert settings.read_bytes() == before


def test_nothing_is_asked_or_kept_for_settings_that_can_not_be_saved(invoke, settings, tmp_path):
    """The problems come first."""
    done = invoke(
        "company", "set", "--authenticate", "--username", "apikey", "--password-file", "pw", stdin="x\n"
    )
    assert (done.code, "username_differs" in done.err) == (78, True)
    assert not (tmp_path / "pw").exists()


def test_a_password_file_is_taken_back_when_the_settings_changed_meanwhile(terminal, settings, tmp_path):
    """While a person types somebody else saves: Changed, exit 78, nothing left behind."""
    screen = terminal(*SIGN_IN, "--password-file", "pw")
    screen.until("Password: ")
    settings.write_text(settings.read_text().replace("Acme Ltd", "Acme AG"))
    screen.type("hunter2")
    screen.until("confirmation: ")
    screen.type("hunter2")
    assert screen.end() == 78
    assert "was changed meanwhile" in screen.shown
    assert not (tmp_path / "pw").exists()
    assert "Acme AG" in settings.read_text()


def test_a_typed_password_is_not_echoed(terminal, settings, tmp_path):
    """On a terminal it is asked for twice, hidden; two that differ are asked for again."""
    screen = terminal(*SIGN_IN, "--password-file", "pw")
    for prompt, answer in (("Password: ", "hunter2"), ("confirmation: ", "hunter3"), ("Password: ", "hunter2"), ("confirmation: ", "hunter2")):  # fmt: skip
        screen.until(prompt)
        screen.type(answer)
    assert screen.end() == 0, screen.shown
    assert "hunter" not in screen.shown
    assert (tmp_path / "pw").read_text() == "hunter2\n"


def test_without_a_vault_the_ways_out_are_named(command, settings):
    """One pip line, a variable, a file; exit 69, nothing asked, nothing written."""
    before = settings.read_bytes()
    done = command(*SIGN_IN, "--password", stdin="hunter2\n", PILLARBOX_PLUGINS="pillarbox-smtp")
    assert done.code == 69
    for way in ("pip install pillarbox-vault", "--password-env NAME", "--password-file PATH"):
        assert way in done.err
    assert settings.read_bytes() == before


def test_a_vault_without_a_key_is_told_before_anything_is_typed(terminal, settings):
    """Nobody types a password for nothing."""
    for arguments in ([*SIGN_IN, "--password"], ["vault", "set", "company"]):
        screen = terminal(*arguments)
        assert screen.end() == 69
        assert "pillarbox vault init" in screen.shown
        assert "Password:" not in screen.shown


def test_a_password_is_kept_in_the_vault(invoke, settings, vault):
    """Under the record's own name, never in the settings."""
    done = invoke(*SIGN_IN, "--password", stdin="hunter2\n")
    assert done.code == 0, done.err
    assert 'password = {vault = "smtp"}' in settings.read_text()
    assert entries(invoke) == ["company/company/smtp"]
    assert "hunter2" not in done.out + done.err


def test_the_vault_keeps_the_password_where_no_other_secret_is_named(invoke, settings, vault):
    """SMTP has several; a name that is none of them is told."""
    invoke(*SIGN_IN, "--password-env", "NOT_SET_YET")
    done = invoke("vault", "set", "company", stdin="hunter2\n")
    assert (done.code, done.out) == (0, "Kept the password of Acme Ltd.\n")
    done = invoke("vault", "set", "company", "--field", "paswrd", stdin="hunter2\n")
    assert (done.code, entries(invoke)) == (78, ["company/company/smtp"])
    assert "no secret called paswrd. Name one with --field: password, " in done.err


def test_a_method_without_secrets_has_none_to_keep(invoke, settings, vault):
    """It is said, rather than asked for a name."""
    invoke("company", "set", "--method", "none")
    assert "no secret to keep: the method is none" in invoke("vault", "set", "company", stdin="x\n").err


def test_init_keeps_a_password_in_the_vault(invoke, settings, vault, tmp_path):
    """Although there are no settings yet."""
    settings.rename(tmp_path / "old.toml")
    done = invoke("init", "--address", "orders@acme.example", "--method", "smtp", "--server", "s.example", "--username", "orders@acme.example", "--password", stdin="hunter2\n")  # fmt: skip
    assert done.code == 0, done.err
    assert entries(invoke) == ["company/company/smtp"]


def test_a_change_of_server_says_that_the_password_stays_behind(invoke, settings, vault):
    """It is released to nobody else (rule 36): until it is entered again."""
    invoke(*SIGN_IN, "--password", stdin="hunter2\n")
    warning = (
        "Warning: The vault holds no password for these settings. Enter it: pillarbox company set --password"
    )
    assert warning in invoke("company", "set", "--server", "127.0.0.2").out
    assert warning in invoke("company", "set", "--server", "127.0.0.2", "--json").out.replace("The vault", "Warning: The vault")  # fmt: skip
    assert warning not in invoke("company", "set", "--password", stdin="hunter2\n").out


def test_renaming_and_removing_a_user_takes_the_vault_along(invoke, settings, vault):
    """Moved with the id, destroyed with the user."""
    invoke("user", "add", "otto", "--address", "otto@acme.example", "--settings", "personal", "--method", "smtp", "--server", "x.example", "--username", "otto@acme.example", "--password", stdin="pw\n")  # fmt: skip
    assert entries(invoke) == ["company/user:otto/smtp"]
    assert invoke("user", "rename", "otto", "karl").code == 0
    assert entries(invoke) == ["company/user:karl/smtp"]
    assert "Warning" not in invoke("user", "set", "karl", "--name", "Karl").out
    assert invoke("user", "remove", "karl", "--yes").code == 0
    assert entries(invoke) == []


def test_two_who_write_at_once_lose_nothing(command, settings):
    """One of them is told that it was changed meanwhile, or both are kept."""
    codes: dict[str, int] = {}

    def add(name: str) -> None:
        codes[name] = command("user", "add", name).code

    threads = [threading.Thread(target=add, args=(name,)) for name in ("otto", "karl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {"otto": 0, "karl": 0}
    assert {"otto", "karl"} <= {user["id"] for user in command("user", "list", "--json").json}


def test_a_settings_file_that_others_can_write_is_refused(invoke, tmp_path):
    """Rule 40, for every command that reads it."""
    access.give(write(tmp_path, "[company]\n"), 0o666)
    for arguments in (["explain"], ["company", "set", "--name", "x"], ["user", "list"]):
        done = invoke(*arguments)
        assert (done.code, "can be written by others" in done.err) == (78, True)
        assert ("icacls" if systems.WINDOWS else "chmod go-w") in done.err


def test_a_password_file_in_a_folder_that_is_not_there_is_a_sentence(invoke, settings):
    """Exit 78, nothing written."""
    before = settings.read_bytes()
    done = invoke(*SIGN_IN, "--password-file", "missing/pw", stdin="hunter2\n")
    assert (done.code, f"missing{os.sep}pw can't be written: no such file or directory." in done.err) == (
        78,
        True,
    )
    assert settings.read_bytes() == before
