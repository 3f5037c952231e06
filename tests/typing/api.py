"""What a host and an author of a transport write: checked by mypy --strict and pyright, not run."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from pillarbox import (
    AsyncMailer,
    Attachment,
    Company,
    Directory,
    Finding,
    Journal,
    Level,
    Limits,
    Mailer,
    MemoryDirectory,
    Message,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    Role,
    Secret,
    SendDeferred,
    SenderPolicy,
    SettingsError,
    Submission,
    Transport,
    User,
)
from pillarbox.settings import between, setting
from pillarbox.testing import Mailbox, TransportContract


def a_host(pdf: bytes) -> str:
    mailer: Mailer = Mailer.open("pillarbox.toml")
    message = Message(
        to=["ap@customer.example"],
        subject="Invoice 1001",
        text="...",
        attachments=[Attachment("invoice.pdf", pdf)],
        reference="INV-1001",
    )
    try:
        receipt: Receipt = mailer.send(message, user="anna", deadline=10)
    except SendDeferred as error:
        return f"later, after {error.retry_after}"
    except OutcomeUnknown as error:
        return error.stage
    except PillarboxError as error:
        return error.cure
    for answer in mailer.send_many([message], user="anna"):
        if isinstance(answer, PillarboxError):
            return answer.detail
    return receipt.reference


async def an_asynchronous_host(mailer: Mailer, message: Message) -> Receipt:
    async with AsyncMailer(mailer) as sends:
        return await sends.send(message, user="anna")


class OwnTables(Directory):
    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        found = Company(
            address="orders@acme.example", method="smtp", methods={"smtp": {"server": "s.example"}}
        )
        if user is None:
            return found, None
        if user != "anna":
            raise SettingsError(f"There is no user {user}.")
        return found, User(id="anna", address="anna@acme.example", typed_by=Role.OWNER)


@attrs.frozen(kw_only=True)
class Settings:
    server: str = setting(help="The server.", binds=True)
    port: int = setting(25, check=between(1, 65535), binds=True)
    password: Secret | None = setting(None)


class Own(Transport):
    settings: Settings
    label = "Own"
    sender_policy = SenderPolicy.USER

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        with journal.handing_over():
            _ = submission.content
        return Receipt(submission.message_id)

    def check(self) -> Iterator[Finding]:
        yield Finding("connect", Level.OK, "own-ready", "it is there")

    @classmethod
    def limits(cls, settings: Settings) -> Limits:
        return Limits(concurrency=2)


class TestOwn(TransportContract):
    def make_transport(self) -> Own:
        return Own(Settings(server="s.example"))


def a_hosts_test(mailbox: Mailbox) -> None:
    mailer = mailbox.mailer(users=[User(id="anna", address="anna@acme.example")])
    mailer.send(Message(to="a@b.example", subject="s", text="t"), user="anna")
    mailbox.assert_sent(to="a@b.example", shown="anna@acme.example", by="company")
    _ = MemoryDirectory(Company())
