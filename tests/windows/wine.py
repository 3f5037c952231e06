"""A Windows of one's own for the length of a block: a Python with packages in it, and a Wine that ends with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import attrs

REPOSITORY = Path(__file__).parents[2]
PYTHON = "3.11"
"""The version that `.ci/install-windows` installs."""
_CURE = "Install it as root with: .ci/install-windows"
_ENDING_SECONDS = 30.0


@attrs.frozen
class Windows:
    """One Windows.

    Attributes:
        folder: Where it lies; it is gone with the block.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter, `python.exe`."""
        return self.folder / "python" / "python.exe"

    @property
    def environment(self) -> dict[str, str]:
        """What a process in it is started with: nothing of this machine's Python, and files of its own for what is cached."""
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "USER") if name in os.environ}
        return kept | {
            "LC_ALL": "C.UTF-8",
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "PYTHONPYCACHEPREFIX": r"C:\pycache",
            "HYPOTHESIS_STORAGE_DIRECTORY": r"C:\hypothesis",
        }

    def command(self, *arguments: str) -> list[str]:
        """Return what starts the Windows Python on *arguments*, to be run with `environment`.

        Its output and its errors have to be pipes, and its input a pipe or nothing: it does not start with a regular file.
        """
        return ["wine", str(self.python), *arguments]

    def install(self, *requirements: str) -> None:
        """Install *requirements*, folders of this repository among them, as pip on Windows would."""
        site = self.python.parent / "Lib" / "site-packages"
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-sources", "--target", str(site)]
        target = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", PYTHON]
        subprocess.run([*uv, *target, *requirements], cwd=REPOSITORY, check=True)

    def run(self, *arguments: str, deadline: float, cwd: Path = REPOSITORY) -> int:
        """Run the Windows Python to its end, showing what it says, and return its exit code.

        Args:
            arguments: Its arguments.
            deadline: Seconds.
            cwd: The folder that it runs in.

        Raises:
            TimeoutError: The *deadline* passed. It was killed, with whatever it had started.
        """
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        shown = threading.Thread(target=_show, args=(process.stdout,), daemon=True)
        shown.start()
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"The Windows Python did not end in {deadline:g} seconds.") from None
        finally:
            self.end()
            process.wait(_ENDING_SECONDS)
            shown.join(_ENDING_SECONDS)  # what outlived it held its output open; nothing does any more

    def end(self) -> None:
        """Kill every process of this Windows, also those whose starter has ended."""
        for option in ("--kill", "--wait"):  # the first fails where none is left
            subprocess.run(["wineserver", option], env=self.environment, timeout=_ENDING_SECONDS, check=False)


def _show(output: IO[bytes]) -> None:
    with output:
        for line in output:
            sys.stdout.buffer.write(line.replace(b"\r\n", b"\n"))
            sys.stdout.buffer.flush()


@contextlib.contextmanager
def opened(*requirements: str) -> Iterator[Windows]:
    """Give a Windows with *requirements* installed, that shares nothing with another; end and remove it afterwards.

    Raises:
        FileNotFoundError: `.ci/install-windows` did not run here.
    """
    installed = Path(os.environ.get("PILLARBOX_WINDOWS", "/var/cache/pillarbox/windows"))
    if not (installed / "made-by").exists():
        raise FileNotFoundError(f"There is no Windows Python in {installed}. {_CURE}")
    with tempfile.TemporaryDirectory(prefix="windows-") as folder, _ended_by_signals():
        windows = Windows(Path(folder))
        shutil.copytree(installed / "python", windows.folder / "python")
        shutil.copytree(installed / "prefix", windows.folder / "prefix", symlinks=True, copy_function=_lent)
        try:
            if requirements:
                windows.install(*requirements)
            yield windows
        finally:
            windows.end()


def _lent(source: str, target: str) -> None:
    """Copy what Wine writes, the registry; link to what it only reads, some 700 MB of programs."""
    if "drive_c" in Path(source).parts:
        Path(target).symlink_to(source)
    else:
        shutil.copy2(source, target)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that no process of Wine's stays behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
