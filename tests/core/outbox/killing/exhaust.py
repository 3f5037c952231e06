"""One message, and every moment of its walk: killed at each storage and socket call, and without power behind each write."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import attrs

from pillarbox import State
from pillarbox.outbox import Search
from tests.core.outbox.killing.office import Office
from tests.core.outbox.killing.runs import ROOT

RECORD = re.compile(rb"([WTSU]) (-?\d+) (\d+) ([^\n]*)\n")
EXTERNAL = ("carrier.log", "returned")
"""What lies outside the machine that loses its power: what the carrier has, and what the caller was told."""


def compiled(folder: Path) -> Path:
    """Return the shim, compiled into *folder*.

    Raises:
        FileNotFoundError: There is no C compiler.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("The shim needs a C compiler: .ci/install-servers")
    program = folder / "shim.so"
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
    libraries = ("-ldl", "-pthread")
    subprocess.run(
        [compiler, *flags, "-o", program, Path(__file__).with_name("shim.c"), *libraries], check=True
    )
    return program


class Walker:
    """A process under the shim that walks as often as it is asked to."""

    def __init__(self, number: int, asks: IO[str], answers: IO[str]) -> None:
        self.number = number
        self._asks, self._answers = asks, answers

    def walk(self, walk: Walk, *, fatal: int = 0, log: Path | None = None) -> int:
        """Walk until call *fatal*, or to the end; return what the process ended with."""
        walk.folder.mkdir(exist_ok=True, mode=0o700)
        told = {"folder": str(walk.folder), "port": walk.port, "number": walk.number, "fatal": fatal}
        self._asks.write(json.dumps({**told, "log": str(log) if log else ""}) + "\n")
        self._asks.flush()
        return int(self._answers.readline())

    def calls(self, walk: Walk) -> int:
        """Walk to the end and return how many calls it took."""
        assert self.walk(walk) == 0
        return int(Path(f"{walk.folder}.count").read_text("ascii"))


@contextlib.contextmanager
def walker(shim: Path) -> Iterator[Walker]:
    """Run a walker."""
    command = [sys.executable, "-m", "tests.core.outbox.killing.walk"]
    with subprocess.Popen(
        command, env={**os.environ, "LD_PRELOAD": str(shim)}, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        try:
            yield Walker(process.pid, process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(30)


@attrs.frozen
class Walk:
    """A walk in a folder of its own."""

    folder: Path
    port: int = 0
    number: int = 0

    @property
    def office(self) -> Office:
        return Office(self.folder, self.port, mailboxes=1, pause=0.0)

    @property
    def returned(self) -> bool:
        """Whether `enqueue` did."""
        return (self.folder / "returned").exists()

    def settled(self) -> State:
        """Begin again as a host and a worker would behind a crash; return where the entry ends.

        What `enqueue` had returned for has to be there; else the host asks again, by the same key.
        """
        with self.office.mailer() as mailer:
            there = mailer.outbox.list(Search())
            assert there or not self.returned, (
                f"{self.folder.name}: enqueue had returned, and the entry is lost"
            )
            self.office.enqueue(mailer, self.number)
            mailer.worker().run(drain=True)
            [entry] = mailer.outbox.list(Search())
            return entry.state


def writes(log: bytes) -> Iterator[tuple[str, int, bytes, str]]:
    """Yield what was written, in order: what, where, the octets, the file's path."""
    start = 0
    while start < len(log):
        found = RECORD.match(log, start)
        assert found, log[start : start + 40]
        size = int(found[3])
        start = found.end() + (size if found[1] == b"W" else 0)
        yield found[1].decode(), int(found[2]), log[found.end() : start], found[4].decode()


class Disk:
    """What a disk holds for certain, and what was written and not yet synced, in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._certain: dict[str, bytes] = {}
        self._pending: list[tuple[str, int, bytes, str]] = []

    def write(self, what: str, at: int, octets: bytes, path: str) -> None:
        if what != "S":
            self._pending.append((what, at, octets, path))
            return
        synced = [one for one in self._pending if self._is_synced(one, path)]
        self._certain = _changed(self._certain, synced)
        self._pending = [one for one in self._pending if not self._is_synced(one, path)]

    def _is_synced(self, one: tuple[str, int, bytes, str], path: str) -> bool:
        return one[3] == path or (one[0] == "U" and path == self._folder)

    def images(self) -> Iterator[dict[str, bytes]]:
        """Yield the files as they may be when the power fails now: without some of the last writes, or without one."""
        for kept in range(len(self._pending) + 1):
            yield _changed(self._certain, self._pending[:kept])
        for lost in range(len(self._pending)):
            yield _changed(self._certain, self._pending[:lost] + self._pending[lost + 1 :])


def _changed(files: Mapping[str, bytes], writes: list[tuple[str, int, bytes, str]]) -> dict[str, bytes]:
    found = dict(files)
    for what, at, octets, path in writes:
        if what == "U":
            found.pop(path, None)
            continue
        there = found.get(path, b"")
        if what == "T":
            found[path] = there[:at].ljust(at, b"\0")
            continue
        start = len(there) if at < 0 else at
        found[path] = there[:start].ljust(start, b"\0") + octets + there[start + len(octets) :]
    return found


def without_power(log: bytes, folder: Path) -> Iterator[Mapping[str, bytes]]:
    """Yield each distinct state in which the machine may come up again, by file name, what lies outside included."""
    disk, outside, seen = Disk(folder), collections.defaultdict(bytes), set()
    for what, at, octets, path in writes(log):
        name = Path(path).name
        if name.endswith("-shm") or ".workers/" in path:
            continue  # made anew, and told by a lock
        if name in EXTERNAL:
            outside[name] += octets
        else:
            disk.write(what, at, octets, path)
        for image in disk.images():
            files = {Path(one).name: content for one, content in image.items()} | outside
            state = hash(tuple(sorted(files.items())))
            if state not in seen:
                seen.add(state)
                yield files


def put_back(files: Mapping[str, bytes], folder: Path) -> None:
    """Write *files* into *folder*, as they were: only their owner's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
