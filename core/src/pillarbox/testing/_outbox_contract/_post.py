"""A carrier that is a file, for workers that are killed: what it took outlives them, and can be looked for."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from ..._locks import file_lock
from ..._mail import Receipt, Sighting, SightingState, Submission
from ..._outbox import Entry
from ..._settings import Account
from ..._transports import Journal, Limits, Transport


@attrs.frozen
class LogSettings:
    """Where it writes.

    Attributes:
        path: The file.
        pause: Seconds inside the hand-over, before and after it is taken.
    """

    path: str
    pause: float = 0.0


class LogTransport(Transport):
    """Takes a message by one line of a file, and finds it there."""

    settings: LogSettings
    label = "Log"
    settling = 0.0

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """See `Transport`."""
        with journal.handing_over():
            time.sleep(self.settings.pause)
            with _alone(Path(self.settings.path)):
                log = os.open(self.settings.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(log, f"{submission.key}\n".encode())
                finally:
                    os.close(log)
            time.sleep(self.settings.pause)
        return Receipt(submission.message_id)

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """See `Transport`."""
        if submission.key in logged(Path(self.settings.path)):
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT)


def _alone(log: Path) -> contextlib.AbstractContextManager[None]:
    """Write to *log* alone under Windows, where two that append at once write over each other; elsewhere they don't."""
    beside = log.with_name(f"{log.name}.lock")
    return file_lock(beside) if os.name == "nt" else contextlib.nullcontext()


def logged(path: Path) -> list[str]:
    """Return the keys of what the carrier took, in order."""
    return path.read_text("ascii").split() if path.exists() else []


@attrs.frozen
class LogPost:
    """The post of a worker whose every account is the log's."""

    path: Path
    pause: float = 0.0
    told: None = None

    def account(self, entry: Entry) -> Account:
        """See `Post`."""
        return Account(owner=entry.owner, method=entry.method, mailbox=entry.mailbox, company=entry.company)

    def limits(self, account: Account) -> Limits:
        """See `Post`."""
        return Limits(concurrency=2)

    @contextlib.contextmanager
    def transport(self, account: Account) -> Iterator[Transport]:
        """See `Post`."""
        yield LogTransport(LogSettings(str(self.path), self.pause))
