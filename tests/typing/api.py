"""What a host and an author of a transport write: checked by mypy --strict and pyright, not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from pillarbox import (
    AccountState,
    Actor,
    AsyncMailer,
    Attachment,
    Attempt,
    Change,
    Changed,
    Choice,
    Company,
    Directory,
    Entry,
    Finding,
    InvalidSettings,
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
    Route,
    Secret,
    SendDeferred,
    SenderPolicy,
    SettingsError,
    Sighting,
    SightingState,
    State,
    Submission,
    Transport,
    User,
    hookimpl,
)
from pillarbox.outbox import Outcome, Slip, deliver, deliver_many, settled, slip, slip_html
from pillarbox.settings import FormField, between, form, setting, structure
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


async def an_asynchronous_host_in_a_hurry(sends: AsyncMailer, message: Message) -> list[Finding]:
    receipts: list[Receipt | PillarboxError] = await sends.send_many([message])
    route: Route = await sends.explain("anna", account="personal")
    _ = await sends.send(message, user="anna", deadline=5)
    return await sends.check(route.user) if receipts else []


def a_page(directory: Directory, login: str) -> str:
    _, user = directory.look_up(login)
    if user is None:
        return ""
    changed = attrs.evolve(
        user, choice=Choice.PERSONAL, method="smtp", methods={"smtp": {"server": "s.example"}}
    )
    by = Actor(login, Role.OWNER)
    try:
        version: str = directory.save(changed, version=user.version, by=by)
    except Changed as error:
        return error.detail
    except InvalidSettings as error:
        problems: tuple[str, ...] = error.problems
        return problems[0]
    history: list[Change] = directory.history(user.owner)
    directory.rename("anna", "anna.berg", by=Actor("boss", Role.ADMINISTRATOR))
    directory.remove("anna.berg", by=Actor("boss", Role.ADMINISTRATOR))
    return version or history[-1].what[0]


def a_form(cls: type) -> list[str]:
    fields: tuple[FormField, ...] = form(cls)
    return [field.label for field in fields if field.set_by is Role.OWNER and not field.advanced]


def what_a_form_gave(table: dict[str, object]) -> Settings | list[str]:
    try:
        return structure(Settings, table, "users.anna.own")
    except InvalidSettings as error:
        return list(error.problems)


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

    def send_many(self, attempts: Iterable[tuple[Submission, Journal]]) -> Iterator[Receipt | PillarboxError]:
        for submission, journal in attempts:
            try:
                yield self.send(submission, journal)
            except SendDeferred as error:
                yield error

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        if journal.notes.get("draft"):
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.UNCLEAR)

    def check(self) -> Iterator[Finding]:
        sock = self.network.connect("s.example", 25, timeout=5)
        sock.close()
        if self.credentials is not None and self.credentials.secret("password"):
            yield Finding("connect", Level.OK, "own-ready", "it is there")

    @classmethod
    def limits(cls, settings: Settings) -> Limits:
        return Limits(concurrency=2)


class TestOwn(TransportContract):
    def make_transport(self) -> Own:
        return Own(Settings(server="s.example"))


def a_monitor(mailer: Mailer) -> int:
    for one in mailer.status("anna"):
        _ = (one.sentence, one.waiting, one.state is AccountState.WORKING)
    return mailer.health().exit_code


def a_desk(path: str, company: Company) -> str:
    mailer = Mailer.open(path)
    for one in mailer.stranded():
        entry: Entry = mailer.move(one.entry.key, by="root") if one.can_move else one.entry
        _ = mailer.send_again(entry.key, anyway=True, by="root").again_of
    _ = (mailer.mended(company), mailer.rename_user)
    shown: Slip = slip(mailer.queue.known("8f3c1a2b"), mailer.queue.history("8f3c1a2b"))
    remembering = Mailer(MemoryDirectory(company), history="sent.sqlite3")
    return slip_html(shown) if remembering.history is not None else shown.limits


class OwnOutbox:
    """As much of the protocol as `send` needs; mypy holds a whole one to it elsewhere."""

    def settle(self, key: str, outcome: Outcome) -> State:
        return settled(outcome)


def a_worker(transport: Transport, waiting: list[tuple[Submission, Journal]]) -> list[State]:
    told: list[Attempt] = []
    one: Receipt = deliver(*waiting[0], transport, told.append)
    return [settled(one), *(settled(outcome) for outcome in deliver_many(waiting[1:], transport))]


@hookimpl
def pillarbox_attempt_finished(attempt: Attempt) -> None:
    _ = (attempt.submission, attempt.receipt, attempt.error, attempt.handed_over)


def a_hosts_test(mailbox: Mailbox) -> None:
    mailer = mailbox.mailer(users=[User(id="anna", address="anna@acme.example")])
    mailer.send(Message(to="a@b.example", subject="s", text="t"), user="anna")
    mailbox.assert_sent(to="a@b.example", shown="anna@acme.example", by="company")
    _ = MemoryDirectory(Company())
