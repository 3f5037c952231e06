"""The disk is full, the database is locked, damaged or gone: nothing is lost, nothing is sent twice, and it is said."""

from __future__ import annotations

import collections
import contextlib
import logging
import sqlite3

import pytest

from pillarbox import State, Unavailable
from pillarbox.outbox import Search
from pillarbox.testing._outbox_contract._post import logged
from tests import access, systems
from tests.core.doubles import until
from tests.core.outbox.killing.office import Office


@pytest.fixture
def office(tmp_path):
    """A company whose mail goes to a file that can be looked at."""
    return Office(tmp_path, mailboxes=2, pause=0.0)


@pytest.fixture
def mailer(office):
    with office.mailer() as mailer:
        yield mailer


@pytest.fixture
def failures(caplog):
    """Return how often the outbox's failing was logged."""
    caplog.set_level(logging.ERROR, "pillarbox")
    return lambda: sum("outbox_failed" in record.getMessage() for record in caplog.records)


@contextlib.contextmanager
def no_file_grows_beyond(octets):
    """A full disk, for this process."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def each_was_sent_once(office, mailer, keys):
    """Let a worker end what waits, and see that each of *keys* was taken once, and nothing is left."""
    mailer.worker().run(drain=True)
    found = collections.Counter(logged(office.log))
    assert {key: found[key] for key in keys} == dict.fromkeys(keys, 1)
    assert max(found.values()) == 1
    states = [one.state for one in mailer.outbox.list(Search(limit=10_000))]
    assert set(states) == {State.ACCEPTED}, collections.Counter(states)


def file(office, more=""):
    return office.folder / f"outbox.sqlite3{more}"


@systems.posix_files
def test_a_full_disk_is_said_and_what_was_kept_is_kept(office, mailer):
    """Whoever enqueues is told; what they were told is kept is there."""
    keys = [office.enqueue(mailer, number) for number in range(5)]
    limit = file(office, "-wal").stat().st_size + 40_000
    with no_file_grows_beyond(limit), contextlib.suppress(Unavailable):
        for number in range(5, 1_000):
            keys.append(office.enqueue(mailer, number))
    with no_file_grows_beyond(limit), pytest.raises(Unavailable, match="can't be written"):
        office.enqueue(mailer, 1_000)
    assert 5 < len(keys) < 900
    each_was_sent_once(office, mailer, keys)


@systems.posix_files
def test_a_worker_on_a_full_disk_sends_nothing_it_can_not_mark(office, mailer, failures):
    """It goes on when there is room again."""
    keys = [office.enqueue(mailer, number) for number in range(20)]
    with no_file_grows_beyond(file(office, "-wal").stat().st_size), mailer.worker():
        until(lambda: failures() > 2)
        assert logged(office.log) == []
    each_was_sent_once(office, mailer, keys)


@systems.posix_files
def test_a_disk_that_is_full_from_the_middle_on_repeats_nothing(office, mailer, failures):
    """What was accepted and could not be written down is written later."""
    office = Office(office.folder, mailboxes=2, pause=0.002)
    keys = [office.enqueue(mailer, number) for number in range(40)]
    with no_file_grows_beyond(file(office, "-wal").stat().st_size + 60_000):
        worker = mailer.worker().start()
        until(lambda: failures() > 2)
    until(lambda: len(set(logged(office.log))) == len(keys))
    worker.stop()
    worker.join(30)
    each_was_sent_once(office, mailer, keys)


def test_a_database_that_another_process_locks_for_long_is_waited_for(office, mailer, failures):
    """Longer than a commit itself waits."""
    keys = [office.enqueue(mailer, number) for number in range(10)]
    mailer.outbox._writer().patience = 0.02
    other = sqlite3.connect(file(office), isolation_level=None)
    with contextlib.closing(other), mailer.worker():
        until(lambda: logged(office.log))
        other.execute("BEGIN IMMEDIATE")
        seen = failures()
        until(lambda: failures() > seen or len(logged(office.log)) == 10)
        other.execute("ROLLBACK")
        until(lambda: len(set(logged(office.log))) == 10)
    each_was_sent_once(office, mailer, keys)


@systems.posix_files
def test_a_file_that_is_removed_in_use_takes_nothing_more(office, mailer, failures):
    """What would be written to it would be lost: the caller is told, and a worker sends nothing more."""
    keys = [office.enqueue(mailer, number) for number in range(5)]
    moved = file(office, ".moved")
    file(office).rename(moved)
    with pytest.raises(Unavailable, match="was removed or replaced"):
        office.enqueue(mailer, 5)
    with mailer.worker():
        until(lambda: failures() > 1)
        assert logged(office.log) == []
    moved.rename(file(office))
    each_was_sent_once(office, mailer, keys)


@systems.posix_files
def test_another_file_in_its_place_takes_nothing(office, mailer):
    """An outbox that was put back from a backup under a running process, say."""
    office.enqueue(mailer, 0)
    file(office).rename(file(office, ".moved"))
    file(office).touch(0o600)
    with pytest.raises(Unavailable, match="was removed or replaced"):
        office.enqueue(mailer, 1)


def test_a_damaged_file_ends_no_worker_and_sends_nothing_twice(office, mailer, failures):
    """When it is whole again, all goes on."""
    keys = [office.enqueue(mailer, number) for number in range(20)]
    mailer.outbox._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    whole = file(office).read_bytes()
    with file(office).open("r+b") as damaged:
        damaged.seek(4_096)
        damaged.write(b"\xa5" * (len(whole) - 4_096))
    with office.mailer() as other, other.worker():
        until(lambda: failures() > 1)
        assert logged(office.log) == []
        with pytest.raises(Unavailable):
            office.enqueue(other, 99)
    with file(office).open("r+b") as mended:
        mended.write(whole)
    with office.mailer() as again:
        each_was_sent_once(office, again, keys)


def test_a_file_that_is_no_database_is_said(office):
    """With the file's name, and nothing is made of it."""
    file(office).write_bytes(b"not a database at all, " * 400)
    access.give(file(office), 0o600)
    with office.mailer() as mailer, pytest.raises(Unavailable, match="not a database") as refusal:
        office.enqueue(mailer, 0)
    assert str(file(office)) in refusal.value.cure


@systems.posix_files
def test_a_stop_amid_failures_leaves_nothing_claimed(office, mailer, failures):
    """What the worker had is given back when the storage works again."""
    keys = [office.enqueue(mailer, number) for number in range(5)]
    moved = file(office, ".moved")
    with mailer.worker():
        until(lambda: logged(office.log))
        file(office).rename(moved)
        until(failures)
    moved.rename(file(office))
    each_was_sent_once(office, mailer, keys)


def test_one_entry_that_can_not_be_read_stops_no_other(office, mailer, failures):
    """It is held, and said."""
    keys = [office.enqueue(mailer, number) for number in range(6)]
    with contextlib.closing(sqlite3.connect(file(office))) as database, database:
        database.execute("UPDATE entries SET frozen = '{' WHERE key = ?", (keys[2],))
    mailer.worker().run(drain=True)
    assert sorted(logged(office.log)) == sorted(set(keys) - {keys[2]})
    assert [lane.counts for lane in mailer.outbox.lanes()] == [{State.HELD: 1}]
    assert len(mailer.outbox.list()) == 5
    assert failures() >= 1


@pytest.mark.parametrize("name", ["claim", "abandoned", "due_looks", "expired", "next_due", "wait", "erase"])
def test_whatever_fails_for_a_while_ends_no_worker(office, mailer, name):
    """It goes on when that works again."""
    outbox, left = mailer.outbox, [3]
    works = getattr(outbox, name)

    def fails_first(*arguments, **named):
        if left[0]:
            left[0] -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return works(*arguments, **named)

    setattr(outbox, name, fails_first)
    keys = [office.enqueue(mailer, number) for number in range(5)]
    with mailer.worker():
        until(lambda: left[0] < 3)
    each_was_sent_once(office, mailer, keys)


def test_closing_lets_those_workers_go_that_have_nothing(office):
    """No lock file is left behind, and none of an attempt that is under way goes."""
    with office.outbox() as outbox:
        outbox.enter("worker")
        outbox.enter("send")
        assert outbox.workers() == 1
    assert list((office.folder / "outbox.sqlite3.workers").iterdir()) == []


def test_a_worker_goes_on_behind_a_closing(office, mailer):
    """Under a new name: what it claimed under the old one would be taken for a dead worker's."""
    first = [office.enqueue(mailer, number) for number in range(3)]
    with mailer.worker():
        until(lambda: len(logged(office.log)) == 3)
        until(lambda: {one.state for one in mailer.outbox.list()} == {State.ACCEPTED})
        mailer.close()
        more = [office.enqueue(mailer, number) for number in range(3, 6)]
        until(lambda: len(logged(office.log)) == 6)
        assert mailer.outbox.workers() == 1
    each_was_sent_once(office, mailer, first + more)
