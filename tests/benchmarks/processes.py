"""Contenders that run in processes of their own, and the price of starting one."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import attrs

from tests.benchmarks.harness import Sample

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Process:
    """A contender in a process of its own, driven by one JSON line a turn."""

    name: str
    about: str
    _asks: IO[str]
    _answers: IO[str]

    def turn(self, count: int) -> Sample:
        """Have the process do it *count* times.

        Raises:
            ContenderFailed: It ended instead; what it said went to standard error.
        """
        answer = self._ask({"count": count})
        return Sample(count, answer["wall"], answer["cpu"])

    def peak(self) -> dict[str, float]:
        """Have the process do it once and tell the memory it took: octets, `traced` and `resident`."""
        return self._ask({"peak": True})

    def growth(self, count: int) -> dict[str, float]:
        """Have the process do it *count* times and tell by how much it grew; see `worker.growth`."""
        return self._ask({"growth": count})

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):
            self._asks.write(json.dumps(question) + "\n")
            self._asks.flush()
        return _answer(self.name, self._answers)


class ContenderFailed(RuntimeError):
    """A contender ended before it was asked to."""


def _answer(name: str, answers: IO[str]) -> dict[str, Any]:
    line = answers.readline()
    if not line:
        raise ContenderFailed(f"{name} ended in the middle of the run; its own words are above.")
    answer: dict[str, Any] = json.loads(line)
    return answer


@contextlib.contextmanager
def process(name: str, command: Sequence[str], job: Mapping[str, Any]) -> Iterator[Process]:
    """Start *command*, give it *job* as its first line, and yield it once it says what it is.

    It ends by itself when its standard input does, so also when this process dies.

    Raises:
        ContenderFailed: It could not start.
    """
    started = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment()
    )
    assert started.stdin
    assert started.stdout
    try:
        started.stdin.write(json.dumps(job) + "\n")
        started.stdin.flush()
        yield Process(name, _answer(name, started.stdout)["about"], started.stdin, started.stdout)
    finally:
        _end(started)


def _end(started: subprocess.Popen[str]) -> None:
    assert started.stdin
    assert started.stdout
    with contextlib.suppress(BrokenPipeError):
        started.stdin.close()
    try:
        started.wait(30)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
    started.stdout.close()


def _environment() -> dict[str, str]:
    """Return the environment without what would change how Python runs, the same for all."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def start_cpu(command: Sequence[str], times: int) -> float:
    """Return the CPU seconds of one start of *command* that ended well, the mean of *times*; output is dropped.

    Raises:
        ContenderFailed: It did not exit with 0.
    """
    return statistics.fmean(_start_cpu(command) for _ in range(times))


def _start_cpu(command: Sequence[str]) -> float:
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env=_environment())
    _, status, usage = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise ContenderFailed(
            f"{' '.join(command)} exited with {started.returncode}; its own words are above."
        )
    return usage.ru_utime + usage.ru_stime


def python(module: str) -> list[str]:
    """Return the command that runs *module* with this interpreter."""
    return [sys.executable, "-m", module]
