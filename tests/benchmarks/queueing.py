"""Queueing: from enqueue to accepted, durable at each step; group commit; a long history; a restart with much waiting."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import attrs

import pillarbox
from pillarbox.outbox import SqliteOutbox, Wanted
from tests.benchmarks import cases, postfix_queue, queues
from tests.benchmarks.contenders import missing, start_python, warm_up
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Contender, Row, Sample, Samples, Side, Spread, in_turns
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import Sink, sink

OURS = "pillarbox outbox"
APART = "pillarbox outbox, worker apart"
BULK = "pillarbox outbox, bulk of 50"
HUEY = "huey, SQLite with fsync"
POSTFIX = postfix_queue.POSTFIX_QUEUE
ONE = "pillarbox enqueue"
SIXTEEN = "pillarbox enqueue, 16 threads"
PUT = "pillarbox outbox.put"
PUT_SIXTEEN = "pillarbox outbox.put, 16 threads"
PLAIN = "sqlite3, a commit each"
COUNTS = {OURS: 600, APART: 600, BULK: 1_500, HUEY: 400, POSTFIX: 300}
PRODUCER_COUNTS = {PUT_SIXTEEN: 1_600, PUT: 600, SIXTEEN: 1_600, ONE: 600, PLAIN: 1_000}
HISTORY = 1_000_000
WAITING = 100_000


def end_to_end(effort: Effort) -> Iterator[Row]:
    """Compare messages a second from enqueue to accepted, 4 KB, one producer, a sink without delay.

    Our worker is a thread of the host, and then a process of its own, each under the same bound: the thread shares a sync of
    the disk with the host and the interpreter too, the process neither, so it depends on the machine which is the faster.
    Bulk has a process, as Postfix has: the host hands over while it sends.
    """
    with sink() as server:
        samples = _compare(COUNTS, Job("4 KB", server.port), effort, server)
    yield _rate("enqueue to accepted, 4 KB", samples, OURS, HUEY, Bound(">=", 2.0))
    yield _rate("enqueue to accepted, 4 KB", samples, OURS, POSTFIX, Bound(">=", 3.0))
    yield _rate("enqueue to accepted, 4 KB", samples, BULK, POSTFIX, Bound(">=", 4.0))
    yield _rate("enqueue to accepted, 4 KB", samples, APART, HUEY, Bound(">=", 2.0))


def producers(effort: Effort) -> Iterator[Row]:
    """Compare durable writes a second from sixteen threads with those from one, and with bare commits.

    The bound is on the outbox, whose commits the threads share; `enqueue` composes as well, and composing is the
    interpreter's, of which there is one.
    """
    samples = _compare(PRODUCER_COUNTS, Job("4 KB", 1), effort, None)
    yield _rate("durable enqueue, 4 KB", samples, SIXTEEN, PLAIN)
    yield _rate("durable write, 4 KB", samples, PUT_SIXTEEN, PUT, Bound(">=", 3.0))
    yield _rate("durable enqueue, 4 KB", samples, SIXTEEN, ONE)
    yield _rate("durable enqueue, 4 KB", samples, ONE, PLAIN)


def history(effort: Effort) -> Iterator[Row]:
    """Compare the claim in an outbox of a million ended entries with that in an empty one."""
    long = effort.times(HISTORY)
    with _outbox_of(0) as empty, _outbox_of(long) as full:
        samples = in_turns(
            {"empty": _Claims(empty), "full": _Claims(full)},
            dict.fromkeys(("empty", "full"), 200),
            effort.rounds,
        )
    taken = Samples(samples)
    yield Row(
        name="claim and give back",
        ours=taken.side("full", attrgetter("cpu_ms"), f"{{:.3f}} ms CPU, {long:,} in its history"),
        peer=taken.side("empty", attrgetter("cpu_ms"), "{:.3f} ms CPU, none"),
        figure=taken.ratio("full", "empty", attrgetter("cpu_each")),
        bound=Bound("<=", 1.5),
    )


def restart(effort: Effort) -> Iterator[Row]:
    """Measure the time from starting `pillarbox worker` behind a killed one to its first attempt, a hundred thousand waiting."""
    waiting = effort.times(WAITING)
    seconds = []
    for _ in range(effort.loads):
        with tempfile.TemporaryDirectory() as folder, sink() as server:
            seconds.append(_first_attempt(Path(folder), server, waiting))
    yield Row(
        name="first attempt after a restart",
        ours=Side("pillarbox worker", f"{waiting:,} waiting"),
        peer=Side("no peer", ""),
        figure=Spread.of(seconds),
        unit="s",
        bound=Bound("<=", 3.0),
    )


def _compare(counts: dict[str, int], job: Job, effort: Effort, server: Sink | None) -> Samples:
    lacks = {name: postfix_queue.missing() if name == POSTFIX else missing(name) for name in counts}
    scaled = {name: effort.times(count) for name, count in counts.items() if not lacks[name]}
    with contextlib.ExitStack() as stack:
        running: dict[str, Contender] = {}
        for name in scaled:
            if name == POSTFIX and server is not None:
                running[name] = stack.enter_context(postfix_queue.contender(job, server))
            else:
                running[name] = stack.enter_context(start_python(name, job))
        for name, count in scaled.items():
            if warm_up(count):
                running[name].turn(warm_up(count))
        taken = in_turns(running, scaled, effort.rounds)
    return Samples(taken, {name: lack for name, lack in lacks.items() if lack})


def _rate(name: str, samples: Samples, ours: str, peer: str, bound: Bound | None = None) -> Row:
    a_second = attrgetter("a_second")
    return Row(
        name=name,
        ours=samples.side(ours, a_second, "{:,.0f} msg/s"),
        peer=samples.side(peer, a_second, "{:,.0f} msg/s"),
        figure=samples.ratio(peer, ours, attrgetter("wall_each")),
        bound=bound,
    )


@attrs.frozen
class _Claims:
    """Claims one entry and gives it back, as often as asked."""

    outbox: SqliteOutbox

    def turn(self, count: int) -> Sample:
        """Do it; the CPU counts, since the disk is shared."""
        from pillarbox._outbox import steps

        worker = self.outbox.enter("worker")
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            (entry,) = self.outbox.claim(Wanted(worker=worker))
            self.outbox.take([steps.released(entry)])
        sample = Sample(count, time.perf_counter() - began, time.process_time() - cpu)
        self.outbox.leave(worker)
        return sample


@contextlib.contextmanager
def _outbox_of(ended: int) -> Iterator[SqliteOutbox]:
    """Yield an outbox of so many ended entries and a hundred that wait."""
    with queues.desk(1, queues.FREE) as mailer:
        what = cases.case("4 KB")
        mailer.enqueue_many((queues.message(what) for _ in range(1)), user=queues.USER)
        kept = mailer.queue
        assert isinstance(kept, SqliteOutbox)
        _multiply(kept.path, ended)
        mailer.enqueue_many((queues.message(what) for _ in range(100)), user=queues.USER)
        yield kept


def _multiply(path: Path, count: int) -> None:
    """Make the first entry of the file *count* ended ones, their bytes erased, their history one line each."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        names = [
            row[1]
            for row in database.execute("PRAGMA table_info(entries)")
            if row[1] not in {"seq", "key", "state", "erased"}
        ]
        columns = ", ".join(names)
        database.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 WHERE ? > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            f" INSERT INTO entries (key, state, erased, {columns})"
            f" SELECT lower(hex(randomblob(16))), 'accepted', 1, {columns} FROM n, (SELECT * FROM entries LIMIT 1)",
            (count, count),
        )
        database.execute(
            "INSERT INTO events SELECT seq, 1, created, state, '', '', '' FROM entries WHERE state = 'accepted'"
        )


def _first_attempt(folder: Path, server: Sink, waiting: int) -> float:
    """Kill a worker that has begun with so many, and return the seconds from the start of the next to its first attempt."""
    settings = queues.settings_file(folder, server.port)
    _enqueue(settings, waiting)
    _seconds_to_accepted(settings, server)
    _enqueue(settings, 1)  # where few waited, all may have left
    return _seconds_to_accepted(settings, server)


def _enqueue(settings: Path, count: int) -> None:
    what = cases.case("4 KB")
    with pillarbox.Mailer.open(settings) as mailer:
        mailer.enqueue_many((queues.message(what) for _ in range(count)), user=queues.USER)


def _seconds_to_accepted(settings: Path, server: Sink) -> float:
    """Start a worker, and kill it when the sink has accepted another message; return how long that took."""
    before, began = server.counts().messages, time.perf_counter()
    command = [*queues.WORKER, str(settings), "worker"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        while server.counts().messages == before:
            assert started.poll() is None, "the worker ended"
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        started.kill()
    return seconds
