"""A file that takes the redacted lines of a conversation."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator
from typing import Self

from .._errors import SettingsError, quotation
from .._owner_only import create
from ._output import say_aside


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
    with _Transcript(path, descriptor) as transcript:
        yield transcript.write


class _Transcript:
    """The open file. A disk that is full takes a line away, and never the outcome of the mail that it is about."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._problem = ""

    def __enter__(self) -> Self:
        return self

    def write(self, line: str) -> None:
        """Add *line*, with its time; it is in the file when this returns."""
        text = f"{dt.datetime.now(dt.UTC):%H:%M:%S.%f} {quotation(line)}\n".encode("utf-8", "replace")
        try:
            while text:
                text = text[os.write(self._descriptor, text) :]
        except OSError as error:
            self._problem = self._problem or (error.strerror or type(error).__name__).lower()

    def __exit__(self, *_: object) -> None:
        try:
            os.close(self._descriptor)
        except OSError as error:
            self._problem = self._problem or (error.strerror or type(error).__name__).lower()
        if self._problem:
            say_aside(f"Warning: The transcript {self._path} is not whole: {self._problem}.")
