"""The settings file on the disk: read from one checked descriptor, replaced whole, alone."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ._errors import InvalidSettings, SettingsError
from ._locks import file_lock
from ._owner_only import (
    BINARY,
    copy_access,
    create,
    cure,
    hand_to_owner_of,
    is_writable_by_others,
    patiently,
)

LARGEST_FILE = 64 * 1024 * 1024
"""Octets."""
YOUNG_SECONDS = 0.05
"""Of a file that was written this short a time ago, another write may not show in its time: clocks tick coarsely."""


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file at *path*, whatever link leads them to it, for the block.

    Raises:
        SettingsError: Another one is at it for too long, or its folder can't be written.
    """
    target = path.resolve()
    lock = target.with_name(f".{target.name}.lock")
    with contextlib.ExitStack() as held:
        try:
            make_beside(target, lock)
            held.enter_context(file_lock(lock))
        except TimeoutError:
            raise SettingsError(f"{path} is being changed by another process.", cure="Try again.") from None
        except OSError as error:
            raise _unwritable(path, error) from None
        yield


def make_beside(target: Path, path: Path) -> None:
    """Make an empty owner-only file at *path* where there is none, of the owner of *target*.

    What root leaves beside the settings would be in the way of the program that they are for.
    """
    try:
        descriptor = create(path)
    except FileExistsError:
        return
    try:
        if target.exists():
            hand_to_owner_of(target, descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> SettingsError:
    said = (error.strerror or type(error).__name__).lower()
    return SettingsError(f"{path} can't be written: {said}.")


def refuse_existing(path: str | Path) -> None:
    """Raise SettingsError when something is at *path* already."""
    if os.path.lexists(path):
        raise SettingsError(
            f"{path} exists already.", cure="Change it with: pillarbox company set, or edit it."
        )


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return what tells one state of the file at *path* from another, without reading it.

    Raises:
        SettingsError: There is none.
    """
    try:
        # os.stat takes a third of Path.stat's time, once for every message.
        found = patiently(lambda: os.stat(path))  # noqa: PTH116
    except OSError as error:
        raise _unreadable(path, error) from None
    return _told_by(found)


def _told_by(found: os.stat_result) -> tuple[int, ...]:
    # The time of the last change of status too: what keeps a file's mtime, rsync for instance, can't keep that.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _unreadable(path: Path, error: OSError) -> SettingsError:
    if isinstance(error, FileNotFoundError):
        return SettingsError(
            f"There is no settings file {path}.", cure=f"Write one: pillarbox --config {path} init"
        )
    return SettingsError(f"The settings file {path} can't be read: {error.strerror}.")


def text_of(path: Path) -> tuple[str, tuple[int, ...], bool]:
    """Return the file's text, its stamp, and whether it is young, from one descriptor that was checked (rule 40)."""
    try:
        flags = os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0)
        descriptor = patiently(lambda: os.open(path, flags))
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        found = os.fstat(descriptor)
        _check_file(descriptor, found, path)
        is_young = 0 <= time.time_ns() - found.st_mtime_ns < YOUNG_SECONDS * 1e9
        content = _read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST_FILE:
        raise _too_large(path)
    return _decoded(content, path), _told_by(found), is_young


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidSettings([f"line {line:<19} is not UTF-8 text"], where=path.name) from None


def _too_large(path: Path) -> SettingsError:
    return SettingsError(f"The settings file {path} is larger than {LARGEST_FILE >> 20} MiB.")


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read(most)


def _check_file(descriptor: int, found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"The settings file {path} is not a regular file.")
    if found.st_size > LARGEST_FILE:
        raise _too_large(path)
    if is_writable_by_others(descriptor):
        raise SettingsError(f"The settings file {path} can be written by others.", cure=cure(path, "go-w"))


def replace(path: Path, text: str) -> None:
    """Put *text* in the place of *path* in one step, for those who may use that, on the disk when this returns.

    Raises:
        SettingsError: It can't be written; the file is as it was.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.new")
    try:
        temporary.unlink(missing_ok=True)  # what a writer left that was killed; the lock is ours
        descriptor = create(temporary)
        try:
            _write(descriptor, text, target)
            patiently(lambda: temporary.replace(target))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except (OSError, UnicodeError) as error:
        problem = error if isinstance(error, OSError) else OSError(0, "the text is not Unicode")
        raise _unwritable(path, problem) from None


def _write(descriptor: int, text: str, old: Path) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        if old.exists():
            copy_access(old, descriptor)
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
