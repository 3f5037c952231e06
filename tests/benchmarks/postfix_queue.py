"""Postfix's own queue as a contender: takes each message by SMTP, keeps it, and hands it on to the sink."""

from __future__ import annotations

import contextlib
import os
import smtplib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.benchmarks import postfix
from tests.benchmarks.cases import RECIPIENT, SENDER, case, ready_bytes
from tests.benchmarks.harness import Sample
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import Sink

POSTFIX_QUEUE = "Postfix's queue, ready bytes"


def missing() -> str:
    """Return how to get what it needs, or ""."""
    if os.geteuid() != 0:
        return "missing: Postfix is started by root alone"
    return postfix.missing()


@contextlib.contextmanager
def contender(job: Job, server: Sink) -> Iterator[PostfixQueue]:
    """Start a Postfix that relays to *server*, and yield it."""
    from tests.services.servers import Authority, Postfix, running

    class Relay(Postfix):
        """Hands on by SMTP, over connections that it keeps for a while."""

        def configure(self) -> list[str]:
            command = super().configure()
            main, master = Path(self.folder, "main.cf"), Path(self.folder, "master.cf")
            more = f"\ndefault_transport = smtp:[127.0.0.1]:{job.port}\nsmtp_tls_security_level = none\nsmtpd_sasl_auth_enable = no\n"
            main.write_text(main.read_text("utf-8") + more, "utf-8")
            os.utime(main, (0, 0))
            master.write_text(master.read_text("utf-8") + "smtp unix - - n - - smtp\n", "utf-8")
            return command

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = Authority.create(folder)
        relay = stack.enter_context(running(lambda: Relay(authority, folder / "no-socket")))
        client = stack.enter_context(smtplib.SMTP("127.0.0.1", relay.plain_port))
        yield PostfixQueue(client, server, ready_bytes(case(job.case)))


@attrs.frozen
class PostfixQueue:
    """One client hands over ready bytes; a turn ends when the sink has accepted all of them."""

    client: smtplib.SMTP
    server: Sink
    ready: bytes

    def turn(self, count: int) -> Sample:
        """Hand over *count* and wait for them; its CPU is spread over Postfix's processes and not counted."""
        before = self.server.counts().messages
        began = time.perf_counter()
        for _ in range(count):
            self.client.sendmail(SENDER, [RECIPIENT], self.ready)
        while self.server.counts().messages < before + count:
            time.sleep(0.002)
        return Sample(count, time.perf_counter() - began, float("nan"))
