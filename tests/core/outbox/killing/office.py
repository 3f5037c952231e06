"""A company with an outbox in a folder, whose mail goes by SMTP to a sink, or to a file that can be looked at."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from pillarbox import Company, Mailer, MemoryDirectory, Message, Plugins, User
from pillarbox._outbox.sqlite import SqliteOutbox
from pillarbox.outbox import OutboxSettings
from pillarbox.testing._outbox_contract._post import LogTransport

SETTINGS = OutboxSettings(shortest_wait=0.05, longest_wait=0.2, user_burst=0, company_burst=0)


class WindowedLog(LogTransport):
    """Takes several before it answers the first."""

    window = 4

    def send_many(self, attempts):
        unanswered = []
        for submission, journal in attempts:
            unanswered.append(next(super().send_many([(submission, journal)])))
            if len(unanswered) == self.window:
                yield unanswered.pop(0)
        yield from unanswered


@attrs.frozen
class Office:
    """Where it keeps things, and who carries its mail.

    Attributes:
        folder: Its own.
        port: Of the SMTP sink, or 0 for the file.
        mailboxes: How many users have an account of their own.
        pause: Seconds that the file takes, before and after it has a message.
        several: Whether the file takes several before it answers, so that hand-overs are marked ahead.
    """

    folder: Path
    port: int = 0
    mailboxes: int = 5
    pause: float = 0.005
    several: bool = False

    @property
    def log(self) -> Path:
        """What the carrier writes down."""
        return self.folder / "carrier.log"

    def outbox(self) -> SqliteOutbox:
        return SqliteOutbox(self.folder / "outbox.sqlite3", self.settings)

    @property
    def settings(self) -> OutboxSettings:
        return attrs.evolve(SETTINGS, batch=2 * WindowedLog.window) if self.several else SETTINGS

    def mailer(self) -> Mailer:
        """Return the mailer of this process."""
        method = "smtp" if self.port else "log"
        users = [
            User(
                id=f"u{number}",
                address=f"u{number}@acme.example",
                choice="personal",
                method=method,
                methods=self._methods,
            )
            for number in range(self.mailboxes)
        ]
        plugins = (
            Plugins(extra={"log": WindowedLog if self.several else LogTransport})
            if not self.port
            else Plugins()
        )
        directory = MemoryDirectory(Company(address="orders@acme.example"), users, plugins=plugins)
        return Mailer(
            directory,
            outbox=self.outbox(),
            queue=self.settings,
            plugins=plugins,
            private_networks=["127.0.0.0/8"],
        )

    @property
    def _methods(self) -> dict[str, dict[str, object]]:
        smtp = {
            "server": "127.0.0.1",
            "port": self.port,
            "encryption": "none",
            "authenticate": False,
            "local_hostname": f"w{os.getpid()}.acme.example",
        }
        return {"smtp": smtp, "log": {"path": str(self.log), "pause": self.pause}}

    def enqueue(self, mailer: Mailer, number: int) -> str:
        """Put invoice *number* into the outbox, under its own name; return the entry's key."""
        message = Message(to=f"{number}@customer.example", subject=f"Invoice {number}", text="attached")
        return mailer.enqueue(message, user=f"u{number % self.mailboxes}", key=f"INV-{number}").key
