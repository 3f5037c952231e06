"""A program that PyInstaller bundled: its methods are found by their entry points, its vault seals, and it sends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pillarbox.testing.smtp_server import ScriptedServer

from .conftest import Environment, run

pytestmark = [pytest.mark.dist, pytest.mark.xdist_group("frozen"), pytest.mark.timeout(600)]
PROGRAM = """\
import sys
from pillarbox import Mailer, Message
from pillarbox.cli import main

if sys.argv[1:2] == ["invoice"]:
    with Mailer.open("pillarbox.toml") as mailer:
        message = Message(to="ap@customer.example", subject="Invoice 1001", text="Good morning")
        print(mailer.send(message, user="anna").detail)
else:
    main()
"""
CONFIG = """\
[company]
address = "orders@acme.example"
method = "smtp"
[company.smtp]
server = "127.0.0.1"
port = {port}
encryption = "none"
username = "orders@acme.example"
password = {{ vault = "smtp" }}
[users.anna]
address = "anna@acme.example"
name = "Anna Berg"
"""


@pytest.fixture(scope="module", params=["--onedir", "--onefile"])
def bundled(request, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, bundled from an environment with SMTP, the vault and the command; no option names anything of ours."""
    folder = tmp_path_factory.mktemp("frozen")
    made = _environment(wheels, tmp_path_factory)
    (folder / "invoices.py").write_text(PROGRAM)
    call = [made.bin / "python", "-m", "PyInstaller", request.param, "--log-level", "ERROR", "invoices.py"]
    done = run(*call, cwd=folder, env={"PYINSTALLER_CONFIG_DIR": str(folder / "cache")})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist" / ("invoices/invoices" if request.param == "--onedir" else "invoices")


_made: list[Environment] = []


def _environment(wheels: Path, factory: pytest.TempPathFactory) -> Environment:
    """Return the one environment of both bundles."""
    if not _made:
        _made.append(Environment(factory.mktemp("bundler")))
        _made[0].install(wheels, "pillarbox[cli]", "pillarbox-smtp", "pillarbox-vault[cli]", "pyinstaller")
    return _made[0]


def called(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the bundled program in an empty folder, with no Python of this machine within its reach."""
    kept = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_sends_with_what_its_plugins_keep(bundled: Path, tmp_path: Path) -> None:
    """The command works in it; the method is found by its entry point; the password comes out of the sealed vault."""
    tmp_path.chmod(0o700)
    users = {"orders@acme.example": "s3cret-word"}
    with ScriptedServer(users=users) as server:
        config = tmp_path / "pillarbox.toml"
        config.write_text(CONFIG.format(port=server.port))
        config.chmod(0o600)
        listed = called(bundled, tmp_path, "--json", "methods")
        assert listed.returncode == 0, listed.stderr
        (smtp,) = [one for one in json.loads(listed.stdout) if one["name"] == "smtp"]
        assert (smtp["distribution"], smtp["version"]) == ("pillarbox-smtp", "0.1.0")
        made = called(bundled, tmp_path, "vault", "init", "--key-file", str(tmp_path / "key"))
        assert made.returncode == 0, made.stderr
        (tmp_path / "password").write_text("s3cret-word\n")
        (tmp_path / "password").chmod(0o600)
        kept = called(bundled, tmp_path, "company", "set", "--password-file", str(tmp_path / "password"))
        assert kept.returncode == 0, kept.stderr
        sent = called(bundled, tmp_path, "invoice")
        assert sent.returncode == 0, sent.stderr
    (mail,) = server.accepted
    assert b"From: Anna Berg <anna@acme.example>" in mail.content


def test_the_rest_of_the_command_goes_along(bundled: Path, tmp_path: Path) -> None:
    """What is imported by its name alone, and the files of the template."""
    helped = called(bundled, tmp_path, "suggest", "--help")
    assert "Say which methods fit an address" in helped.stdout, helped.stderr
    written = called(bundled, tmp_path, "new-transport", "pigeon")
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "pillarbox-pigeon" / "pyproject.toml").exists()
