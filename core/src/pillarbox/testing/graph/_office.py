"""What the handlers of requests share: the mailboxes, what was sent, the open uploads; and the turn of one request."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import attrs

from .._http.values import Call, Mail, Token
from ._checking import Checker
from ._errors import GraphError
from ._items import OUTBOX, Item
from ._limits import Limits
from ._mailboxes import Mailbox, Mailboxes
from ._manners import Manners
from ._routes import Route
from ._uploads import Upload

_IMMUTABLE = re.compile(r'IdType\s*=\s*"?ImmutableId"?', re.IGNORECASE)


@attrs.define(eq=False, kw_only=True)
class Office:
    """The state of a fake.

    Attributes:
        gate: Held while a request is worked on.
        sent: What was sent, by the key of the mailbox, with the copy that was filed.
        uploads: The open upload sessions, by id.
    """

    manners: Manners
    clock: Callable[[], float]
    checker: Checker
    limits: Limits
    url: Callable[[], str]
    mailboxes: Mailboxes = attrs.field(factory=Mailboxes)
    sent: dict[str, list[tuple[Mail, Item | None]]] = attrs.field(factory=dict)
    uploads: dict[str, Upload] = attrs.field(factory=dict)
    gate: threading.RLock = attrs.field(factory=threading.RLock)

    def visible(self, mailbox: Mailbox) -> list[Item]:
        """Return what can be found in *mailbox* by now, the oldest first."""
        now = self.clock()
        return [item for item in mailbox.items if item.seen_from <= now < item.seen_until]


@attrs.frozen(kw_only=True)
class Turn:
    """One request that may go on: whose it is, on which mailbox.

    Attributes:
        mailbox: The mailbox that it is about.
        actor: The mailbox of whoever acts; an app acts as the mailbox itself.
    """

    office: Office
    call: Call
    route: Route
    token: Token
    mailbox: Mailbox
    actor: Mailbox

    @property
    def immutable(self) -> bool:
        """Whether the client wants the ids that survive a move."""
        return _IMMUTABLE.search(self.call.headers.get("prefer", "")) is not None

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says of the client's preferences."""
        return {"Preference-Applied": 'IdType="ImmutableId"'} if self.immutable else {}

    def item(self) -> Item:
        """Return the message that the request names.

        Raises:
            GraphError: There is none, or not yet, or no longer; 404.
        """
        for item in self.office.visible(self.mailbox):
            if item.named(self.route.message):
                return item
        raise GraphError(404, "ErrorItemNotFound")

    def draft(self) -> Item:
        """Return the draft that the request names.

        Raises:
            GraphError: There is none; 404. It is no draft; 400.
        """
        item = self.item()
        if not item.is_draft or item.folder == OUTBOX:
            raise GraphError(400, "ErrorInvalidRequest", "The item is no draft; it can't be changed or sent.")
        return item
