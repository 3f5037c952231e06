"""Many mailboxes at a server that enforces its limits, and one mailbox whose server hangs: what was refused, and who was slowed.

python -m tests.core.outbox.killing.crowded [--messages 20000] [--mailboxes 200]
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pillarbox import Company, Mailer, MemoryDirectory, Message, Plugins, State, User
from pillarbox._transports import Limits
from pillarbox.outbox import OutboxSettings, Search, SqliteOutbox
from pillarbox_smtp import SmtpTransport
from tests.core.outbox.killing.runs import sink

PER_MINUTE = 28
OPEN = Search(states=frozenset(set(State) - {State.ACCEPTED}), limit=1)
RULES = OutboxSettings(user_burst=0, company_burst=0)


class Limited(SmtpTransport):
    """SMTP to a server whose limits are those of smtp.office365.com."""

    @classmethod
    def limits(cls, settings: object) -> Limits:
        return Limits(concurrency=2, per_minute=PER_MINUTE)


def desk(folder: Path, ports: list[int], method: str) -> Mailer:
    """Return a mailer for as many users as there are *ports*, each with an account of their own there."""
    users = [
        User(
            id=f"u{number}",
            address=f"u{number}@acme.example",
            choice="personal",
            method=method,
            methods={method: _smtp(port)},
        )
        for number, port in enumerate(ports)
    ]
    plugins = Plugins(extra={"limited": Limited})
    directory = MemoryDirectory(Company(address="orders@acme.example"), users, plugins=plugins)
    outbox = SqliteOutbox(folder / "outbox.sqlite3", RULES)
    return Mailer(directory, outbox=outbox, queue=RULES, plugins=plugins, private_networks=["127.0.0.0/8"])


def _smtp(port: int) -> dict[str, object]:
    return {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}


def fill(mailer: Mailer, messages: int, mailboxes: int) -> None:
    """Enqueue *messages*, spread over the mailboxes."""

    def put(number: int) -> None:
        message = Message(to=f"{number}@customer.example", subject=f"Invoice {number}", text="attached")
        mailer.enqueue(message, user=f"u{number % mailboxes}")

    with ThreadPoolExecutor(16) as pool:
        collections.deque(pool.map(put, range(messages)), maxlen=0)


def limits(messages: int, mailboxes: int) -> bool:
    """Send all within the limits, print what it took, and say whether nothing was refused."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(sink(folder, pause=0.002, per_minute=PER_MINUTE, minute=60.0, at_once=2))
        mailer = stack.enter_context(desk(folder, [port] * mailboxes, "limited"))
        fill(mailer, messages, mailboxes)
        started = time.monotonic()
        with mailer.worker():
            while mailer.outbox is not None and mailer.outbox.list(OPEN):
                time.sleep(0.2)
        seconds = time.monotonic() - started
        said = collections.Counter(
            line.split(maxsplit=1)[0] for line in (folder / "carrier.log").open(encoding="ascii")
        )
    least = 60.0 * (-(-messages // mailboxes) // PER_MINUTE)
    print(
        f"{messages:,} messages, {mailboxes} mailboxes, {PER_MINUTE} a minute and 2 at once each: accepted {said['accept']:,}, "
        f"refused {said['refuse']}; {seconds:.0f} s, {least:.0f} at the least",
        flush=True,
    )
    return said["refuse"] == 0 and said["accept"] == messages


@contextlib.contextmanager
def hanging() -> Iterator[int]:
    """Listen on a port and never say a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


def rate(*, hangs: bool, lanes: int = 20, seconds: float = 8.0) -> float:
    """Return how many messages a second leave by the lanes whose servers answer."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        port, silence = stack.enter_context(sink(folder, pause=0.02)), contextlib.ExitStack()
        silent = silence.enter_context(hanging())
        mailer = stack.enter_context(desk(folder, [port] * lanes + [silent if hangs else port], "smtp"))
        fill(mailer, 250 * lanes, lanes + 1)
        worker = mailer.worker().start()
        while _accepted(folder) < lanes:
            time.sleep(0.01)
        before, started = _accepted(folder), time.monotonic()
        time.sleep(seconds)
        found = (_accepted(folder) - before) / (time.monotonic() - started)
        worker.stop()
        silence.close()
        worker.join(60)
        return found


def _accepted(folder: Path) -> int:
    """Return how many messages of the lanes that never hang were taken."""
    log = folder / "carrier.log"
    return log.read_bytes().count(b"accept ") if log.exists() else 0


def hang(rounds: int = 3) -> bool:
    """Print the rate of the others with one lane that hangs, as a part of the rate without, in interleaved rounds."""
    found = [(rate(hangs=False), rate(hangs=True)) for _ in range(rounds)]
    for free, beside in found:
        print(f"  {free:6.1f} a second in 21 lanes, {beside:6.1f} in 20 beside one that hangs", flush=True)
    ratio = statistics.median(beside / (free * 20 / 21) for free, beside in found)
    print(
        f"one lane hangs: the others go on at {ratio:.3f} of their rate (median of {rounds} interleaved rounds)",
        flush=True,
    )
    return ratio > 0.95


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="crowded", description="Limits of many mailboxes, and one that hangs."
    )
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--mailboxes", type=int, default=200)
    wanted = parser.parse_args()
    good = [hang(), limits(wanted.messages, wanted.mailboxes)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
