"""SMTP keeps the contract, against a server that is told how to misbehave; with PIPELINING and without."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pillarbox import Credentials, Secret, SignInNeeded
from pillarbox.testing import Accepted, NotStaged, ScriptedServer, TransportContract
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    POINTS,
    After,
    Behaviour,
    ByAddress,
    Cut,
    Garbage,
    Nth,
    Reply,
    Silence,
    Turn,
)
from pillarbox_smtp import Encryption, SmtpSettings, SmtpTransport

PASSWORD = "canary-7d1f-password"
LAST = TransportContract.recipients[-1]
FAULTS: dict[str, dict[str, Behaviour]] = {
    "unreachable": dict.fromkeys(("connect", "mail", "rset", "noop"), Cut()),
    "cut before": {"rcpt": Cut()},
    "silent before": {"rcpt": Silence()},
    "credential refused": {"auth": Reply(535, "5.7.8 authentication failed")},
    "credential refused for now": {"auth": Reply(454, "4.7.0 too many")},
    "sender refused": {"mail": Reply(553, "5.7.1 not yours")},
    "sender refused for now": {"mail": Reply(451, "4.7.1 not now")},
    "recipient refused": {"rcpt": Reply(550, "5.1.1 no such user")},
    "recipient refused for now": {"rcpt": Reply(450, "4.2.1 busy")},
    "one recipient refused": {"rcpt": ByAddress({LAST: Reply(550, "5.1.1 no such user")})},
    "one recipient refused for now": {"rcpt": ByAddress({LAST: Reply(450, "4.2.1 busy")})},
    "content refused": {"dot": Reply(554, "5.7.1 spam")},
    "content refused for now": {"dot": Reply(451, "4.3.0 later")},
    "cut inside": {"body": After(100, Cut())},
    "cut after": {"dot": Cut()},
    "silent after": {"dot": Silence()},
    "nonsense after": {"dot": Garbage()},
}
SECOND = {"second message refused": Reply(554, "5.7.1 spam"), "second message lost": Cut()}


class OnePassword(Credentials):
    """The credentials of the account under test."""

    def secret(self, name: str) -> str:
        if name != "password":
            raise SignInNeeded(f"No {name}.")
        return PASSWORD

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        raise SignInNeeded("Not connected.")

    def update(self, change: Any) -> None:
        raise SignInNeeded("Nothing is stored.")


class TestSmtp(TransportContract):
    """A submission server that asks for a sign-in, on loopback."""

    secrets: ClassVar[tuple[str, ...]] = (PASSWORD,)
    carrier_outlives: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = tuple(CAPABILITIES)
    window: ClassVar[int] = 0
    end: ClassVar[str] = "dot"

    def setup_method(self) -> None:
        self.script: dict[str, Behaviour] = {}
        self.server = ScriptedServer(
            at={point: self.as_scripted(point) for point in POINTS},
            users={"anna@acme.example": PASSWORD},
            capabilities=self.capabilities,
        )
        self.server.__enter__()

    def teardown_method(self) -> None:
        self.server.__exit__(None, None, None)

    def as_scripted(self, point: str) -> Callable[[Turn], Behaviour | None]:
        return lambda _: self.script.get(point)

    def make_transport(self) -> SmtpTransport:
        settings = SmtpSettings(
            server="127.0.0.1",
            port=self.server.port,
            encryption=Encryption.NONE,
            username="anna@acme.example",
            password=Secret(env="NOT_READ_HERE"),
            timeout=2.0,
            final_timeout=2.0,
            chunking_window=self.window,
        )
        return SmtpTransport(settings, OnePassword())

    def accepted(self) -> list[Accepted]:
        return [
            Accepted(one.content, one.sender.address, [path.address for path in one.recipients])
            for one in self.server.accepted
        ]

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault in SECOND:
            self.script = {self.end: Nth(self.server.reached(self.end) + 2, SECOND[fault])}
        elif fault in FAULTS:
            self.script = FAULTS[fault]
        else:
            raise NotStaged(f"the scripted server has no script for: {fault}")
        yield
        self.script = {}


class TestSmtpWithoutPipelining(TestSmtp):
    """The same, where each command waits for its answer."""

    capabilities: ClassVar[tuple[str, ...]] = tuple(one for one in CAPABILITIES if "PIPELINING" not in one)


class TestSmtpByWindow(TestSmtp):
    """The same, where several messages may be on their way at once (RFC 3030)."""

    window: ClassVar[int] = 3
    end: ClassVar[str] = "bdat-last"
    in_doubt: ClassVar[int] = 3
