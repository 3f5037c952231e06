"""Locks between processes that the system frees when their holder dies, and between threads that a fork leaves free."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from ._owner_only import open_or_create

if sys.platform == "win32":  # pragma: no cover - run under Windows only
    import msvcrt

    _HELD = {errno.EACCES, errno.EDEADLOCK, 0}
    """What is said of a lock that another handle holds; Wine's C library says nothing."""

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in _HELD:
                raise
            return False
        return True

    def _free(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _free(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at *path*: a lock on a removed one holds nothing."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def file_lock(path: Path, *, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock file *path* (made owner-only where missing) for the length of the block.

    The holder may be in another process; when it is killed the lock is free at once.

    Raises:
        TimeoutError: *timeout* seconds passed and another still held it.
    """
    descriptor = open_or_create(path)
    try:
        _wait(descriptor, path, timeout)
        try:
            yield
        finally:
            _free(descriptor)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, timeout: float) -> None:
    give_up = time.monotonic() + timeout
    while not _take(descriptor):
        if time.monotonic() >= give_up:
            raise TimeoutError(f"{path} is held by another process.")
        time.sleep(0.01)


class Held:
    """A lock file that is held until it is freed or its process dies. A forked child does not hold it."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        _helds.add(self)

    @classmethod
    def take(cls, path: Path, *, make: bool = True) -> Held | None:
        """Return the lock *path*, or None where another holds it, or it is missing and not to be made."""
        try:
            there = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
            descriptor = open_or_create(path) if make else os.open(path, there)
        except FileNotFoundError:
            return None
        if _take(descriptor) and _is_at(descriptor, path):
            return cls(descriptor, path)
        os.close(descriptor)
        return None

    def free(self, *, remove: bool = False) -> None:
        """Let go of it; with *remove* the file goes too."""
        if remove:
            with contextlib.suppress(OSError):  # Windows removes no open file
                self._path.unlink()
        _helds.discard(self)
        with contextlib.suppress(OSError):
            _free(self._descriptor)
        os.close(self._descriptor)
        if remove and sys.platform == "win32":
            with contextlib.suppress(OSError):  # somebody looks just now whether its holder lives
                self._path.unlink()

    def let_parent_have_it(self) -> None:
        """Close it in a forked child, which leaves it to the parent."""
        os.close(self._descriptor)


_helds: weakref.WeakSet[Held] = weakref.WeakSet()


class ThreadLock:
    """A lock between threads that a forked child finds free: the thread that may hold it is not there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _thread_locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Be free, whoever held it."""
        self._lock = threading.Lock()


_thread_locks: weakref.WeakSet[ThreadLock] = weakref.WeakSet()


def _after_fork() -> None:
    for lock in list(_thread_locks):
        lock.renew()
    for held in list(_helds):
        held.let_parent_have_it()
    _helds.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
