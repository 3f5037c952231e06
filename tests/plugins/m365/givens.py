"""An account at a fake Graph, its credentials, and messages for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
    SignInNeeded,
    Stored,
    Submission,
    compose,
)
from pillarbox.testing.graph import FakeGraph
from pillarbox_m365 import M365App, M365Settings, M365Transport

ORDERS = "orders@acme.example"
ANNA = "anna@acme.example"
SEND = ("Mail.Send",)
CONFIRM = ("Mail.Send", "Mail.ReadWrite")
SHARED = (*CONFIRM, "Mail.Send.Shared", "Mail.ReadWrite.Shared")


class Holder(Credentials):
    """The credentials of a connected account: the tokens that it is given one after the other, and what was granted."""

    def __init__(self, *tokens: str, scopes: tuple[str, ...] = CONFIRM) -> None:
        self.tokens = list(tokens)
        self.scopes = scopes
        self.asked = 0

    def secret(self, name: str) -> str:
        raise SignInNeeded(f"No {name}.")

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        self.asked += 1
        if self.refused == self.tokens[0] and len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]

    def update(self, change: Callable[[Stored | None], tuple[bytes, Mapping[str, Any]] | None]) -> Stored:
        return Stored(b"{}", {"scopes": self.scopes})


def transport(
    graph: FakeGraph,
    *,
    scopes: tuple[str, ...] = CONFIRM,
    mailbox: str = ORDERS,
    signs_in_as: str = "",
    credentials: Credentials | None = None,
    url: str = "",
    app: Mapping[str, Any] | None = None,
    trace: Callable[[str], None] | None = None,
    **settings: Any,
) -> M365Transport:
    """Return a transport for *mailbox*, signed in with *scopes*."""
    who = signs_in_as or mailbox
    held = credentials or Holder(graph.token(who, *scopes), scopes=scopes)
    made = M365Transport(M365Settings(**{"timeout": 5.0, **settings}), held, trace=trace)
    made.app = App(M365App(client_id="app", tenant="acme.example", graph=url or graph.url, **(app or {})))
    made.account = Account(owner="company", method="m365", mailbox=mailbox, signs_in_as=who)
    return made


def submission(*, shows: str = ORDERS, name: str = "Anna Berg", **fields: Any) -> Submission:
    """Return a message that shows *shows*, as core composes it."""
    account = Account(owner="company", method="m365", mailbox=ORDERS)
    route = Route(account=account, from_address=Address(shows, name), envelope_sender=shows, user="anna")
    known = {"to": ["ap@customer.example"], "subject": "Invoice 1001", "text": "Good morning.\n", **fields}
    return compose(Message(**known), route)


def outcome_of(
    one: M365Transport, what: Submission, journal: Journal | None = None
) -> Receipt | PillarboxError:
    """Send, and return what came of it."""
    try:
        return one.send(what, journal or Journal())
    except PillarboxError as error:
        return error


def steps(graph: FakeGraph) -> list[str]:
    """Return what was asked for, step by step."""
    return [request.step for request in graph.requests]
