"""Contenders that queue: each keeps every message durably, then sends what it kept to the sink."""

from __future__ import annotations

import contextlib
import smtplib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pillarbox
from pillarbox.outbox import OutboxSettings, SqliteOutbox, State
from tests.benchmarks.cases import (
    RECIPIENT,
    SENDER,
    SENDER_NAME,
    SUBJECT,
    Case,
    case,
    email_message,
    ready_bytes,
)
from tests.benchmarks.jobs import Job, Run

USER = "anna"
FREE = OutboxSettings(user_burst=0, company_burst=0)
PRODUCERS = 16


@contextlib.contextmanager
def outbox(job: Job) -> Iterator[Run]:
    """Enqueue each message, durable when the call returns, while a worker in a thread of this process sends."""
    what = case(job.case)
    with desk(job.port, FREE) as mailer:

        def run(count: int) -> None:
            worker = mailer.worker()
            with worker:
                for _ in range(count):
                    mailer.enqueue(message(what), user=USER)
                while worker.counted.get(State.ACCEPTED, 0) < count:
                    time.sleep(0.001)
            assert worker.counted == {State.ACCEPTED: count}, worker.counted

        yield run


@contextlib.contextmanager
def bulk(job: Job) -> Iterator[Run]:
    """Enqueue a hundred messages a write; fifty are claimed and on the way at once (CHUNKING)."""
    what = case(job.case)
    with desk(
        job.port, OutboxSettings(user_burst=0, company_burst=0, batch=50), chunking_window=50
    ) as mailer:

        def run(count: int) -> None:
            answers = mailer.enqueue_many((message(what) for _ in range(count)), user=USER)
            assert len(answers) == count
            drain(mailer, count)

        yield run


@contextlib.contextmanager
def one_producer(job: Job) -> Iterator[Run]:
    """Enqueue from one thread, a durable write each; nothing is sent."""
    what = case(job.case)
    with desk(job.port, FREE) as mailer:

        def run(count: int) -> None:
            for _ in range(count):
                mailer.enqueue(message(what), user=USER)

        yield run


@contextlib.contextmanager
def many_producers(job: Job) -> Iterator[Run]:
    """Enqueue from sixteen threads, each durable when its call returns; nothing is sent."""
    what = case(job.case)
    with desk(job.port, FREE) as mailer:

        def produce(count: int) -> None:
            for _ in range(count):
                mailer.enqueue(message(what), user=USER)

        def run(count: int) -> None:
            share = max(1, count // PRODUCERS)
            threads = [threading.Thread(target=produce, args=(share,)) for _ in range(PRODUCERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        yield run


@contextlib.contextmanager
def huey_fsync(job: Job) -> Iterator[Run]:
    """Huey on SQLite with fsync: enqueue each, then take and run each in this process, over one kept connection.

    It deletes a task before it runs it, so that a crash loses what it had in hand. It composes with EmailMessage.
    """
    from huey import SqliteHuey  # type: ignore[import-untyped,unused-ignore]

    what = case(job.case)
    with tempfile.TemporaryDirectory() as folder, smtplib.SMTP("127.0.0.1", job.port) as client:
        queue = SqliteHuey("mail", filename=str(Path(folder, "huey.sqlite3")), fsync=True, results=False)

        @queue.task()  # type: ignore[untyped-decorator,unused-ignore]
        def send(content: str) -> None:
            client.sendmail(SENDER, [RECIPIENT], content)

        def run(count: int) -> None:
            for _ in range(count):
                send(email_message(what).as_string())
            done = 0
            while (task := queue.dequeue()) is not None:
                queue.execute(task)
                done += 1
            assert done == count

        yield run


@contextlib.contextmanager
def single_commits(job: Job) -> Iterator[Run]:
    """Insert ready bytes into SQLite (WAL, FULL), a commit each: what durability alone costs; nothing is sent."""
    import sqlite3

    ready = ready_bytes(case(job.case))
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder, "plain.sqlite3"), isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, content BLOB)")

        def run(count: int) -> None:
            for _ in range(count):
                database.execute("INSERT INTO mail (content) VALUES (?)", (ready,))

        yield run
        database.close()


@contextlib.contextmanager
def desk(port: int, settings: OutboxSettings, **more: Any) -> Iterator[pillarbox.Mailer]:
    """Yield a mailer with an outbox of its own, whose company sends to the sink."""
    plain = {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}
    company = pillarbox.Company(
        address=SENDER,
        name=SENDER_NAME,
        method="smtp",
        methods={"smtp": plain | more},
        typed_by=pillarbox.Role.DEPLOYER,
    )
    user = pillarbox.User(id=USER, address=SENDER, name=SENDER_NAME)
    with tempfile.TemporaryDirectory() as folder:
        kept = SqliteOutbox(Path(folder, "outbox.sqlite3"), settings)
        with pillarbox.Mailer(
            pillarbox.MemoryDirectory(company, [user]), outbox=kept, queue=settings
        ) as mailer:
            yield mailer


def drain(mailer: pillarbox.Mailer, count: int) -> None:
    """Send what waits, and want *count* of it accepted."""
    worker = mailer.worker()
    worker.run(drain=True)
    assert worker.counted == {State.ACCEPTED: count}, worker.counted


def message(what: Case) -> pillarbox.Message:
    """Return the message, built anew."""
    return pillarbox.Message(to=[RECIPIENT], subject=SUBJECT, text=what.text)
