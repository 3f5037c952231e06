"""What the tests of Gmail are made with: an account that is connected, a fake Gmail, and messages for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pillarbox import (
    Account,
    Address,
    App,
    Attachment,
    Credentials,
    Message,
    Route,
    SignInNeeded,
    Submission,
    compose,
)
from pillarbox._vault import Stored
from pillarbox.testing.gmail import FakeGmail
from pillarbox_gmail import GmailApp, GmailSettings, GmailTransport
from pillarbox_gmail.app import BASIC, COMPOSE, READONLY, SEND

ANNA = "anna@acme.example"
LARGE = b"0123456789abcdef" * (5 * 65536)
"""What makes a message of more than 5 MB."""


class Connected(Credentials):
    """The credentials of an account whose sign-in was granted *scopes*; its tokens are the fake's."""

    def __init__(
        self, gmail: FakeGmail, *scopes: str, address: str = ANNA, aliases: tuple[str, ...] = ()
    ) -> None:
        self.gmail = gmail
        self.address = address
        self.learned: Mapping[str, Any] = {"address": address, "scopes": scopes, "aliases": aliases}
        self.scopes = scopes
        self.given: list[str] = []
        self.fails: Exception | None = None

    def secret(self, name: str) -> str:
        raise SignInNeeded(f"No {name}.")

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        if self.fails is not None:
            raise self.fails
        if not self.given or self.given[-1] == self.refused:
            self.given.append(self.gmail.token(self.address, *self.scopes))
        return self.given[-1]

    def update(self, change: Callable[[Stored | None], Any]) -> Stored | None:
        return Stored(b"", self.learned, 1)


def app(gmail: FakeGmail, **settings: Any) -> App:
    return App(GmailApp(**{"client_id": "1-a.apps.googleusercontent.com", "api": gmail.url, **settings}))


def transport(gmail: FakeGmail, *scopes: str, timeout: float = 20.0, **given: Any) -> GmailTransport:
    """Return a transport for Anna's account, whose sign-in was granted *scopes*."""
    made = GmailTransport(GmailSettings(timeout=timeout), Connected(gmail, *scopes, **given))
    made.app = app(gmail)
    return made


def submission(shown: str = ANNA, **fields: Any) -> Submission:
    """Return a message as core composes it."""
    message = Message(
        **{"to": "ap@customer.example", "subject": "Invoice 1001", "text": "Good morning.\n", **fields}
    )
    account = Account(owner="user:anna", method="gmail", mailbox=ANNA)
    return compose(
        message,
        Route(account=account, from_address=Address(shown, "Anna Berg"), envelope_sender=shown, user="anna"),
    )


def large(**fields: Any) -> Submission:
    """Return one of more than 5 MB."""
    return submission(attachments=[Attachment("plan.bin", LARGE)], **fields)


GRANTS = {"send only": (SEND,), "send and confirm": (COMPOSE,)}
"""What a person can choose."""
EVERYTHING = (COMPOSE, BASIC, READONLY)
