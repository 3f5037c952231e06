"""Where a secret could be seen: logs, errors with all that hangs on them, what objects say of themselves, and files."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PART: Final = 16
"""So many characters of a secret in a row are as bad as all of it."""


class Heard(logging.Handler):
    """Everything that is logged while it listens, at every level, by everybody."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take down a record with what hangs on it."""
        said = [record.name, record.getMessage(), repr(record.args), repr(vars(record))]
        if record.exc_info and record.exc_info[1] is not None:
            said.extend(told(record.exc_info[1]))
        self.lines.append("\n".join(said))


@contextmanager
def listening(*but: str) -> Iterator[Heard]:
    """Give what is logged meanwhile, but for the loggers named."""
    root, heard = logging.getLogger(), Heard()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    heard.addFilter(lambda record: not record.name.startswith(but))
    try:
        yield heard
    finally:
        root.setLevel(level)
        root.removeHandler(heard)


def told(error: BaseException) -> list[str]:
    """Return all that an error and those behind it say: text, repr, attributes, notes, tracebacks."""
    said, waiting, seen = ["".join(traceback.format_exception(error))], [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        said += [str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", ""))]
        waiting += [behind for behind in (one.__cause__, one.__context__) if behind is not None]
    return said


def files(folder: Path, but: Iterable[str]) -> list[str]:
    """Return what all files of *folder* hold, but for those named, which are the deployer's."""
    found = [file for file in folder.rglob("*") if file.is_file() and file.name not in set(but)]
    return [file.read_bytes().decode("latin-1") for file in found]


def leaks(secrets: Iterable[str], texts: Iterable[Any]) -> list[str]:
    """Return each text, shortened, in which a part of a secret stands."""
    parts = {one[-PART:] for one in secrets} | {one[:PART] for one in secrets if "." not in one}
    return [
        f"{part}: {text[max(0, text.find(part) - 300) :][:500]}"
        for text in map(str, texts)
        for part in parts
        if part in text
    ]
