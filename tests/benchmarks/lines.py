"""Contenders that open TLS connections and keep them: one for each mailbox, one message over each."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Iterator

import pillarbox
from tests.benchmarks import users
from tests.benchmarks.cases import RECIPIENT, SENDER, SUBJECT, case, ready_bytes
from tests.benchmarks.jobs import Job, Run

SERVER = "127.0.0.1"


@contextlib.contextmanager
def pillarbox_lines(job: Job) -> Iterator[Run]:
    """Send as the next users, each with an account of their own, whose connection the mailer keeps."""
    names = iter(users.names(job.users))
    directory = pillarbox.MemoryDirectory(
        pillarbox.Company(address=SENDER), [_user(name, job) for name in users.names(job.users)]
    )
    message = pillarbox.Message(to=[RECIPIENT], subject=SUBJECT, text=case(job.case).text)

    def run(count: int) -> None:
        for _ in range(count):
            mailer.send(message, user=next(names))

    with pillarbox.Mailer(directory) as mailer:
        yield run


def _user(name: str, job: Job) -> pillarbox.User:
    smtp = {
        "server": SERVER,
        "port": job.port,
        "encryption": "tls",
        "authenticate": False,
        "ca_file": job.ca_file,
    }
    return pillarbox.User(
        id=name,
        address=f"{name}@acme.example",
        choice=pillarbox.Choice.PERSONAL,
        method="smtp",
        methods={"smtp": smtp},
    )


@contextlib.contextmanager
def smtplib_lines(job: Job) -> Iterator[Run]:
    """Keep one `SMTP_SSL` for each mailbox, all with one context."""
    context, ready = _context(job), ready_bytes(case(job.case))
    kept: list[smtplib.SMTP_SSL] = []

    def run(count: int) -> None:
        for _ in range(count):
            kept.append(smtplib.SMTP_SSL(SERVER, job.port, context=context))
            kept[-1].sendmail(SENDER, [RECIPIENT], ready)

    try:
        yield run
    finally:
        for client in kept:
            client.close()


@contextlib.contextmanager
def aiosmtplib_lines(job: Job) -> Iterator[Run]:
    """Keep one aiosmtplib client for each mailbox, all with one context."""
    import aiosmtplib

    context, ready = _context(job), ready_bytes(case(job.case))
    kept: list[aiosmtplib.SMTP] = []

    async def send(count: int) -> None:
        for _ in range(count):
            kept.append(aiosmtplib.SMTP(hostname=SERVER, port=job.port, use_tls=True, tls_context=context))
            await kept[-1].connect()
            await kept[-1].sendmail(SENDER, [RECIPIENT], ready)

    async def close() -> None:
        for client in kept:
            client.close()

    with asyncio.Runner() as runner:
        yield lambda count: runner.run(send(count))
        runner.run(close())


def _context(job: Job) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=job.ca_file)
