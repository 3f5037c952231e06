"""A command in an empty folder, with its exit code and what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from pillarbox.testing import ScriptedServer

COMPANY = """\
# ours
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "smtp"

[company.smtp]
server = "127.0.0.1"  # this machine
port = {port}
encryption = "none"
authenticate = false
timeout = 5

[users.anna]
address = "anna@acme.example"
name = "Anna Berg"

[users.carl]
name = "Carl Weber"
settings = "personal"
"""


@attrs.frozen
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Done]:
    """Return a function that runs `pillarbox` with arguments in an empty folder."""

    def run(*arguments: str, stdin: str = "", **env: str) -> Done:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PILLARBOX")}
        environment |= {"COLUMNS": "100", "NO_COLOR": "1", **env}
        done = subprocess.run(
            [sys.executable, "-c", "from pillarbox.cli import main; main()", *arguments],
            cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, server: ScriptedServer) -> Path:
    """A settings file with a company at the scripted server, Anna (From company) and Carl (Personal, None)."""
    return write(tmp_path, COMPANY.format(port=server.port))


def write(folder: Path, text: str) -> Path:
    path = folder / "pillarbox.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path
