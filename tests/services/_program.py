"""A server program and all that it starts: one group of processes that ends when told to, or when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A shell that runs the program, and kills its whole process group if we are killed before we could.
# The program can't be told itself: the kernel forgets `pdeathsig` when a program changes its user for a moment.
_KEEPER: Final = (
    *("setpriv", "--pdeathsig", "TERM", "/bin/sh", "-c"),
    'trap "kill -KILL 0" TERM; "$@" & wait $!',
    "keeper",
)
_KILL_S: Final = 5.0


class Program:
    """Runs from its creation, in a session of its own, until it ends or `kill`."""

    def __init__(self, command: Sequence[str], folder: Path, output: Path) -> None:
        """Starts the command, with `folder` as its working directory; what it prints goes to `output`."""
        self._folder = folder
        with output.open("wb") as printed:
            self._keeper = subprocess.Popen(
                [*_KEEPER, *command],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=folder,
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Whether the program is over."""
        return self._keeper.poll() is not None

    def pids(self) -> list[int]:
        """The ids of all processes in the program's session, and of those started with a file of its folder."""
        return list(_pids(self._keeper.pid, os.fsencode(self._folder)))

    def kill(self) -> None:
        """Ends all processes at once: a test server has nothing to save.

        Raises:
            TimeoutError: some were still there after five seconds.
        """
        end = time.monotonic() + _KILL_S
        while left := self.pids():
            if time.monotonic() > end:
                raise TimeoutError(f"the processes {left} could not be killed")
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)
        self._keeper.wait(_KILL_S)


def _pids(session: int, folder: bytes) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid, command = int(process.name), (process / "cmdline").read_bytes()
            ended = not command  # a zombie, which its parent or init has still to reap
            if not ended and (os.getsid(pid) == session or folder in command):
                yield pid
