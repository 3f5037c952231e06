"""Contenders that queue: each keeps every message durably, then sends what it kept to the sink."""

from __future__ import annotations

import contextlib
import os
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

import pillarbox
from pillarbox._queueing import entry_of
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
READY = 40_000
"""Entries that are made before anything is measured: more than all rounds take."""


@contextlib.contextmanager
def outbox(job: Job) -> Iterator[Run]:
    """Enqueue each message, durable when the call returns, while a worker in a thread of this process sends.

    One interpreter does both by turns, and both share each sync of the disk.
    """
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
def outbox_apart(job: Job) -> Iterator[Run]:
    """Enqueue each message, durable when the call returns, while `pillarbox worker` sends in a process of its own."""
    what = case(job.case)
    with office(job.port) as mailer:

        def run(count: int) -> None:
            for _ in range(count):
                mailer.enqueue(message(what), user=USER)
            wait_until_empty(mailer)

        yield run


@contextlib.contextmanager
def bulk(job: Job) -> Iterator[Run]:
    """Enqueue a hundred messages a write, while `pillarbox worker` sends: fifty are marked at once, half of them on the way."""
    what = case(job.case)
    with office(job.port, smtp="chunking_window = 25\n", outbox="batch = 50\n") as mailer:

        def run(count: int) -> None:
            answers = mailer.enqueue_many((message(what) for _ in range(count)), user=USER)
            assert len(answers) == count
            wait_until_empty(mailer)

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
def one_writer(job: Job) -> Iterator[Run]:
    """Put entries that were made before into an outbox, from one thread: a commit each."""
    with _writing(job, 1) as run:
        yield run


@contextlib.contextmanager
def many_writers(job: Job) -> Iterator[Run]:
    """Put entries that were made before into an outbox from sixteen threads, each durable when its call returns."""
    with _writing(job, PRODUCERS) as run:
        yield run


@contextlib.contextmanager
def _writing(job: Job, threads: int) -> Iterator[Run]:
    what = case(job.case)
    with desk(job.port, FREE) as mailer:
        route, one, outbox = mailer.explain(USER), message(what), mailer.queue
        made = entry_of(pillarbox.compose(one, route), route, one)
        sent = made.submission
        ready = [
            attrs.evolve(made, submission=attrs.evolve(sent, key=os.urandom(16).hex())) for _ in range(READY)
        ]

        def put(share: int) -> None:
            for _ in range(share):
                outbox.put([ready.pop()])

        def run(count: int) -> None:
            share = max(1, count // threads)
            waiting = [threading.Thread(target=put, args=(share,)) for _ in range(threads)]
            for thread in waiting:
                thread.start()
            for thread in waiting:
                thread.join()

        yield run


@contextlib.contextmanager
def huey_fsync(job: Job) -> Iterator[Run]:
    """Huey on SQLite with fsync: enqueue each, then take and run each in this process, over one kept connection.

    That is the order that suits it best: its consumer, in a process of its own, would poll and contend for the lock. It deletes a task before it runs it, so that a crash loses what it had in hand. It composes with EmailMessage.
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


SETTINGS = """\
[company]
address = "{sender}"
name = "{name}"
method = "smtp"
[company.smtp]
server = "127.0.0.1"
port = {port}
encryption = "none"
authenticate = false
{smtp}
[users.{user}]
address = "{sender}"
name = "{name}"
[outbox]
user_burst = 0
company_burst = 0
{outbox}
"""
WORKER = [sys.executable, "-c", "from pillarbox.cli import main; main()", "--config"]


def settings_file(folder: Path, port: int, *, smtp: str = "", outbox: str = "") -> Path:
    """Return the settings of a company that sends to the sink, and of its user, as a file in *folder*."""
    path = folder / "pillarbox.toml"
    text = SETTINGS.format(sender=SENDER, name=SENDER_NAME, port=port, user=USER, smtp=smtp, outbox=outbox)
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


@contextlib.contextmanager
def office(port: int, *, smtp: str = "", outbox: str = "") -> Iterator[pillarbox.Mailer]:
    """Yield a host's mailer, beside whose outbox `pillarbox worker` works in a process of its own, as it is deployed."""
    with contextlib.ExitStack() as stack:
        path = settings_file(
            Path(stack.enter_context(tempfile.TemporaryDirectory())), port, smtp=smtp, outbox=outbox
        )
        mailer = stack.enter_context(pillarbox.Mailer.open(path))
        mailer.queue.lanes()
        worker = stack.enter_context(
            subprocess.Popen(
                [*WORKER, str(path), "worker"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        )
        stack.callback(worker.terminate)
        while not mailer.queue.workers():
            assert worker.poll() is None, "the worker ended"
            time.sleep(0.01)
        yield mailer


def wait_until_empty(mailer: pillarbox.Mailer) -> None:
    """Return when the worker has settled all that was kept; a message that is not accepted stays in its lane or is told."""
    while mailer.queue.lanes():
        time.sleep(0.002)


def message(what: Case) -> pillarbox.Message:
    """Return the message, built anew."""
    return pillarbox.Message(to=[RECIPIENT], subject=SUBJECT, text=what.text)
