"""`pillarbox init`: a settings file, asked for or given; nothing lost."""

from __future__ import annotations

import os

from tests import access

GIVEN = ["--address", "orders@acme.example", "--name", "Acme Ltd", "--method", "smtp", "--server", "s.example", "--username", "orders@acme.example"]  # fmt: skip


def test_init_writes_an_owner_only_file_and_says_what_will_happen(command, tmp_path):
    """And what to do next."""
    done = command("init", *GIVEN, "--password-env", "PW")
    assert (done.code, done.err) == (0, "")
    assert "sends through its own SMTP account" in done.out
    assert "  pillarbox check " in done.out
    assert access.mode(tmp_path / "pillarbox.toml") == 0o600
    assert command("explain").code == 0


def test_init_overwrites_nothing(invoke, settings):
    """Exit 78, the file as it was."""
    before = settings.read_bytes()
    done = invoke("init", "--method", "none")
    assert (done.code, "exists already" in done.err) == (78, True)
    assert settings.read_bytes() == before


def test_init_writes_nothing_on_a_problem(invoke, tmp_path):
    """Every problem at once."""
    done = invoke("init", "--address", "nonsense", "--method", "smtp", "--port", "0", "--no-authenticate")
    assert done.code == 78
    for path in ("company.address", "company.smtp.port", "company.smtp.server"):
        assert path in done.err
    assert list(tmp_path.iterdir()) == []


def test_init_in_a_folder_that_is_not_there_is_a_sentence(invoke, tmp_path):
    """Exit 78."""
    done = invoke("--config", "missing/p.toml", "init", "--name", "Acme")
    assert (done.code, f"missing{os.sep}p.toml can't be written: no such file or directory." in done.err) == (
        78,
        True,
    )


def test_a_company_without_a_method_is_a_beginning(invoke):
    """None is deliberate; what to do about it is said."""
    done = invoke("init", "--name", "Acme Ltd")
    assert done.code == 0
    assert "Acme Ltd can't send: the company's method is None." in done.out
    assert "pillarbox company set --method smtp --help" in done.out


def test_init_tells_programs(invoke):
    """One document."""
    done = invoke("init", *GIVEN, "--password-env", "PW", "--json").json
    assert (done["saved"], done["changed"]) == ("company", True)


def test_the_next_steps_name_the_settings_file(invoke):
    """When it is not the usual one."""
    assert (
        "  pillarbox --config p.toml check "
        in invoke("--config", "p.toml", "init", *GIVEN, "--password-env", "PW").out
    )


def test_init_asks_on_a_terminal(terminal, tmp_path):
    """What is wrong is asked again; the password is hidden and kept owner-only beside the settings."""
    screen = terminal("init", PYTHONPATH="", PILLARBOX_PLUGINS="pillarbox-smtp")
    for prompt, answer in (
        ("The company's name", "Acme Ltd"),
        ("e-mail address: ", "nonsense"),
        ("is not an e-mail address", "orders@acme.example"),
        ("How it sends", ""),
        ("Server: ", "smtp.acme.example"),
        ("Encryption", "tls"),
        ("Port: ", "99999"),
        ("Must be between 1 and 65535, not 99999.", ""),
        ("Authentication required", "y"),
        ("Username [orders@acme.example]: ", ""),
        ("Password: ", "hunter2"),
        ("confirmation: ", "hunter2"),
    ):
        screen.until(prompt)
        screen.type(answer)
    assert screen.end() == 0, screen.shown
    assert "hunter2" not in screen.shown
    secret = tmp_path / "pillarbox.company-smtp-password"
    assert (secret.read_text(), access.mode(secret)) == ("hunter2\n", 0o600)
    text = (tmp_path / "pillarbox.toml").read_text()
    assert 'encryption = "tls"' in text
    assert "port" not in text
    assert f'file = "{secret}"' in text


def test_init_asks_whether_another_user_name_is_meant(terminal, tmp_path):
    """Rule 16; without authentication nothing is asked about signing in."""
    screen = terminal("init", PILLARBOX_PLUGINS="pillarbox-smtp")
    for prompt, answer in (
        ("name", "Acme Ltd"),
        ("address", "orders@acme.example"),
        ("sends", ""),
        ("Server: ", "smtp.acme.example"),
        ("Encryption", ""),
        ("Port", ""),
        ("Authentication", ""),
        ("Username", "apikey"),
        ("differs", "y"),
        ("Password: ", "hunter2"),
        ("confirmation: ", "hunter2"),
    ):
        screen.until(prompt)
        screen.type(answer)
    assert screen.end() == 0, screen.shown
    assert "username_differs = true" in (tmp_path / "pillarbox.toml").read_text()


def test_init_without_authentication_asks_for_no_password(terminal, tmp_path):
    """There is nothing to keep."""
    screen = terminal("init", PILLARBOX_PLUGINS="pillarbox-smtp")
    for prompt, answer in (
        ("name", "Acme Ltd"),
        ("address", "orders@acme.example"),
        ("sends", ""),
        ("Server: ", "127.0.0.1"),
        ("Encryption", "none"),
        ("Port", "2525"),
        ("Authentication", "n"),
    ):
        screen.until(prompt)
        screen.type(answer)
    assert screen.end() == 0, screen.shown
    assert "authenticate = false" in (tmp_path / "pillarbox.toml").read_text()


def test_leaving_in_the_middle_writes_nothing(terminal, tmp_path):
    """Ctrl-C, exit 130."""
    screen = terminal("init")
    screen.until("The company's name")
    screen.type("Acme Ltd")
    screen.until("address")
    screen.interrupt()
    assert screen.end() == 130
    assert list(tmp_path.iterdir()) == []
