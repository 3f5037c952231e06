"""A company whose users send by the mail program of their own computer; its door, at a real server; and such a computer."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import uvicorn

from pillarbox import (
    Company,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Message,
    Plugins,
    Receipt,
    Secret,
    SenderPolicy,
    Sighting,
    SightingState,
    State,
    Transport,
    User,
)
from pillarbox.agent import Agent, Tokens
from pillarbox.outbox import OutboxSettings, SqliteOutbox
from pillarbox.settings import Role, setting
from pillarbox_smtp import SmtpTransport
from pillarbox_web import agent_app

QUICK = OutboxSettings(shortest_wait=0.02, longest_wait=0.05, look_for=60.0)
LETTER = Message(to="ap@customer.example", subject="Invoice 1001", text="Hi", bcc="books@acme.example")
USERS = (
    User(id="anna", address="anna@acme.example", name="Anna Berg"),
    User(id="otto", address="otto@acme.example", name="Otto Lind"),
)


@attrs.frozen(kw_only=True)
class DeskSettings:
    """Those of a mail program."""

    profile: str = setting("")
    command: str = setting("", set_by=Role.DEPLOYER)
    password: Secret | None = setting(None)
    desktop_user: str = setting("")


@attrs.define
class Program:
    """What the mail program of one computer has sent, by the submission's key, and what it does."""

    sent: list[str] = attrs.field(factory=list)
    contents: dict[str, bytes] = attrs.field(factory=dict)
    settings: list[DeskSettings] = attrs.field(factory=list)
    before: Callable[[], None] = lambda: None
    inside: Callable[[], None] = lambda: None
    outside: Callable[[], None] = lambda: None
    notes_behind: bool = False

    def transport(self) -> type[Transport]:
        """The method of a mail program that is this one."""
        program = self

        class Desk(Transport):
            settings: DeskSettings
            label = "Deskmail"
            sender_policy = SenderPolicy.CLIENT
            settling = 0.0

            def send(self, submission, journal):
                program.settings.append(self.settings)
                journal.note("draft", submission.key)
                program.before()
                with journal.handing_over():
                    program.inside()
                    program.sent.append(submission.key)
                    program.contents[submission.key] = submission.content_with_bcc()
                program.outside()
                if program.notes_behind:
                    journal.note("behind", "x")
                return Receipt(submission.message_id, sender="anna@acme.example")

            def find(self, submission, journal):
                if submission.key in program.sent:
                    return Sighting(SightingState.SENT, Receipt(submission.message_id))
                return Sighting(SightingState.ABSENT)

        return Desk


def plugins(program: Program) -> Plugins:
    """The methods of one computer."""
    return Plugins(extra={"desk": program.transport(), "smtp": SmtpTransport})


@attrs.define
class Office:
    """The company's server.

    Attributes:
        mailer: Its own.
        url: Its door, on loopback.
        faults: Gets what is asked, and says what goes wrong: `before` it is done, or `after`; or nothing.
        calls: The paths that were asked.
    """

    mailer: Mailer
    url: str = ""
    faults: Callable[[str], str] = lambda path: ""
    calls: list[str] = attrs.field(factory=list)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.mailer.vault)

    def token(self, user: str = "anna", label: str = "the laptop") -> str:
        return self.tokens.issue(user, "company", label, user).secret

    def write(self, user: str | None = "anna", **more: Any) -> str:
        """Keep a mail of *user*'s, and return its key."""
        return self.mailer.enqueue(attrs.evolve(LETTER, **more), user=user).key

    def state(self, key: str) -> State:
        found = self.mailer.queue.get(key)
        assert found is not None
        return found.state

    def states(self, *keys: str) -> list[State]:
        return [self.state(key) for key in keys]

    def app(self, door: Any) -> Any:
        """The door, with its faults."""

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            self.calls.append(scope["path"])
            fault = self.faults(scope["path"])
            if fault == "before":
                raise ConnectionError("fault")
            if fault == "after":

                async def nowhere(_: Any) -> None:
                    return None

                await door(scope, receive, nowhere)
                raise ConnectionError("fault")
            await door(scope, receive, send)

        return answer


@contextlib.contextmanager
def serving(app: Any, certificate: Path | None = None) -> Iterator[str]:
    """Give the address of a real server of *app*, on loopback; it speaks TLS where it has a *certificate*."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        ssl_certfile=certificate,
        ssl_keyfile=certificate,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


@contextlib.contextmanager
def office(folder: Path, certificate: Path | None = None, **table: Any) -> Iterator[Office]:
    """Give a company that sends by the mail program `desk`, and its door."""
    company = Company(address="orders@acme.example", name="Acme", method="desk", methods={"desk": table})
    directory = MemoryDirectory(company, USERS, plugins=plugins(Program()))
    outbox = SqliteOutbox(folder / "outbox.sqlite3", QUICK)
    with Mailer(directory, vault=MemoryVault(), outbox=outbox, queue=QUICK) as mailer:
        made = Office(mailer)
        door = agent_app(mailer)
        with serving(made.app(door), certificate) as url:
            made.url = url
            yield made


@contextlib.contextmanager
def at_desk(url: str, token: str, program: Program) -> Iterator[tuple[Agent, Any]]:
    """Give the worker of a computer with *program*, working."""
    with Agent(url, token, plugins=plugins(program)) as agent:
        worker = agent.worker(agent.enter())
        with worker:
            yield agent, worker


def until(holds: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait until *holds*."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to it in time"
        time.sleep(0.02)
