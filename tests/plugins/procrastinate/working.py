"""A worker in a process of its own, and the carriers that it is tried with."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import attrs

from pillarbox import (
    Company,
    Journal,
    Mailer,
    MemoryDirectory,
    Plugins,
    Receipt,
    SenderPolicy,
    Sighting,
    SightingState,
    Submission,
    Transport,
    User,
)
from pillarbox.outbox import OutboxSettings
from pillarbox_procrastinate import PostgresOutbox


@attrs.frozen(kw_only=True)
class Settings:
    """None."""


USERS = 16
LEASE = 1.5


class FileMail(Transport):
    """Takes a message by a line in a file, then takes its time to say so; it can be asked later, and knows at once."""

    settings: Settings
    label = "File"
    settling = 0.0
    sender_policy = SenderPolicy.USER
    taken: Path
    answer = 0.02
    """Seconds between taking a message and saying so, in which a kill leaves it unknown."""

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        self.hesitate()
        with journal.handing_over():
            with self.taken.open("a") as taken:
                taken.write(f"{submission.key}\n")
            time.sleep(self.answer)
        return Receipt(submission.message_id)

    def hesitate(self) -> None:
        """Do what is done before the hand-over."""

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        if submission.key in self.taken.read_text().split():
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT)


class Hesitant(FileMail):
    """Says that it is about to hand over, and waits until it may."""

    def hesitate(self) -> None:
        self.taken.with_name("ready").touch()
        while not self.taken.with_name("go").exists():
            time.sleep(0.01)


def mailer(
    url: str, method: str, taken: Path, port: int = 0, threads: int = 4, answer: float = 0.02
) -> Mailer:
    """Return a mailer for users with an account each."""
    carrier = {"filemail": FileMail, "hesitant": Hesitant}.get(method)
    extra = (
        {}
        if carrier is None
        else {"carrier": type("Carrier", (carrier,), {"taken": taken, "answer": answer})}
    )
    name = "carrier" if extra else "smtp"
    server = {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}
    methods: Any = {} if extra else {"smtp": server}
    users = [
        User(id=f"u{n}", address=f"u{n}@acme.example", choice="personal", method=name, methods=methods)
        for n in range(USERS)
    ]
    company = Company(address="orders@acme.example", method=name, methods=methods)
    settings = OutboxSettings(
        shortest_wait=0.1, longest_wait=0.5, look_for=0.0, threads=threads, user_burst=0, company_burst=0
    )
    outbox = PostgresOutbox(url, settings, lease=LEASE)
    directory = MemoryDirectory(company, users, plugins=Plugins(extra=extra))
    return Mailer(directory, outbox=outbox, queue=settings)


def main(url: str, method: str, taken: str, port: str, threads: str, answer: str) -> None:
    """Work until told to stop."""
    working = mailer(url, method, Path(taken), int(port), int(threads), float(answer))
    worker = working.worker()
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()
    working.queue.close()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
