"""The outbox on PostgreSQL, as ratios: its cost over plain Procrastinate, and its rate by the number of workers.

Run it with: python -m tests.benchmarks.postgres
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pillarbox import Mailer, Message, State
from pillarbox.outbox import Search
from tests.benchmarks.processes import ROOT
from tests.plugins.procrastinate.working import USERS, mailer
from tests.services._postgres import Postgres, running_postgres

TEXT = "Please find the invoice attached.\n" * 100
THREADS = 4
ANSWER = 0.2
WORKERS = (1, 2, 4)
OPEN = frozenset({State.QUEUED, State.CLAIMED, State.ATTEMPTING, State.DEFERRED, State.UNKNOWN})


def main() -> int:
    """Print the ratios, and return 1 where one is not what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--only", choices=["cost", "growth"])
    asked = parser.parse_args()
    with running_postgres() as server:
        kept = []
        if asked.only != "growth":
            kept.append(_cost(server, asked.messages, asked.rounds))
        if asked.only != "cost":
            kept.append(_growth(server, asked.messages))
    return 0 if all(kept) else 1


def _cost(server: Postgres, count: int, rounds: int) -> bool:
    """Compare both, in turns, from the first enqueue to the last that is known as sent; the carrier takes no time."""
    both: list[tuple[float, float]] = [(_ours(server, count), _plain(server, count)) for _ in range(rounds)]
    ratio = statistics.median(ours / plain for ours, plain in both)
    print(f"enqueue and send, {count} messages of 4 KB, one worker of {THREADS} threads:")
    for ours, plain in both:
        print(
            f"  ours {ours / count * 1000:.1f} ms a message, plain Procrastinate {plain / count * 1000:.1f} ms"
        )
    print(f"  cost over plain Procrastinate: {ratio:.2f}x (promised: at most 2x)")
    return ratio <= 2


def _ours(server: Postgres, count: int) -> float:
    with _desk(server, answer=0.0) as (desk, _, _), desk.worker():
        time.sleep(1)  # it listens
        begun = time.perf_counter()
        for n in range(count):
            desk.enqueue(_letter(n), user=f"u{n % USERS}")
        _until(lambda: not desk.queue.list(Search(states=OPEN, limit=1)))
        return time.perf_counter() - begun


def _plain(server: Postgres, count: int) -> float:
    """A job for each message that carries it whole; the task hands it to the same carrier and nothing is remembered."""
    return asyncio.run(_plain_run(server.database(), count))


async def _plain_run(url: str, count: int) -> float:
    import procrastinate

    done: list[str] = []
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder, "taken")

        @app.task(name="send")
        def send(key: str, content: str) -> None:
            with taken.open("a") as file:
                file.write(f"{key} {len(content)}\n")
            done.append(key)

        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            options: Any = {
                "concurrency": THREADS,
                "install_signal_handlers": False,
                "delete_jobs": "successful",
            }
            worker = asyncio.create_task(app.run_worker_async(**options))
            await asyncio.sleep(1)
            begun = time.perf_counter()
            for n in range(count):
                await send.defer_async(key=str(n), content=TEXT)
            await asyncio.to_thread(_until, lambda: len(done) == count)
            elapsed = time.perf_counter() - begun
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
    return elapsed


def _growth(server: Postgres, count: int) -> bool:
    """Measure the rate with more and more workers, against a carrier that answers after 200 ms."""
    rates = [_rate(server, count, workers) for workers in WORKERS]
    print(
        f"{count} messages in {USERS} lanes, a carrier that answers after {ANSWER:g} s, {THREADS} threads a worker:"
    )
    for workers, rate in zip(WORKERS, rates, strict=True):
        print(f"  {workers} workers: {rate:.0f} a second, {rate / rates[0]:.2f}x of one")
    return all(later > 1.2 * earlier for earlier, later in itertools.pairwise(rates))


def _rate(server: Postgres, count: int, workers: int) -> float:
    with _desk(server, answer=ANSWER) as (desk, url, taken), _crew(url, taken, workers):
        _until(lambda: desk.queue.workers() == workers)
        time.sleep(2)
        with desk.queue.database.connection() as connection, connection.transaction():  # type: ignore[attr-defined]
            for n in range(count):
                desk.enqueue(_letter(n), user=f"u{n % USERS}", within=connection)
        begun = time.perf_counter()
        _until(lambda: not desk.queue.list(Search(states=OPEN, limit=1)))
        return count / (time.perf_counter() - begun)


def _letter(number: int) -> Message:
    return Message(to="ap@customer.example", subject=f"Invoice {number}", text=TEXT)


@contextlib.contextmanager
def _desk(server: Postgres, answer: float) -> Iterator[tuple[Mailer, str, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder, "taken")
        taken.touch()
        url = server.database()
        desk = mailer(url, "filemail", taken, threads=THREADS, answer=answer)
        desk.queue.list()
        yield desk, url, taken
        desk.queue.close()


@contextlib.contextmanager
def _crew(url: str, taken: Path, workers: int) -> Iterator[None]:
    name = "tests.plugins.procrastinate.working"
    command = [sys.executable, "-m", name, url, "filemail", str(taken), "0", str(THREADS), str(ANSWER)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(workers)]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
