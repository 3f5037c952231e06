"""Who may do what with a file, by owner and mode bits, and what it lies on: everywhere but under Windows."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path

assert sys.platform != "win32"

File = int | str | os.PathLike[str]
"""A descriptor, or a path."""


def create(path: str | os.PathLike[str], *, new: bool) -> int:
    """Return a descriptor that writes to the file at *path*, made owner-only where it is missing; links are not followed."""
    return os.open(path, os.O_RDWR | os.O_CREAT | (os.O_EXCL if new else os.O_NOFOLLOW), 0o600)


def is_strangers(file: File) -> bool:
    """Tell whether *file* belongs to somebody who is neither we nor root."""
    return _status(file).st_uid not in {os.geteuid(), 0}


def is_open_to_others(file: File) -> bool:
    """Tell whether anybody but the owner may read or write *file*."""
    return bool(_status(file).st_mode & 0o077)


def is_writable_by_others(file: File) -> bool:
    """Tell whether others may write *file*; a group that is its owner's own is none."""
    found = _status(file)
    shared_group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    return bool(found.st_mode & stat.S_IWOTH or shared_group)


def cure(path: str | os.PathLike[str], mode: str) -> str:
    """Return the command that gives *path* the *mode*."""
    return f"Run: chmod {mode} {path}"


def hand_to_owner_of(source: os.PathLike[str], target: int) -> None:
    """Let the owner of *source* have *target*, which root made beside it."""
    if os.geteuid() == 0:
        found = _status(source)
        os.chown(target, found.st_uid, found.st_gid)


def copy_access(source: os.PathLike[str], target: int) -> None:
    """Give *target* the mode and the owner of *source*, or else its group."""
    found = _status(source)
    if found.st_uid != os.geteuid():
        os.chown(target, found.st_uid, found.st_gid)  # else root takes the file from those who read it
    elif found.st_gid != _status(target).st_gid:
        with contextlib.suppress(PermissionError):
            os.chown(target, -1, found.st_gid)
    os.fchmod(target, stat.S_IMODE(found.st_mode))


def close_to_others(path: os.PathLike[str]) -> None:
    """Leave *path* as it is: what a library makes beside an owner-only file has that file's mode (SQLite sees to it)."""


def file_system(path: os.PathLike[str]) -> str:
    """Return the type of the file system that *path* lies on, where the system tells (Linux), else ""."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    place, best = Path(path).resolve(), ("", "")
    for line in mounts:
        _, point, kind, *_ = line.split()
        inside = place.is_relative_to(point.replace("\\040", " "))
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _status(file: File) -> os.stat_result:
    return os.stat(file)  # noqa: PTH116  (a descriptor as well as a path)
