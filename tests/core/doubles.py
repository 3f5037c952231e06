"""What the tests of core are given: transports of each sender policy, and directories of one company."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import weakref
from pathlib import Path

import attrs

from pillarbox import (
    Account,
    Actor,
    Address,
    Company,
    Credentials,
    EnvelopeSender,
    FromPolicy,
    Journal,
    Mailer,
    MemoryDirectory,
    Message,
    Plugins,
    Receipt,
    Role,
    Route,
    Secret,
    SenderPolicy,
    TomlDirectory,
    Transport,
    User,
    compose,
)
from pillarbox._outbox.sqlite import SqliteOutbox
from pillarbox.outbox import Search
from pillarbox.settings import between, setting


@attrs.frozen(kw_only=True)
class Settings:
    """Settings with everything that core looks at."""

    server: str = setting("mail.acme.example", binds=True, help="The server.")
    port: int = setting(25, binds=True, check=between(1, 65535))
    command: str = setting("", set_by=Role.DEPLOYER)
    username: str = setting("")
    username_differs: bool = setting(False)
    password: Secret | None = setting(None)
    mailbox: str = setting("")
    from_policy: FromPolicy | None = setting(None, set_by=Role.ADMINISTRATOR)
    envelope_sender: EnvelopeSender = setting(EnvelopeSender.USER)


@attrs.frozen(kw_only=True)
class ClientSettings(Settings):
    """The same of a mail program."""

    desktop_user: str = setting("")
    require_match: bool = setting(default=False)


class ByUser(Transport):
    """Shows the user's address, as SMTP does."""

    settings: Settings
    label = "Usermail"
    sender_policy = SenderPolicy.USER

    def send(self, submission, journal):
        with journal.handing_over():
            return Receipt(submission.message_id)

    @classmethod
    def identity(cls, settings):
        return settings.username if settings.username and not settings.username_differs else None


class ByAccount(ByUser):
    """Shows the account's mailbox, as Microsoft 365 and Gmail do."""

    settings: Settings
    label = "Accountmail"
    sender_policy = SenderPolicy.ACCOUNT


class ByClient(ByUser):
    """Shows what the mail program is set to, as Outlook does."""

    settings: ClientSettings
    label = "Clientmail"
    sender_policy = SenderPolicy.CLIENT


METHODS = {"umail": ByUser, "amail": ByAccount, "cmail": ByClient}


def plugins(**extra) -> Plugins:
    """Return the three, and others by name."""
    return Plugins(extra={**METHODS, **extra})


def directory(method: str = "umail", users: tuple[User, ...] = (), **settings) -> MemoryDirectory:
    """Return a company that sends by *method*, Anna (From company), and *users*."""
    company = Company(
        address="orders@acme.example", name="Acme Ltd", method=method, methods={method: settings}
    )
    anna = User(id="anna", address="anna@acme.example", name="Anna Berg")
    return MemoryDirectory(company, [anna, *users], plugins=plugins())


class Slow(Transport):
    """Takes its time before or inside the hand-over, and counts how many send at once."""

    settings: Settings
    label = "Slow"
    sender_policy = SenderPolicy.USER
    before = 0.0
    inside = 0.0
    release: threading.Event | None = None

    def send(self, submission, journal):
        cls = type(self)
        with cls.guard:
            cls.now += 1
            cls.most = max(cls.most, cls.now)
        try:
            self._wait(self.before)
            with journal.handing_over():
                cls.handed.append(submission.key)
                self._wait(self.inside)
                cls.accepted.append(submission.key)
            return Receipt(submission.message_id)
        finally:
            with cls.guard:
                cls.now -= 1

    def _wait(self, seconds):
        if self.release is not None and seconds:
            self.release.wait(seconds)
        else:
            time.sleep(seconds)


def slow(**attributes) -> type[Slow]:
    """Return a fresh `Slow` with counters of its own."""
    fresh = {"guard": threading.Lock(), "now": 0, "most": 0, "handed": [], "accepted": []}
    return type("FreshSlow", (Slow,), {**fresh, **attributes})


ROUTE = Route(account=Account(owner="company", method="x", mailbox="a@acme.example"), from_address=Address("a@acme.example"), envelope_sender="a@acme.example")  # fmt: skip
SECRET = "canary-hunter2"


@attrs.frozen
class NoSettings:
    """Settings of nothing."""


class Scripted(Transport):
    """Does as it was told: an error before or inside the hand-over, or none."""

    settings: NoSettings
    label = "Scripted"

    def __init__(self, *script, credentials=None):
        super().__init__(NoSettings(), credentials)
        self.script = list(script)

    def send(self, submission, journal):
        where, error = self.script.pop(0) if self.script else ("", None)
        if where == "before":
            raise error
        with journal.handing_over():
            if where == "inside":
                raise error
        if where == "after":
            raise error
        return Receipt(submission.message_id)


def submission(subject="s", **fields):
    """Return a submission to a customer."""
    return compose(Message(to="b@customer.example", subject=subject, text="t", **fields), ROUTE)


class Known(Credentials):
    """Knows one secret, and blots it out."""

    def secret(self, name):
        return SECRET

    def token(self, purpose="send", *, host=""):
        return SECRET

    def update(self, change):
        return None

    def redact(self, text):
        return text.replace(SECRET, "[secret]")


class NeverMarks(Transport):
    """Forgets to say when it hands over."""

    settings: NoSettings
    label = "Forgetful"

    def send(self, submission, journal):
        raise RuntimeError("somewhere")


def attempts(*subjects):
    """Return a batch: a submission of each subject, with its journal."""
    return [(submission(subject), Journal()) for subject in subjects]


LETTER = Message(to="ap@customer.example", subject="Invoice 1001", text="attached")


def mailer(method=None, **more) -> Mailer:
    """Return a mailer whose company sends by *method*, a transport class, and who knows Anna."""
    found = plugins(**({"slowmail": method} if method else {}))
    company = Company(address="orders@acme.example", name="Acme", method="slowmail" if method else "umail")
    anna = User(id="anna", address="anna@acme.example", name="Anna Berg")
    return Mailer(MemoryDirectory(company, [anna], plugins=found), **more)


def until(condition) -> None:
    """Wait until *condition* holds."""
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


class KeptOutbox(SqliteOutbox):
    """The embedded outbox in a folder of its own, with what tests ask of it."""

    def __init__(self, settings=None, **more):
        home = tempfile.mkdtemp(prefix="pillarbox-")
        weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
        super().__init__(Path(home) / "o.sqlite3", settings, **more)

    @property
    def entries(self):
        return {entry.key: entry for entry in reversed(self.list(Search(limit=10_000)))}

    def states(self):
        return [entry.state for entry in self.entries.values()]


GOOD = """\
# The company, and why.
[company]
address = "orders@acme.example"  # ours
name = "Acme Ltd"
method = "umail"

[company.umail]
server = "smtp.acme.example"     # the old one
password = { env = "PW" }

[users.anna]
address = "anna@acme.example"
name = "Anna Berg"

# Otto likes his own.
[users.otto]
address = "otto@acme.example"
settings = "personal"
method = "umail"

[users.otto.umail]
server = "mail.acme.example"
"""
DEPLOYER = Actor("root", Role.DEPLOYER)


def opened(path) -> TomlDirectory:
    """Return the directory of a settings file."""
    return TomlDirectory(path, plugins=plugins())
