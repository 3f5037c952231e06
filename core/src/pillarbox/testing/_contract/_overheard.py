"""What a call lets others hear: the log, and all that is printed by this process and by those it starts."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


class _Listener(logging.Handler):
    """Keeps what is logged, with everything that a formatter could show of it."""

    def __init__(self) -> None:
        super().__init__(level=0)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)!r} {self.format(record)}")


@contextlib.contextmanager
def listening() -> Iterator[list[str]]:
    """Give the list that takes each line of the log, of every logger and level, while the block runs."""
    listener, root = _Listener(), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(1)
    try:
        yield listener.lines
    finally:
        root.setLevel(level)
        root.removeHandler(listener)


@contextlib.contextmanager
def reading() -> Iterator[Callable[[], str]]:
    """Give a function that returns what was written to standard output and error since the block was entered.

    The descriptors are caught too, so that what another program prints counts.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:

        def so_far() -> str:
            file.flush()
            file.seek(0)
            return file.read()

        with _descriptors(file.fileno()), contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            yield so_far


@contextlib.contextmanager
def _descriptors(target: int) -> Iterator[None]:
    """Lead descriptors 1 and 2, where they are open, to *target*."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [(number, os.dup(number)) for number in (1, 2) if _is_open(number)]
    try:
        for number, _ in kept:
            os.dup2(target, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
