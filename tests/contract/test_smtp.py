"""SMTP keeps the contract, against a server that is told how to misbehave; with PIPELINING and without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from pillarbox import Credentials, Journal, Secret, SightingState, SignInNeeded
from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    ByAddress,
    Cut,
    Garbage,
    Nth,
    Reply,
    ScriptedServer,
    Silence,
)
from pillarbox_smtp import Encryption, SmtpSettings, SmtpTransport

PASSWORD = "canary-7d1f-password"
FAULTS: dict[str, dict[str, Any]] = {
    "unreachable": {"connect": Cut()},
    "cut before": {"ehlo": Cut()},
    "credential refused": {"auth": Reply(535, "5.7.8 authentication failed")},
    "sender refused": {"mail": Reply(553, "5.7.1 not yours")},
    "recipient refused": {"rcpt": Reply(550, "5.1.1 no such user")},
    "recipient refused for now": {"rcpt": Reply(450, "4.2.1 busy")},
    "one recipient refused": {
        "rcpt": ByAddress({"office@customer.example": Reply(550, "5.1.1 no such user")})
    },
    "second message refused": {"dot": Nth(2, Reply(554, "5.7.1 spam"))},
    "content refused": {"dot": Reply(554, "5.7.1 spam")},
    "content refused for now": {"dot": Reply(451, "4.3.0 later")},
    "cut after": {"dot": Cut()},
    "silent after": {"dot": Silence()},
    "nonsense after": {"dot": Garbage()},
}


class OnePassword(Credentials):
    """The credentials of the account under test."""

    def secret(self, name: str) -> str:
        if name != "password":
            raise SignInNeeded(f"No {name}.")
        return PASSWORD

    def token(self, purpose: str = "send") -> str:
        raise SignInNeeded("Not connected.")

    def update(self, change: Any) -> None:
        raise SignInNeeded("Nothing is stored.")


class TestSmtp(TransportContract):
    """A submission server that asks for a sign-in, on loopback."""

    secrets: ClassVar[tuple[str, ...]] = (PASSWORD,)
    carrier_outlives: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = tuple(CAPABILITIES)

    def setup_method(self) -> None:
        self.servers: list[ScriptedServer] = []
        self.stack = contextlib.ExitStack()
        self._up({})

    def teardown_method(self) -> None:
        self.stack.close()

    def _up(self, script: dict[str, Any]) -> None:
        server = ScriptedServer(
            at=script, users={"anna@acme.example": PASSWORD}, capabilities=self.capabilities
        )
        self.servers.append(self.stack.enter_context(server))

    def make_transport(self) -> SmtpTransport:
        settings = SmtpSettings(
            server="127.0.0.1",
            port=self.servers[-1].port,
            encryption=Encryption.NONE,
            username="anna@acme.example",
            password=Secret(env="NOT_READ_HERE"),
            timeout=2.0,
            final_timeout=1.0,
        )
        return SmtpTransport(settings, OnePassword())

    def accepted(self) -> list[Accepted]:
        return [
            Accepted(one.content, one.sender.address, [path.address for path in one.recipients])
            for server in self.servers
            for one in server.accepted
        ]

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault not in FAULTS:
            raise NotStaged(f"the scripted server has no script for: {fault}")
        self._up(FAULTS[fault])
        yield
        self._up({})

    def test_a_look_that_fails_is_unclear(self) -> None:
        """SMTP can't look at all, and says so."""
        with self._open() as transport:
            assert transport.find(self.submission(), Journal()).state is SightingState.UNCLEAR


class TestSmtpWithoutPipelining(TestSmtp):
    """The same, where each command waits for its answer."""

    capabilities: ClassVar[tuple[str, ...]] = tuple(one for one in CAPABILITIES if "PIPELINING" not in one)


pytestmark = pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
