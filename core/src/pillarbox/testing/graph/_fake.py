"""The fake itself: a loopback server that holds mailboxes and answers as Graph does."""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import attrs

from .._http.fake import HttpFake
from .._http.faults import Answer, Plan
from .._http.values import Call, Ending, Mail, Reply, Token
from . import _ranges as ranges
from ._actions import ACTIONS
from ._checking import Checker
from ._errors import GraphError, error_reply, planned
from ._items import OUTBOX
from ._limits import Limits
from ._mailboxes import Mailbox, folded
from ._manners import Manners
from ._office import Office, Turn
from ._routes import STEPS, Route, read
from ._scopes import require
from ._sending import pictured


class FakeGraph(HttpFake):
    """A Microsoft Graph for mail, from entering the context to leaving it.

        with FakeGraph() as graph:
            graph.add_mailbox("orders@acme.example")
            token = graph.token("orders@acme.example", "Mail.Send")
            ...                                     # the client under test talks to graph.url
        assert [mail.shown for mail in graph.sent("orders@acme.example")] == ["orders@acme.example"]

    Args:
        manners: How it behaves where the real service is not the same everywhere.
        tls: A server's context, for https; None for plain HTTP.
        schema: A JSON Schema for the body of each step (`sendMail`, `draft`, `patch`, `attach`, `session`), such as
            one made of Microsoft's published types; needs PyPI's `jsonschema`. A step without one is held against the
            fields that the fake knows.
        clock: Seconds; what lags and limits are measured by.
    """

    STEPS: ClassVar[tuple[str, ...]] = STEPS

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        schema: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(tls=tls)
        self.manners: Manners = manners or Manners()
        self._office = Office(
            manners=self.manners,
            clock=clock,
            checker=Checker(schema),
            limits=Limits(self.manners, clock),
            url=lambda: self.url,
        )

    def add_mailbox(
        self,
        address: str,
        name: str = "",
        *,
        full_access: str | Iterable[str] = (),
        send_as: str | Iterable[str] = (),
        on_behalf: str | Iterable[str] = (),
        aliases: str | Iterable[str] = (),
    ) -> None:
        """Add a mailbox.

        Args:
            address: Its primary address.
            name: Its display name.
            full_access: The addresses of those who may open it, beside its owner.
            send_as: Those who may show its address as if it were theirs.
            on_behalf: Those who may send on its behalf, and are shown as the Sender.
            aliases: More addresses that its owner may show.

        Raises:
            ValueError: The address is a mailbox's already.
        """
        self._office.mailboxes.add(
            Mailbox(
                address=address,
                name=name,
                full_access=full_access,
                send_as=send_as,
                on_behalf=on_behalf,
                aliases=aliases,
            )
        )

    def sent(self, address: str) -> list[Mail]:
        """Return what was sent from the mailbox *address*, the oldest first; a copy shows once it can be found."""
        with self._office.gate:
            mailbox = self._mailbox(address)
            found = {id(item): item.mime for item in self._office.visible(mailbox)}
            told = self._office.sent.get(mailbox.key, [])
            return [attrs.evolve(mail, copy=found.get(id(copy)) if copy else None) for mail, copy in told]

    def drafts(self, address: str) -> list[Mail]:
        """Return the drafts in the mailbox *address* as the mails they would become, the oldest first."""
        with self._office.gate:
            mailbox = self._mailbox(address)
            found = self._office.visible(mailbox)
            return [pictured(mailbox, item) for item in found if item.is_draft and item.folder != OUTBOX]

    def empty(self, address: str) -> None:
        """Remove all that lies in the mailbox *address*, drafts and copies, as its owner might; `sent` still tells."""
        with self._office.gate:
            self._mailbox(address).items.clear()

    def most_at_once(self, address: str) -> int:
        """Return how many requests of the mailbox *address* were open at once, at the most so far."""
        return self._office.limits.most(self._mailbox(address).key)

    def _mailbox(self, address: str) -> Mailbox:
        found = self._office.mailboxes.get(address)
        if found is None:
            raise ValueError(f"There is no mailbox {address}; add it: add_mailbox({address!r}).")
        return found

    def step(self, call: Call) -> str:
        """Return which of the steps *call* is, "" for none."""
        try:
            return read(call).step
        except GraphError:
            return ""

    def refusal(self, plan: Plan) -> Reply:
        """Return the error that *plan* stands for."""
        return error_reply(planned(plan))

    def unread(self, status: int) -> Reply:
        """Return the answer to a request that could not be read."""
        return error_reply(
            Answer(status, "BadRequest", "The request can't be read, or its body is too large.")
        )

    def answer(self, call: Call, step: str) -> Reply:
        """Do what *call* asks for, or say why not."""
        client_id = call.headers.get("client-request-id", "")
        try:
            said = self._answer(call, read(call))
        except GraphError as error:
            return error_reply(error.answer, inner=error.inner, client_id=client_id)
        request_id = str(uuid.uuid4())
        ids = {"request-id": request_id, "client-request-id": client_id or request_id}
        return attrs.evolve(said, headers={**ids, **said.headers})

    def _answer(self, call: Call, route: Route) -> Reply:
        if route.step == "range" or call.path.startswith("/api/"):
            with self._office.gate:
                return ranges.answer(self._office, call, route)
        token = self._holder(call)
        with self._office.gate:
            turn = self._turn(call, route, token)
            self._office.limits.require_room(turn.mailbox.key)
            return ACTIONS[route.action](turn)

    def _holder(self, call: Call) -> Token:
        """Return what the token stands for.

        Raises:
            GraphError: There is none, or it is not good; 401.
        """
        token = self.holder(call)
        if token is None:
            text = "" if call.bearer else "Access token is empty."
            challenge = {"WWW-Authenticate": 'Bearer realm=""'}
            raise GraphError(401, "InvalidAuthenticationToken", text, headers=challenge)
        return token

    def _turn(self, call: Call, route: Route, token: Token) -> Turn:
        """Return the turn of a request that may go on.

        Raises:
            GraphError: There is no such mailbox; 404. It is not for whoever asks; 400 or 403.
        """
        boxes = self._office.mailboxes
        if token.app and not route.owner:
            raise GraphError(
                400, "BadRequest", "/me request is only valid with delegated authentication flow."
            )
        actor = boxes[route.owner] if token.app else boxes.get(token.address)
        if actor is None:
            raise GraphError(404, "MailboxNotEnabledForRESTAPI")
        mailbox = boxes[route.owner] if route.owner else actor
        require(token, route.step, own=mailbox is actor)
        self._require_reach(token, route, mailbox, actor)
        return Turn(office=self._office, call=call, route=route, token=token, mailbox=mailbox, actor=actor)

    def _require_reach(self, token: Token, route: Route, mailbox: Mailbox, actor: Mailbox) -> None:
        reaches = self.manners.app_reaches
        if token.app and reaches is not None and mailbox.key not in reaches:
            raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")
        if route.step != "me" and not mailbox.opens_for(actor):
            raise GraphError(403, "ErrorAccessDenied")

    def _serve(self, call: Call) -> Reply | Ending:
        with self._office.limits.request(self._about(call)):
            return super()._serve(call)

    def _about(self, call: Call) -> str:
        """Return the key of the mailbox that *call* is about, as far as it can be told without asking anybody."""
        try:
            owner = read(call).owner
        except GraphError:
            return ""
        known = self._tokens.get(call.bearer)
        wanted = owner or (known.address if known else call.bearer)
        found = self._office.mailboxes.get(wanted)
        return found.key if found else folded(wanted)
