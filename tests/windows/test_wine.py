"""The Windows that tests are run in is one, ends when it should, and takes with it what it started."""

from __future__ import annotations

import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT

import attrs
import pytest

from tests.windows.wine import Windows, opened

pytestmark = pytest.mark.windows


@pytest.fixture(scope="module")
def windows():
    with opened() as running:
        yield running


def test_it_is_the_genuine_python_for_windows(windows, capfdbinary):
    """Not one that was built for Wine: Microsoft's compiler made it."""
    code = windows.run("-c", "import sys; print(sys.platform, sys.version); sys.exit(7)", deadline=60)
    said = capfdbinary.readouterr().out
    assert code == 7
    assert said.startswith(b"win32 3.11.")
    assert b"MSC" in said


def test_a_process_can_be_spoken_with(windows):
    """By its input and its output, as a worker is."""
    command = windows.command("-c", "print(1, flush=True); print(input().upper())")
    with subprocess.Popen(
        command, env=windows.environment, stdin=PIPE, stdout=PIPE, stderr=STDOUT
    ) as process:
        assert process.stdout.readline() == b"1\r\n"
        assert (
            len(processes(Marks.of(windows))) == 2
        )  # itself and Wine's server: they are found while they live
        said, _ = process.communicate("grün\n".encode("cp1252"), timeout=60)
    assert said.decode("cp1252") == "GRÜN\r\n"


def test_what_takes_too_long_is_killed_with_all_that_it_started(windows):
    """Also a child that has left its parent."""
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
    with pytest.raises(TimeoutError, match="in 5 seconds"):
        windows.run("-c", code, deadline=5)
    assert processes(Marks.of(windows)) == []


def test_nothing_is_left_behind():
    """No file, no process, and the installation as it was."""
    with opened() as windows:
        marks = Marks.of(windows)
        windows.run(
            "-c", "import winreg; winreg.CreateKey(winreg.HKEY_CURRENT_USER, 'Software\\\\Ours')", deadline=60
        )
    assert not windows.folder.exists()
    assert processes(marks) == []
    with opened() as another:
        code = "import winreg; winreg.OpenKey(winreg.HKEY_CURRENT_USER, 'Software\\\\Ours')"
        assert another.run("-c", code, deadline=60) == 1


@attrs.frozen
class Marks:
    """What tells the processes of one Windows from all others."""

    folder: str
    server: str

    @classmethod
    def of(cls, windows: Windows) -> Marks:
        """Wine's server runs in a folder that is named after the prefix's device and inode."""
        prefix = (windows.folder / "prefix").stat()
        return cls(str(windows.folder), f"server-{prefix.st_dev:x}-{prefix.st_ino:x}")


def processes(marks: Marks) -> list[str]:
    """Return the command lines of its living processes: Python's, and Wine's server, that all others die with."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            mapped, where = (process / "maps").read_text(), (process / "cwd").readlink()
            if marks.folder in mapped or where.name == marks.server:
                found.append((process / "cmdline").read_text())
        except OSError:  # it ended, or is a kernel's
            continue
    return found
