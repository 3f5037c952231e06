"""`manage.py pillarbox_worker`: moves staged mail into the outbox, and sends what is there."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from pillarbox_django.conf import get_mailer
from pillarbox_django.staging import sweep

EVERY = 5.0
"""Seconds between two sweeps; mail that commits in a process that lives is moved by it at once."""


class Command(BaseCommand):  # type: ignore[misc]
    """Sends what waits, until it is stopped."""

    help = (
        "Move staged mail into the outbox, and send what waits there, until it is stopped (Ctrl-C, SIGTERM)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See Django."""
        parser.add_argument("--drain", action="store_true", help="End when nothing is due any more.")
        parser.add_argument(
            "--every", type=float, default=EVERY, help="Seconds between two sweeps. [%(default)s]"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run."""
        moved = sweep()
        worker = get_mailer().worker()
        if options["drain"]:
            worker.run(drain=True)
            self.stdout.write(f"{moved} moved into the outbox. {_told(worker.counted)}")
            return
        stop = threading.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: stop.set())
        with worker:
            while not stop.wait(max(0.1, options["every"])):
                close_old_connections()  # Django does so between requests, of which there are none here
                sweep()
        self.stdout.write(_told(worker.counted))


def _told(counted: Any) -> str:
    return ", ".join(f"{count} {state.value}" for state, count in counted.items()) or "Nothing was due."
