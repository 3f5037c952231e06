"""The command in an empty folder: as a process, in this process, and on a terminal."""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from pillarbox.cli._app import run
from pillarbox.testing import ScriptedServer
from tests import access, systems

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
START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pillarbox.cli import main; main()"
PATIENCE = 30.0


@attrs.frozen
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def environment(**env: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PILLARBOX")}
    return {**kept, "COLUMNS": "100", "NO_COLOR": "1", **env}


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Done]:
    """Return a function that runs `pillarbox` as a process of its own in an empty folder."""

    def run_process(*arguments: str, stdin: str | bytes = "", **env: str) -> Done:
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            cwd=tmp_path, env=environment(**env), input=given, capture_output=True, timeout=60,
        )  # fmt: skip
        out, err = (text.decode().replace(os.linesep, "\n") for text in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return Done(done.returncode, out, err)

    return run_process


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Callable[..., Done]:
    """Return a function that runs the command in this process, in the same folder: for the many cases."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PILLARBOX")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")

    def run_here(*arguments: str, stdin: str | bytes = "") -> Done:
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
        capsys.readouterr()
        code = run(arguments)
        out, err = (text.replace(os.linesep, "\n") for text in capsys.readouterr())
        return Done(code, out, err)

    return run_here


class Terminal:
    """The command on a terminal of 80 columns: what it shows, and what is typed.

    Attributes:
        shown: What has appeared so far.
        process: The command.
    """

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        variables = {
            name: value for name, value in environment(TERM="xterm", **env).items() if name != "COLUMNS"
        }
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *arguments],
            cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def until(self, text: str) -> None:
        """Wait until *text* has appeared behind what was waited for before."""
        seen = len(self.shown)
        give_up = time.monotonic() + PATIENCE
        while text not in self.shown[seen:]:
            assert time.monotonic() < give_up, self.shown
            assert self._read(give_up), self.shown

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until the command ends: a signal just before the wait for a key waits with it."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            give_up = time.monotonic() + PATIENCE / 10
            while time.monotonic() < give_up:
                if self.process.poll() is not None:
                    return
                self._read(min(give_up, time.monotonic() + 0.05))

    def end(self) -> int:
        """Wait for the end of the command and return its exit code."""
        give_up = time.monotonic() + PATIENCE
        while self._read(give_up):
            assert time.monotonic() < give_up, self.shown
        return self.process.wait(PATIENCE)

    def _read(self, give_up: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, give_up - time.monotonic()))[0]:
            return False
        try:
            block = os.read(self._ours, 4096)
        except OSError:  # the other end is gone
            return False
        self.shown += block.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(block)

    @property
    def visible(self) -> list[str]:
        """The lines without what colours them."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.shown).splitlines()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts the command on a terminal."""
    if systems.WINDOWS:
        pytest.skip(systems.NO_TERMINALS)
    started = []

    def start(*arguments: str, **env: str) -> Terminal:
        started.append(Terminal(tmp_path, *arguments, **env))
        return started[-1]

    yield start
    for one in started:
        one.close()


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
    access.give(path, 0o600)
    return path
