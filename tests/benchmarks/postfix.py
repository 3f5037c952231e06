"""Postfix's smtp-source as a contender: C, one process a turn, its messages over one connection."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.benchmarks import cases
from tests.benchmarks.harness import Sample
from tests.benchmarks.jobs import Job
from tests.benchmarks.processes import ContenderFailed

SMTP_SOURCE = "smtp-source, ready bytes"


def missing() -> str:
    """Return how to get smtp-source, or "" where it is."""
    return "" if _program() else "missing: apt-get install postfix"


def version() -> str:
    """Return the version of the Postfix that is installed, or "missing"."""
    program = shutil.which("postconf", path=_PATH)
    if program is None:
        return "missing"
    asked = subprocess.run([program, "-d", "-h", "mail_version"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
"""Postfix keeps its programs where a user's PATH often does not lead."""


def _program() -> str | None:
    return shutil.which("smtp-source", path=_PATH)


@contextlib.contextmanager
def contender(job: Job) -> Iterator[SmtpSource]:
    """Yield the contender; it composes nothing and sends the bytes that the others carry too."""
    program = _program()
    if program is None:
        raise FileNotFoundError(missing())
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.eml")
        ready.write_bytes(cases.ready_bytes(cases.case(job.case)).replace(b"\r\n", b"\n"))
        yield SmtpSource(
            (program, "-d", "-F", str(ready), "-f", cases.SENDER, "-t", cases.RECIPIENT), job.port
        )


@attrs.frozen
class SmtpSource:
    """The program, started once a turn: connecting and greeting are part of its turn."""

    command: tuple[str, ...]
    port: int

    def turn(self, count: int) -> Sample:
        """Send *count* messages.

        Raises:
            ContenderFailed: It did not end well.
        """
        began = time.perf_counter()
        started = subprocess.Popen([*self.command, "-m", str(count), f"127.0.0.1:{self.port}"])
        _, status, usage = os.wait4(started.pid, 0)
        wall = time.perf_counter() - began
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            raise ContenderFailed(f"{SMTP_SOURCE} exited with {started.returncode}; its own words are above.")
        return Sample(count, wall, usage.ru_utime + usage.ru_stime)
