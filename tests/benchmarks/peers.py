"""The Python peers, each used as its own documentation uses it; connections are kept where it can keep them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import smtplib
import socket
import tempfile
import tomllib
from collections.abc import Iterator
from email.policy import SMTP
from typing import Any

from tests.benchmarks import users
from tests.benchmarks.cases import (
    FILENAME,
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


@contextlib.contextmanager
def smtplib_ready(job: Job) -> Iterator[Run]:
    """Carry bytes that were composed beforehand, over one kept connection."""
    ready = ready_bytes(case(job.case))

    def run(count: int) -> None:
        for _ in range(count):
            client.sendmail(SENDER, [RECIPIENT], ready)

    with smtplib.SMTP("127.0.0.1", job.port) as client:
        yield run


@contextlib.contextmanager
def hand_made_loop(job: Job) -> Iterator[Run]:
    """Carry ready bytes, the next envelope behind each dot (RFC 2920), counting replies and handling no error."""
    body = re.sub(rb"(?m)^\.", b"..", ready_bytes(case(job.case))) + b".\r\n"
    envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()

    def run(count: int) -> None:
        wire.sendall(envelope)
        for left in reversed(range(count)):
            _skip_lines(wire, 3)
            wire.sendall(body + (envelope if left else b""))
            _skip_lines(wire, 1)

    with socket.create_connection(("127.0.0.1", job.port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _skip_lines(wire, 1)
        wire.sendall(b"HELO client.example\r\n")
        _skip_lines(wire, 1)
        yield run


def _skip_lines(wire: socket.socket, count: int) -> None:
    """Read *count* reply lines and not an octet more."""
    while count:
        waiting = wire.recv(4096, socket.MSG_PEEK)
        if not waiting:
            raise ConnectionError("the sink has gone")
        lines = waiting.split(b"\n")[:-1][:count]
        wire.recv(sum(map(len, lines)) + len(lines))
        count -= len(lines)


@contextlib.contextmanager
def smtplib_composing(job: Job) -> Iterator[Run]:
    """Compose each message with EmailMessage and send it with send_message, over one kept connection."""
    what = case(job.case)

    def run(count: int) -> None:
        for _ in range(count):
            client.send_message(email_message(what))

    with smtplib.SMTP("127.0.0.1", job.port) as client:
        yield run


@contextlib.contextmanager
def aiosmtplib_composing(job: Job) -> Iterator[Run]:
    """Compose each message with EmailMessage and send it with aiosmtplib, over one kept connection."""
    what = case(job.case)
    import aiosmtplib

    async def send(count: int) -> None:
        for _ in range(count):
            await client.send_message(email_message(what))

    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=job.port, start_tls=False, use_tls=False)
    with asyncio.Runner() as runner:
        runner.run(client.connect())
        yield lambda count: runner.run(send(count))
        runner.run(client.quit())


@contextlib.contextmanager
def redmail_composing(job: Job) -> Iterator[Run]:
    """Compose and send each message with redmail, over one kept connection."""
    what = case(job.case)
    from redmail.email.sender import EmailSender

    attachments: dict[str, Any] | None = None if what.attachment is None else {FILENAME: what.attachment}

    def run(count: int) -> None:
        for _ in range(count):
            sender.send(
                subject=SUBJECT,
                sender=SENDER,
                receivers=[RECIPIENT],
                text=what.text,
                html=what.html,
                attachments=attachments,
            )

    sender = EmailSender(host="127.0.0.1", port=job.port, use_starttls=False)
    with sender:
        yield run


@contextlib.contextmanager
def email_message_alone(job: Job) -> Iterator[Run]:
    """Compose with EmailMessage to bytes with CRLF, as they go on the wire."""
    what = case(job.case)

    def run(count: int) -> None:
        for _ in range(count):
            email_message(what).as_bytes(policy=SMTP)

    yield run


@contextlib.contextmanager
def django_alone(job: Job) -> Iterator[Run]:
    """Compose with Django to bytes with CRLF, as its SMTP backend does."""
    from django.conf import settings  # type: ignore[import-untyped,unused-ignore]

    if not settings.configured:  # Django's own tests may have been here
        settings.configure(EMAIL_USE_LOCALTIME=False)
    what = case(job.case)

    def run(count: int) -> None:
        for _ in range(count):
            _django_bytes(_django_email(what))

    yield run


def _django_email(what: Case) -> Any:
    from django.core.mail import EmailMultiAlternatives  # type: ignore[import-untyped,unused-ignore]

    email = EmailMultiAlternatives(SUBJECT, what.text, f"{SENDER_NAME} <{SENDER}>", [RECIPIENT])
    if what.html is not None:
        email.attach_alternative(what.html, "text/html")
    if what.attachment is not None:
        email.attach(FILENAME, what.attachment, "application/pdf")
    return email


def _django_bytes(email: Any) -> bytes:
    """Return *email* as bytes: before version 6 the message brings its own as_bytes, from then on it takes a policy."""
    import django  # type: ignore[import-untyped,unused-ignore]

    composed: bytes = (
        email.message().as_bytes(linesep="\r\n")
        if django.VERSION < (6,)
        else email.message(policy=SMTP).as_bytes()
    )
    return composed


@contextlib.contextmanager
def sqlite_reads(job: Job) -> Iterator[Run]:
    """Read a user's row by its id from SQLite and take the settings apart: fresh by nature, across processes."""
    import sqlite3

    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(sqlite3.connect(f"{folder}/users")) as rows,
    ):
        rows.execute("CREATE TABLE users (id TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID")
        rows.executemany("INSERT INTO users VALUES (?, ?)", map(_row, users.names(job.users)))
        rows.commit()
        callers = users.callers(job.users)

        def run(count: int) -> None:
            for user in itertools.islice(callers, count):
                found = rows.execute("SELECT settings FROM users WHERE id = ?", (user,)).fetchone()
                json.loads(found[0])

        yield run


def _row(user: str) -> tuple[str, str]:
    return user, json.dumps(
        {"address": f"{user}@acme.example", "name": f"User {user}", "settings": "company"}
    )


@contextlib.contextmanager
def tomllib_parses(job: Job) -> Iterator[Run]:
    """Parse the settings file to plain values."""
    text = users.settings_file(job.users, job.personal)

    def run(count: int) -> object:
        return [tomllib.loads(text) for _ in range(count)]

    yield run
