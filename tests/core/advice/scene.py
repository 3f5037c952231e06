"""A company with two writers, an outbox, and methods that are made for a test."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import attrs

from pillarbox import (
    Attachment,
    Capabilities,
    Company,
    Connection,
    Description,
    Level,
    Limits,
    Mailer,
    MemoryDirectory,
    Message,
    Plugins,
    SenderPolicy,
    User,
)
from pillarbox.outbox import OutboxSettings
from pillarbox.settings import setting
from pillarbox.testing import MemoryConnector
from tests.core.doubles import METHODS, ByUser, KeptOutbox, Settings

ANNA = User(id="anna", address="anna@acme.example", name="Anna Berg")
OTTO = User(id="otto", address="otto@other.example", name="Otto Lind")
QUICK = OutboxSettings()


@attrs.frozen(kw_only=True)
class Needing(Settings):
    """Settings of which something is required."""

    server: str = setting(help="The server.")


class Needs(ByUser):
    settings: Needing
    label = "Needy"


class Strict(ByUser):
    """Takes little, and can look once it is connected with that right."""

    settings: Settings
    label = "Strictmail"
    sender_policy = SenderPolicy.ACCOUNT
    takes_envelope = False
    saves_copy = True
    connector: ClassVar[str] = "memory"
    allowed: ClassVar[Limits] = Limits(per_minute=2, per_day=3, recipients=2, size=1_000)

    @classmethod
    def limits(cls, settings):
        return cls.allowed

    @classmethod
    def describe(cls, settings):
        return Description(via="Strict", copy="filed by Strictmail")

    @classmethod
    def capabilities(cls, connection):
        return Capabilities(find=connection is not None and "look" in connection.scopes)


class Split(ByUser):
    """Takes two recipients at once, and any more in parts."""

    settings: Settings
    label = "Splitmail"

    @classmethod
    def limits(cls, settings):
        return Limits(recipients=2)


def mailer(*users: User, method: str = "umail", connectors=True, vault=None, **more) -> Mailer:
    """Return a mailer whose company sends by *method*."""
    methods = {**METHODS, "needs": Needs, "strict": Strict, "split": Split, **more.pop("extra", {})}
    found = Plugins(allowed=(), extra=methods, connectors={"memory": MemoryConnector} if connectors else {})
    company = Company(address="orders@acme.example", name="Acme Ltd", method=method, **more)
    directory = MemoryDirectory(company, list(users) or [ANNA], plugins=found)
    return Mailer(directory, outbox=KeptOutbox(QUICK), queue=QUICK, vault=vault)


def found(box: Mailer, to: str, user: str | None = None) -> dict[str, list]:
    """Return what is advised, by code."""
    told: dict[str, list] = {}
    for one in box.advise(to, user):
        told.setdefault(one.code, []).append(one)
    return told


def levels(told: dict[str, list]) -> dict[str, Level]:
    return {code: those[0].level for code, those in told.items()}


def sent(
    box: Mailer,
    count: int = 1,
    *,
    size: int = 0,
    to: int = 1,
    every: float = 1.0,
    writer: str | None = "anna",
):
    """Keep and send *count* messages, one *every* so many seconds."""
    outbox = box.outbox
    at = outbox.clock()
    for number in range(count):
        outbox.clock = lambda moment=at + dt.timedelta(seconds=number * every): moment
        attachments = [Attachment("a.bin", b"x" * size)] if size else []
        people = [f"p{one}@customer.example" for one in range(to)]
        box.enqueue(Message(to=people, subject="Invoice", text="Hello", attachments=attachments), user=writer)
        box.worker().run(drain=True)


def connection(address: str = "orders@acme.example", *, scopes=("send", "look"), aliases=()) -> Connection:
    return Connection(
        issuer="https://memory.invalid", subject=address, address=address, scopes=scopes, aliases=aliases,
        connector="memory", purpose="send", grant="confirm",
    )  # fmt: skip


class Learned(Mailer):
    """A mailer whose sign-ins are told by a test."""

    learned: ClassVar[dict[str, Connection]] = {}

    def _connections(self, company):
        return self.learned


def learned(box: Mailer, **connections: Connection) -> Mailer:
    """Return *box* with *connections* by owner."""
    box.__class__ = type("LearnedHere", (Learned,), {"learned": connections})
    return box
