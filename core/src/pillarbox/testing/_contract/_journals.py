"""Journals that watch an attempt: one that counts, one that outlives the process, one that ends it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, Self

from ..._transports import Journal

REACHED = 86
"""What a process exits with that ended at the point where it was to end."""


class Watched(Journal):
    """Tells when the hand-over is marked, before it is.

    Attributes:
        entered: How often `handing_over` was entered.
    """

    def __init__(self, at_mark: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.entered = 0
        self._at_mark = at_mark

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """See `Journal.handing_over`."""
        self.entered += 1
        with super().handing_over():
            yield

    def _mark(self) -> None:
        if self._at_mark is not None:
            self._at_mark()


class Durable(Journal):
    """Keeps what it is told in *file*, a line each, written through to the disk before it goes on."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the journal as it stands in *file*; nothing is known where there is no file."""
        found = cls(file)
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            said = json.loads(line)
            if said == "handed over":
                found.handed_over = True
            else:
                found.notes.update([said])
        return found

    def _write(self, name: str, value: str) -> None:
        self._append([name, value])

    def _mark(self) -> None:
        self._append("handed over")

    def _append(self, said: object) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Mortal(Durable):
    """Ends its process, without a word to anybody, at a *point*: `noted`, `before` or `marked`."""

    def __init__(self, file: Path, point: str) -> None:
        super().__init__(file)
        self._point = point

    def _write(self, name: str, value: str) -> None:
        super()._write(name, value)
        self._end_at("noted")

    def _mark(self) -> None:
        self._end_at("before")
        super()._mark()
        self._end_at("marked")

    def _end_at(self, point: str) -> None:
        if self._point == point:
            end(REACHED)


def end(code: int) -> NoReturn:
    """End this process at once, as a power cut would: nothing is flushed, closed or told."""
    os._exit(code)
