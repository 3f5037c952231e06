"""pillarbox as a contender, through its public names only; every message is built anew, as a host does."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pillarbox
from tests.benchmarks import users
from tests.benchmarks.cases import FILENAME, RECIPIENT, SENDER, SENDER_NAME, SUBJECT, Case, case
from tests.benchmarks.jobs import Job, Run

USER = "anna"


@contextlib.contextmanager
def sends_many(job: Job) -> Iterator[Run]:
    """Hand all messages over in one send_many; the mailer keeps its connection between turns."""
    with _mailer(job.port) as mailer:
        yield _batches(mailer, case(job.case))


@contextlib.contextmanager
def sends_bulk(job: Job) -> Iterator[Run]:
    """Hand all messages over in one send_many, up to sixteen of them on the way at once (RFC 3030)."""
    with _mailer(job.port, chunking_window=16) as mailer:
        yield _batches(mailer, case(job.case))


@contextlib.contextmanager
def sends_same_attachment(job: Job) -> Iterator[Run]:
    """Hand all messages over in one send_many, every one with the same `Attachment`."""
    what = case(job.case)
    attachments = _attachments(what)
    with _mailer(job.port) as mailer:
        yield _batches(mailer, what, attachments)


def _batches(
    mailer: pillarbox.Mailer, what: Case, attachments: list[pillarbox.Attachment] | None = None
) -> Run:
    def run(count: int) -> None:
        answers = mailer.send_many((message(what, attachments) for _ in range(count)), user=USER)
        _all_accepted(answers, count)

    return run


@contextlib.contextmanager
def sends(job: Job) -> Iterator[Run]:
    """Call send once a message; the mailer keeps its connection between calls."""
    what = case(job.case)
    with _mailer(job.port) as mailer:

        def run(count: int) -> None:
            for _ in range(count):
                mailer.send(message(what), user=USER)

        yield run


@contextlib.contextmanager
def composes(job: Job) -> Iterator[Run]:
    """Build the message and compose it into a submission, whose chunks are what goes on the wire."""
    what, route = case(job.case), _route()

    def run(count: int) -> None:
        for _ in range(count):
            pillarbox.compose(message(what), route)

    yield run


def composed(what: Case) -> pillarbox.Submission:
    """Return what the contender that composes makes of *what*."""
    return pillarbox.compose(message(what), _route())


def mailer_of(path: Path) -> pillarbox.Mailer:
    """Return a mailer for the settings file at *path*, without a vault."""
    return pillarbox.Mailer(pillarbox.TomlDirectory(path))


@contextlib.contextmanager
def explains(job: Job) -> Iterator[Run]:
    """Resolve users that were all resolved before; each time the settings file is looked at for changes."""
    with many_users(job) as path:
        mailer, callers = mailer_of(path), users.callers(job.users)
        for user in users.names(job.users):
            mailer.explain(user)

        def run(count: int) -> None:
            for user in itertools.islice(callers, count):
                mailer.explain(user)

        yield run


@contextlib.contextmanager
def explains_with_vault(job: Job) -> Iterator[Run]:
    """Resolve with a vault, which is asked each time what the account's sign-in learned."""
    with many_users(job) as path:
        mailer = pillarbox.Mailer(pillarbox.TomlDirectory(path), vault=pillarbox.MemoryVault())
        callers = users.callers(job.users)

        def run(count: int) -> None:
            for user in itertools.islice(callers, count):
                mailer.explain(user)

        yield run


@contextlib.contextmanager
def explains_first(job: Job) -> Iterator[Run]:
    """Resolve users with a mailer that knows none of them yet."""
    with many_users(job) as path:
        directory, names = pillarbox.TomlDirectory(path), users.names(job.users)
        directory.look_up(None)

        def run(count: int) -> None:
            mailer = pillarbox.Mailer(directory)
            for user in names[:count]:
                mailer.explain(user)

        yield run


@contextlib.contextmanager
def loads(job: Job) -> Iterator[Run]:
    """Read a settings file of many users, up to the first answer; what was read is kept until the turn ends."""
    with many_users(job) as path:

        def run(count: int) -> object:
            directories = [pillarbox.TomlDirectory(path) for _ in range(count)]
            for directory in directories:
                directory.look_up(users.names(1)[0])
            return directories

        yield run


@contextlib.contextmanager
def many_users(job: Job) -> Iterator[Path]:
    """Yield the path of a settings file with as many users as the job wants."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pillarbox.toml")
        path.write_text(users.settings_file(job.users, job.personal), encoding="utf-8")
        yield path


def message(case: Case, attachments: list[pillarbox.Attachment] | None = None) -> pillarbox.Message:
    """Return *case* as a host builds it, with *attachments* in the place of its own."""
    return pillarbox.Message(
        to=[RECIPIENT],
        subject=SUBJECT,
        text=case.text,
        html=case.html,
        attachments=_attachments(case) if attachments is None else attachments,
    )


def _attachments(case: Case) -> list[pillarbox.Attachment]:
    return [] if case.attachment is None else [pillarbox.Attachment(FILENAME, case.attachment)]


def _mailer(port: int, **more: Any) -> pillarbox.Mailer:
    """Return a mailer of a company that sends by the sink, for one user with the company's settings."""
    plain = {"server": "127.0.0.1", "port": port, "encryption": "none", "authenticate": False}
    company = pillarbox.Company(
        address=SENDER,
        name=SENDER_NAME,
        method="smtp",
        methods={"smtp": plain | more},
        typed_by=pillarbox.Role.DEPLOYER,
    )
    user = pillarbox.User(id=USER, address=SENDER, name=SENDER_NAME)
    return pillarbox.Mailer(pillarbox.MemoryDirectory(company, [user]))


def _route() -> pillarbox.Route:
    account = pillarbox.Account(owner="company", method="smtp", mailbox=SENDER)
    return pillarbox.Route(
        account=account,
        from_address=pillarbox.Address(SENDER, SENDER_NAME),
        envelope_sender=SENDER,
        user=USER,
    )


def _all_accepted(answers: object, count: int) -> None:
    """Go through *answers*, which is what makes a lazy send_many send, and want *count* receipts."""
    received = list(answers)  # type: ignore[call-overload]
    refused = [answer for answer in received if not isinstance(answer, pillarbox.Receipt)]
    if refused or len(received) != count:
        raise RuntimeError(f"{len(refused)} of {len(received)} were not accepted; the first: {refused[:1]}")
