"""A file that takes the redacted lines of a conversation."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
from collections.abc import Callable, Iterator
from typing import TextIO

from .._errors import SettingsError, quotation
from .._owner_only import create


@contextlib.contextmanager
def transcript_file(path: str | None) -> Iterator[Callable[[str], None] | None]:
    """Give what writes lines to a new owner-only file at *path*, each with its time; None where *path* is.

    Raises:
        SettingsError: The file is there, or can't be written.
    """
    if path is None:
        yield None
        return
    try:
        descriptor = create(path)
    except OSError as error:
        raise SettingsError(
            f"The transcript {path} can't be written: {error.strerror}.", cure="Choose a new file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield functools.partial(_write, file)


def _write(file: TextIO, line: str) -> None:
    file.write(f"{dt.datetime.now(dt.UTC):%H:%M:%S.%f} {quotation(line)}\n")
