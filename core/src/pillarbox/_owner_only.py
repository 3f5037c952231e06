"""Files that are their owner's alone: made so from the first moment, and told so when they are read."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

if sys.platform == "win32":
    from ._windows_access import (
        close_to_others,
        copy_access,
        cure,
        file_system,
        hand_to_owner_of,
        is_open_to_others,
        is_strangers,
        is_writable_by_others,
    )
    from ._windows_access import create as _create
else:
    from ._mode_bits import (
        close_to_others,
        copy_access,
        cure,
        file_system,
        hand_to_owner_of,
        is_open_to_others,
        is_strangers,
        is_writable_by_others,
    )
    from ._mode_bits import create as _create

__all__ = [
    "BINARY",
    "close_to_others",
    "copy_access",
    "create",
    "cure",
    "file_system",
    "hand_to_owner_of",
    "is_open_to_others",
    "is_strangers",
    "is_writable_by_others",
    "open_or_create",
    "patiently",
]

T = TypeVar("T")

BINARY = getattr(os, "O_BINARY", 0)
"""For `os.open`: else Windows reads no further than to the first Ctrl-Z."""
_PATIENCE = 2.0
"""Seconds."""
_LINK = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT


def create(path: str | os.PathLike[str]) -> int:
    """Make a file at *path* that nobody else has ever had access to, and return a descriptor that writes to it.

    Raises:
        FileExistsError: Something is there already, if only a link that leads nowhere.
        PermissionError: It may not be made; or the disk can't keep others from it, and it is gone again.
    """
    descriptor = _create(path, new=True)
    if is_open_to_others(descriptor):  # FAT knows no owners, and some mounts let everybody do everything
        os.close(descriptor)
        Path(path).unlink()
        raise PermissionError(errno.EACCES, "the disk can't keep other users from it", os.fspath(path))
    return descriptor


def open_or_create(path: str | os.PathLike[str]) -> int:
    """Return a descriptor that writes to the file at *path*, made owner-only where there is none.

    Raises:
        OSError: It can't be opened, or is a link.
    """
    descriptor = _create(path, new=False)
    if getattr(os.fstat(descriptor), "st_file_attributes", 0) & _LINK:
        os.close(descriptor)
        raise OSError(errno.ELOOP, "it is a symbolic link", os.fspath(path))
    return descriptor


def patiently(action: Callable[[], T]) -> T:
    """Return what *action* returns; under Windows, where it is refused, try again for a while.

    There a file can't be replaced while anybody reads it, nor be read in the moment in which it is replaced.
    """
    if os.name != "nt":
        return action()
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            return action()
        except PermissionError:
            if time.monotonic() >= give_up:
                raise
        time.sleep(0.01)
