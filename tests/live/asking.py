"""The account of a service that is asked, real or a fake's."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
import requests

from pillarbox import (
    Account,
    Address,
    App,
    Credentials,
    Journal,
    Message,
    PillarboxError,
    Receipt,
    Route,
    Stored,
    Submission,
    Transport,
    compose,
)
from tests.live.questions import NotTold

TIMEOUT: Final = (10.0, 120.0)
"""Seconds to connect, and to be answered."""
T = TypeVar("T")


class Narrowed(Credentials):
    """A connection's credentials, as if it had been granted *scopes* and no more."""

    def __init__(self, inner: Credentials, scopes: Sequence[str]) -> None:
        self._inner, self._scopes = inner, tuple(scopes)

    def secret(self, name: str) -> str:
        return self._inner.secret(name)

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        return self._inner.token(purpose, host=host)

    def refuse(self, token: str) -> None:
        self._inner.refuse(token)

    def stored(self) -> Stored | None:
        known = self._inner.stored()
        if known is None:
            return None
        return attrs.evolve(known, connection={**known.connection, "scopes": self._scopes})

    def update(self, change: Callable[[Stored | None], Any]) -> Stored | None:
        return self._inner.update(change)

    def redact(self, text: str) -> str:
        return self._inner.redact(text)


@attrs.frozen(kw_only=True)
class Sent:
    """A mail of ours that was taken.

    Attributes:
        submission: What was sent.
        receipt: The service's word.
        at: When, in seconds of the monotonic clock.
    """

    submission: Submission
    receipt: Receipt
    at: float


@attrs.frozen(kw_only=True)
class Connected:
    """A connected account, at the real service or at a fake.

    Attributes:
        make: Makes the method's transport of credentials.
        account: The account.
        app: Its registration.
        credentials: Its own.
        api: The root of the interface.
        to: Who gets what is sent.
        patience: Seconds in which a copy has to appear.
    """

    make: Callable[[Any, Credentials], Transport]
    account: Account
    app: App
    credentials: Credentials
    api: str
    to: str
    patience: float

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was granted."""
        known = self.credentials.stored()
        return tuple((known.connection if known else {}).get("scopes", ()))

    def require(self, *scopes: str) -> None:
        """Raise `NotTold` unless one of *scopes* was granted."""
        if not set(scopes) & set(self.scopes):
            raise NotTold(f"the connection was not granted {' or '.join(scopes)}")

    def composed(self, subject: str, shown: str = "", **fields: Any) -> Submission:
        """Return a message as core composes it, its subject no other's; *shown* is another From than the account's."""
        route = Route(
            account=self.account,
            from_address=Address(shown or self.account.mailbox),
            envelope_sender=self.account.mailbox,
        )
        text = f"A test of pillarbox: {subject}. There is nothing to do.\n"
        unique = f"pillarbox live {secrets.token_hex(4)}: {subject}"
        return compose(Message(to=self.to, subject=unique, text=text, **fields), route)

    def send(self, subject: str, scopes: Sequence[str], **fields: Any) -> Sent:
        """Send a mail by the plugin, as if *scopes* had been granted.

        Raises:
            PillarboxError: It was not taken.
        """
        transport = self.make(self.account.settings, Narrowed(self.credentials, scopes))
        transport.account, transport.app = self.account, self.app
        submission = self.composed(subject, **fields)
        try:
            receipt = transport.send(submission, Journal())
        finally:
            transport.close()
        return Sent(submission=submission, receipt=receipt, at=time.monotonic())

    def ask(self, method: str, where: str, *, bare: bool = False, **given: Any) -> requests.Response:
        """Return the service's answer to one request, whatever it is; with the token, unless *bare*."""
        url = where if where.startswith("http") else self.api + where
        headers = dict(given.pop("headers", {}))
        if not bare:
            headers["Authorization"] = f"Bearer {self.credentials.token()}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **given)

    def awaited(self, look: Callable[[], T | None]) -> T:
        """Return what *look* finds, asking again until it does.

        Raises:
            NotTold: It did not, as long as there is patience.
        """
        until = time.monotonic() + self.patience
        while True:
            found = look()
            if found is not None:
                return found
            if time.monotonic() > until:
                raise NotTold(f"it was not found within {self.patience:g} s")
            time.sleep(min(1.0, self.patience / 10))


FAILURES: Final = (PillarboxError, requests.RequestException)
"""What ends one question, and not the others."""


def status(answer: requests.Response, code: Callable[[Mapping[str, Any]], object]) -> str:
    """Return an answer's status, and the error code that *code* finds in its body."""
    try:
        told = answer.json()
    except ValueError:
        told = {}
    found = code(told) if isinstance(told, dict) else ""
    return f"{answer.status_code} {found or ''}".rstrip()
