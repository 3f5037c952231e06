"""A provider in memory, for tests of a host's own Connect: people agree, decline, or sign in as somebody else."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from .._connectors import (
    App,
    Connected,
    Connection,
    Connector,
    Grant,
    Held,
    Pending,
    Prompt,
    Refused,
    RefusedReason,
    SignIn,
)
from .._mail import Receipt, Submission
from .._transports import Journal
from ._memory import MemorySettings, MemoryTransport

_ISSUER = "https://memory.invalid"
_SCOPES = {Grant.SEND: ("send",), Grant.CONFIRM: ("send", "look")}
_HOUR = 3600.0


class MemoryConnector(Connector):
    """Signs in whoever a test says. Give it by `Plugins(connectors={"memory": MemoryConnector})`; it needs no registration.

    It asks no network: `agree` and `decline` are the person in front of the browser, `enter` the one who types a code.
    """

    label: ClassVar[str] = "Memory"
    has_codes: ClassVar[bool] = True
    _entered: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {}

    @staticmethod
    def agree(url: str, *, as_whom: str = "", scopes: Iterable[str] | None = None) -> str:
        """Return the redirect that follows when a person agrees at the page *url*.

        Args:
            url: As `Mailer.connect` gave it.
            as_whom: Their address; the one that was asked for by default.
            scopes: What they allow; all that was asked for by default.
        """
        asked = dict(parse_qsl(urlsplit(url).query))
        allowed = asked["scope"] if scopes is None else " ".join(scopes)
        code = json.dumps([as_whom or asked["login_hint"], allowed])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    @staticmethod
    def decline(url: str) -> str:
        """Return the redirect that follows when a person does not agree at the page *url*."""
        asked = dict(parse_qsl(urlsplit(url).query))
        return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"

    @classmethod
    def enter(cls, code: str, *, as_whom: str, scopes: Iterable[str] = ("send", "look")) -> None:
        """Be the person who types *code* on another device, and agrees."""
        cls._entered[code] = (as_whom, tuple(scopes))

    def start(self, app: App, asked: SignIn) -> Prompt:
        """See `Connector`."""
        if asked.redirect_uri is None:
            code = secrets.token_hex(4).upper()
            return Prompt(url=f"{_ISSUER}/device", code=code, interval=0.01, kept=code.encode())
        query = {
            "redirect_uri": asked.redirect_uri,
            "state": asked.state,
            "login_hint": asked.account.signs_in_as,
            "scope": " ".join(self.wanted(app, asked)),
        }
        return Prompt(url=f"{_ISSUER}/authorize?{urlencode(query)}")

    def finish(
        self, app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None
    ) -> Connected | Pending | Refused:
        """See `Connector`."""
        if callback is None:
            entered = self._entered.pop(kept.decode(), None)
            return Pending(0.01) if entered is None else _connected(*entered)
        if "error" in callback:
            return Refused(reason=RefusedReason.CANCELLED)
        address, scopes = json.loads(callback["code"])
        return _connected(address, scopes.split())

    def wanted(self, app: App, asked: SignIn) -> tuple[str, ...]:
        """See `Connector`: `send`, and `look` where it shall be confirmed."""
        return _SCOPES[asked.grant]

    def held(self, app: App, secret: bytes, purpose: str) -> Held | None:
        """See `Connector`."""
        kept = json.loads(secret)
        return Held(kept["token"], kept["end"])

    def refresh(self, app: App, secret: bytes, purpose: str) -> bytes:
        """See `Connector`."""
        return _secret()

    def revoke(self, app: App, secret: bytes) -> bool:
        """See `Connector`."""
        return True


def _connected(address: str, scopes: Iterable[str]) -> Connected:
    learned = Connection(issuer=_ISSUER, subject=address.lower(), address=address, scopes=tuple(scopes))
    return Connected(connection=learned, secret=_secret())


def _secret() -> bytes:
    return json.dumps({"token": secrets.token_hex(), "end": time.time() + _HOUR}).encode()


class ConnectedTransport(MemoryTransport):
    """A memory transport whose accounts are connected by a `MemoryConnector`: without a sign-in nothing leaves.

    Give it by `Plugins(extra={"m365": ConnectedTransport}, connectors={"memory": MemoryConnector})`.
    """

    settings: MemorySettings
    connector: ClassVar[str] = "memory"

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Put *submission* into the box, with a token; see `Transport.send`."""
        if self.credentials is not None:
            self.credentials.token()
        return super().send(submission, journal)
