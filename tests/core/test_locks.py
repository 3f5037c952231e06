"""Locks: between processes, free when their holder is killed; between threads, free in a forked child."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest

from pillarbox._locks import ThreadLock, _is_at, file_lock
from tests import access, forking, systems


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLD = """
    import sys
    from pathlib import Path
    from pillarbox._locks import file_lock
    with file_lock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


def test_a_lock_is_held_against_another_process_and_free_when_it_is_killed(tmp_path):
    """A kill -9 leaves nothing to clean up."""
    path = tmp_path / "x.lock"
    holder = run(HOLD, str(path))
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError, match="held by another process"), file_lock(path, timeout=0.05):
            pytest.fail("two holders")
    finally:
        holder.kill()
        holder.wait(10)
        holder.stdin.close()
        holder.stdout.close()
    with file_lock(path, timeout=5):
        assert access.mode(path) == 0o600


def test_a_lock_is_held_against_another_thread_of_the_same_process(tmp_path):
    """Not only between processes."""
    path = tmp_path / "x.lock"
    with file_lock(path), pytest.raises(TimeoutError), file_lock(path, timeout=0.02):
        pytest.fail("two holders")
    with file_lock(path, timeout=0):
        pass


def test_a_lock_is_freed_by_what_is_raised_inside(tmp_path):
    """As by leaving it."""
    path = tmp_path / "x.lock"
    with pytest.raises(LookupError), file_lock(path):
        raise LookupError
    with file_lock(path, timeout=0):
        pass


@systems.links
def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path):
    """Nobody can make us open, or make, a file elsewhere."""
    (tmp_path / "x.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), file_lock(tmp_path / "x.lock"):
        pytest.fail("followed")
    assert not (tmp_path / "elsewhere").exists()


@systems.forks
def test_a_forked_child_finds_a_thread_lock_free():
    """The thread that held it is not in the child, and would hold it for ever."""
    lock, held, release = ThreadLock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            release.wait(30)

    def take():
        assert lock._lock.acquire(timeout=5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    child = forking.child(take)
    release.set()
    thread.join()
    assert forking.ended(child) == 0
    with lock:
        pass


def test_a_lock_on_a_file_that_was_removed_holds_nothing(tmp_path):
    """Whoever looked at it meanwhile may have removed it, or made another in its place."""
    path = tmp_path / "lock"
    with path.open("w") as there:
        assert _is_at(there.fileno(), path)
        if not systems.WINDOWS:  # which removes no open file
            path.unlink()
            assert not _is_at(there.fileno(), path)
            path.touch()
            assert not _is_at(there.fileno(), path)
