"""A connector as a distribution would bring one, and the provider behind it: in memory, and as unkind as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pillarbox import (
    App,
    Connector,
    Credentials,
    Pending,
    Prompt,
    SendDeferred,
    SignIn,
    SignInNeeded,
    Stored,
    _plugins,
)

POINTS = """[pillarbox.connectors]
testmail = tests.plugins.smtp.connecting:TestmailConnector
othermail = tests.plugins.smtp.connecting:TestmailConnector
plainmail = tests.plugins.smtp.connecting:PlainmailConnector
"""


class Provider:
    """Gives out tokens, and takes them back.

    Attributes:
        valid: The tokens that a server of the provider takes now.
        refreshed: How often a token was asked for.
        apps: The registrations it was asked with.
        says: What refreshing ends in, in the place of a token.
        on_refusal: Is called when a server has refused a token.
    """

    def __init__(self) -> None:
        self.valid: set[str] = set()
        self.refreshed = 0
        self.apps: list[Any] = []
        self.says: Exception | None = None
        self.on_refusal: Callable[[], object] = lambda: None

    def issue(self) -> str:
        """Return a new token, which replaces the others."""
        self.refreshed += 1
        if self.says is not None:
            raise self.says
        token = f"canary-token-{self.refreshed}"
        self.valid = {token}
        return token

    def revoke(self) -> None:
        """Take all tokens back."""
        self.valid = set()


class TestmailConnector(Connector):
    """The sign-in of the provider Testmail. What is stored is the token and the secret that gets another."""

    __test__ = False
    label = "Testmail"
    provider: ClassVar[Provider]

    def start(self, app: App, asked: SignIn) -> Prompt:
        raise NotImplementedError

    def finish(self, app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None) -> Pending:
        raise NotImplementedError

    def token(self, app: App, credentials: Credentials, purpose: str) -> str:
        self.provider.apps.append(app.settings)

        def change(stored: Stored | None) -> tuple[bytes, Mapping[str, Any]] | None:
            if stored is None:
                raise SignInNeeded("Nobody has connected this account.", stage="sign-in", cure="Connect it.")
            kept = json.loads(stored.secret)
            if kept["token"] and kept["token"] != credentials.refused:
                return None
            return stored_as(self.provider.issue()), stored.connection

        stored = credentials.update(change)
        assert stored is not None
        return str(json.loads(stored.secret)["token"])


class PlainmailConnector(TestmailConnector):
    """The same, which keeps nothing: as one whose credential is the machine's own."""

    def token(self, app: App, credentials: Credentials, purpose: str) -> str:
        return self.provider.issue()


def stored_as(token: str) -> bytes:
    """Return what is sealed for *token*; "" where none was got yet."""
    return json.dumps({"token": token, "refresh": "canary-refresh"}).encode()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A provider whose connector is installed for the length of a test."""
    info = tmp_path / "testmail-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: testmail\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    _plugins.entry_points.cache_clear()
    TestmailConnector.provider = Provider()
    yield TestmailConnector.provider
    _plugins.entry_points.cache_clear()


NOT_NOW: Callable[[], SendDeferred] = lambda: SendDeferred("Testmail gives no token now.", stage="sign-in")  # noqa: E731
