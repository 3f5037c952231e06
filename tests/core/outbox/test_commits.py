"""Many threads, one transaction: nobody's work is spoilt by another's, and nobody waits for one who has gone."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pillarbox._outbox import commits as module
from pillarbox._outbox.commits import Commits
from tests import systems
from tests.core.doubles import until


@pytest.fixture
def commits(tmp_path):
    database = sqlite3.connect(tmp_path / "c.sqlite3", check_same_thread=False, isolation_level=None)
    database.execute("CREATE TABLE numbers (number INTEGER)")
    made = Commits(database, lambda _, items: items)
    yield made
    made.close()


def adding(number):
    """Return work that adds a number, and answers with it."""

    def work(database):
        database.execute("INSERT INTO numbers VALUES (?)", (number,))
        return number

    return work


def numbers(commits):
    return sorted(
        number
        for (number,) in commits.run(lambda database: database.execute("SELECT * FROM numbers").fetchall())
    )


def busy(commits, release):
    """Let a thread lead until *release*; return it."""
    entered = threading.Event()
    thread = threading.Thread(target=commits.run, args=(lambda _: (entered.set(), release.wait(30)),))
    thread.start()
    entered.wait(30)
    return thread


def test_each_gets_their_own_answer(commits):
    """Whoever leads."""
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda number: commits.run(adding(number)), range(200))) == list(range(200))
    assert numbers(commits) == list(range(200))


def test_one_that_fails_spoils_nobody_elses(commits):
    """It alone hears of it."""

    def failing(database):
        adding(-1)(database)
        raise ValueError("no")

    def one(number):
        work = failing if number % 5 == 0 else adding(number)
        try:
            return commits.run(work)
        except ValueError:
            return None

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(100)))
    assert answers == [None if number % 5 == 0 else number for number in range(100)]
    assert numbers(commits) == [number for number in range(100) if number % 5]


def test_what_nobody_waits_for_comes_before_what_somebody_does(commits):
    """In the same transaction, in order."""
    seen = []
    commits.soon(lambda _: seen.append("soon"))
    commits.run(lambda _: seen.append("now"))
    assert seen == ["soon", "now"]


def test_what_the_storage_refuses_for_now_is_tried_again(commits):
    """Until it takes it."""
    tries = []

    def work(database):
        tries.append(1)
        if len(tries) < 3:
            raise sqlite3.OperationalError("disk full")
        adding(7)(database)

    commits.soon(work)
    until(lambda: len(tries) >= 3)
    assert numbers(commits) == [7]


@systems.posix_files
def test_ctrl_c_while_waiting_leaves_the_lead_to_others(commits):
    """Not to whoever has gone: everybody would wait for ever."""
    release = threading.Event()
    leader = busy(commits, release)

    def interrupt():
        until(lambda: len(commits._waiting) == 1)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            commits.run(adding(1))
    finally:
        signal.signal(signal.SIGINT, before)
    release.set()
    leader.join(30)
    interrupter.join(30)
    assert commits.run(adding(2)) == 2
    assert numbers(commits) == [2]


@pytest.fixture
def patient(commits, monkeypatch):
    """Commits that have seen two at a time lately, and wait for the second as long as a test may take."""
    monkeypatch.setattr(module, "_LONGEST_GATHERING", 30)
    commits._takes, commits._expected = 30.0, 2
    return commits


def test_threads_that_commit_again_and_again_share_a_commit(patient):
    """Instead of coming by turns."""
    first = threading.Thread(target=patient.run, args=(adding(1),))
    first.start()
    until(lambda: patient._gathering is not None)
    made = patient.made
    patient.run(adding(2))
    first.join(30)
    assert patient.made == made + 1


def test_company_that_does_not_come_is_not_waited_for_again(patient, monkeypatch):
    """Nor for longer than a commit takes."""
    patient._takes = 0.01
    patient.run(adding(1))
    monkeypatch.setattr(patient, "_takes", 30.0)
    patient.run(adding(2))
    assert numbers(patient) == [1, 2]


@systems.posix_files
def test_ctrl_c_while_company_is_waited_for_leaves_the_lead_to_others(patient):
    """The next to come leads."""

    def interrupt():
        until(lambda: patient._gathering is not None)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            patient.run(adding(1))
    finally:
        signal.signal(signal.SIGINT, before)
    interrupter.join(30)
    patient._expected = 1
    assert patient.run(adding(2)) == 2
    assert numbers(patient) == [2]


def test_nothing_is_written_where_nothing_may_be(tmp_path):
    """The caller hears why."""
    database = sqlite3.connect(tmp_path / "c.sqlite3", check_same_thread=False, isolation_level=None)

    def check():
        raise PermissionError("gone")

    commits = Commits(database, lambda _, items: items, check)
    with pytest.raises(PermissionError):
        commits.run(adding(1))
    database.close()
