"""The fake itself: from a request to a mailbox and back."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from .._http.fake import HttpFake
from .._http.faults import Plan
from .._http.values import Call, Mail, Reply, Token
from ._api import Api, Found, Method
from ._bodies import Brought, announced, brought
from ._errors import Refused, error, planned
from ._mailbox import Alias, Mailbox, Pace, mail
from ._methods import full, read, submitted
from ._uploads import CHUNK, Upload, Uploads

_STEPS = {
    "gmail.users.getProfile": "profile",
    "gmail.users.messages.send": "messages.send",
    "gmail.users.messages.list": "list",
    "gmail.users.messages.get": "get",
    "gmail.users.drafts.create": "draft",
    "gmail.users.drafts.get": "get",
    "gmail.users.drafts.list": "list",
    "gmail.users.drafts.send": "drafts.send",
    "gmail.users.drafts.delete": "delete",
    "gmail.users.settings.sendAs.list": "aliases",
}


class FakeGmail(HttpFake):
    """A Gmail API on a port of its own, from entering the context to leaving it.

    Args:
        discovery: Google's discovery document, `gmail.v1.json` as a dictionary; None for the part that is built in.
        tls: A server's context for https; its certificate is for localhost.
        keeps_message_ids: Whether a message travels with the Message-ID it came with; Gmail is said to replace it.
        remembers_uploads: Whether a resumable upload that is whole answers a status query with its result;
            nobody has seen whether Gmail's do.
        keeps_of_chunk: How many octets of each chunk are kept at the most, a multiple of 256 KiB; None for all.
            Google may keep fewer than it was sent: what counts is the Range of its answer.
        per_second: How many messages a mailbox may send in any second; None for as many as it likes.
        per_minute: How many in any minute.
        clock: Seconds that only go forward, for those two.

    Raises:
        ValueError: `keeps_of_chunk` is no multiple of 256 KiB.

    Attributes:
        url: Where it is reached, without a slash at the end.
        requests: What was asked of it.
    """

    STEPS: ClassVar[tuple[str, ...]] = (*dict.fromkeys(_STEPS.values()), "upload", "chunk")

    def __init__(
        self,
        *,
        discovery: Mapping[str, Any] | None = None,
        tls: ssl.SSLContext | None = None,
        keeps_message_ids: bool = False,
        remembers_uploads: bool = False,
        keeps_of_chunk: int | None = None,
        per_second: int | None = None,
        per_minute: int | None = 150,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if keeps_of_chunk is not None and (keeps_of_chunk < CHUNK or keeps_of_chunk % CHUNK):
            raise ValueError(f"keeps_of_chunk is a multiple of {CHUNK} octets, not {keeps_of_chunk}.")
        super().__init__(tls=tls)
        self._api = Api.built_in() if discovery is None else Api.discovered(discovery)
        self._replaces, self._pace, self._clock = not keeps_message_ids, Pace(per_second, per_minute), clock
        self._uploads = Uploads(remembers=remembers_uploads)
        self._most = keeps_of_chunk
        self._mailboxes: dict[str, Mailbox] = {}
        self._gate = threading.RLock()
        self._scheme = "https" if tls else "http"

    def add_mailbox(self, address: str, name: str = "", *, aliases: Iterable[str | Alias] = ()) -> None:
        """Add a mailbox.

        Args:
            address: Its own address.
            name: Its owner's name.
            aliases: What else it may show in From; a mere address counts as verified.

        Raises:
            ValueError: There is one with this address already.
        """
        if address.lower() in self._mailboxes:
            raise ValueError(f"There is a mailbox {address} already.")
        known = tuple(Alias(one) if isinstance(one, str) else one for one in aliases)
        self._mailboxes[address.lower()] = Mailbox(
            address, name, known, self._pace, self._replaces, self._clock
        )

    def sent(self, address: str) -> list[Mail]:
        """Return what the mailbox *address* has sent, in order.

        Raises:
            ValueError: There is no such mailbox.
        """
        with self._gate:
            mailbox = self._known(address)
            return [mail(one, mailbox) for one in mailbox.messages.values() if "SENT" in one.labels]

    def drafts(self, address: str) -> list[Mail]:
        """Return the drafts in the mailbox *address*, in the order they were made.

        Raises:
            ValueError: There is no such mailbox.
        """
        with self._gate:
            mailbox = self._known(address)
            return [mail(mailbox.messages[one], mailbox, draft) for draft, one in mailbox.drafts.items()]

    def _known(self, address: str) -> Mailbox:
        if address.lower() not in self._mailboxes:
            raise ValueError(f"There is no mailbox {address}; add it: add_mailbox({address!r}).")
        return self._mailboxes[address.lower()]

    def step(self, call: Call) -> str:
        if "upload_id" in call.asked:
            return "chunk"
        found = self._api.find(call.method, call.segments)
        if found and _begins_upload(call, found):
            return "upload"
        return _STEPS.get(found.method.id, "") if found else ""

    def refusal(self, plan: Plan) -> Reply:
        return planned(plan)

    def unread(self, status: int) -> Reply:
        return error(status)

    def answer(self, call: Call, step: str) -> Reply:
        try:
            return self._chunk(call) if step == "chunk" else self._answered(call)
        except Refused as refused:
            return refused.reply

    def _answered(self, call: Call) -> Reply:
        """Find the method, see whether it is allowed, and do it."""
        found = self._api.find(call.method, call.segments)
        if found is None:
            return Reply(404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", _HTML)
        token = self._permitted(call, found.method)
        _require_known_query(call, found.method, self._api)
        if found.method.id not in _STEPS:
            raise Refused("notImplemented", f"This fake has no {found.method.id}.")
        with self._gate:
            mailbox = self._mailbox(token, found.values["userId"])
            if found.method.request:
                return self._written(call, found, mailbox)
            return read(call, found, mailbox, token)

    def _permitted(self, call: Call, method: Method) -> Token:
        """Return whose request it is.

        Raises:
            Refused: 401, for no token or one that is not good; 403, for one without the scope; 400, for an app's own.
        """
        if not call.bearer:
            raise Refused("required")
        token = self.holder(call)
        if token is None:
            raise Refused("authError", headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})
        if token.app or not token.address:
            raise Refused("failedPrecondition")
        if not full(token) & method.scopes:
            scopes = " ".join(sorted(method.scopes))
            challenge = f'{_REALM}, error="insufficient_scope", scope="{scopes}"'
            raise Refused("insufficientPermissions", headers={"WWW-Authenticate": challenge})
        return token

    def _mailbox(self, token: Token, user: str) -> Mailbox:
        """Return the mailbox that *user* names: `me` or the token's own address.

        Raises:
            Refused: 403, for somebody else's; 400, where the person has no mailbox.
        """
        if user.lower() not in {"me", token.address.lower()}:
            raise Refused("forbidden", f"Delegation denied for {token.address}")
        mailbox = self._mailboxes.get(token.address.lower())
        if mailbox is None:
            raise Refused("failedPrecondition", "Mail service not enabled")
        return mailbox

    def _written(self, call: Call, found: Found, mailbox: Mailbox) -> Reply:
        """Take a message in one of the three ways."""
        if not _begins_upload(call, found):
            return submitted(
                mailbox, found.method, brought(call, found.method, self._api, by_upload=found.by_upload)
            )
        said, size = announced(call, found.method, self._api)
        name = self._uploads.begin(Upload(found.method, mailbox, said, size, self._most))
        host = call.headers.get("host", self.url.partition("//")[2])
        path = call.target.partition("?")[0]
        place = f"{self._scheme}://{host}{path}?uploadType=resumable&upload_id={name}"
        return Reply(200, headers={"Location": place, "X-GUploader-UploadID": name})

    def _chunk(self, call: Call) -> Reply:
        """Take a chunk of an upload; its address is the permission, but a token that is sent along has to be good."""
        if call.bearer and self.holder(call) is None:
            raise Refused("authError")
        with self._gate:
            name = call.asked["upload_id"]
            upload = self._uploads.find(name)
            if upload.answer is not None:
                return upload.answer
            if not upload.take(call):
                return upload.progress
            return self._uploads.finish(name, _finished(upload))


_REALM = 'Bearer realm="https://accounts.google.com/"'
_HTML = {"Content-Type": "text/html; charset=UTF-8"}


def _begins_upload(call: Call, found: Found) -> bool:
    resumable = found.method.upload is not None and call.target.startswith("/resumable/")
    return found.by_upload and (resumable or call.asked.get("uploadType") == "resumable")


def _require_known_query(call: Call, method: Method, api: Api) -> None:
    for name, value in call.asked.items():
        kind = method.parameters.get(name)
        if kind is None and name not in api.parameters:
            raise Refused(
                "invalid",
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                f"Field '{name}' could not be found in request message.",
            )
        if kind and "|" in kind and value.lower() not in kind.split("|"):
            raise Refused("invalid", f"Invalid value at '{name}', \"{value}\"")


def _finished(upload: Upload) -> Reply:
    """Do what an upload that is whole was for."""
    try:
        return submitted(upload.mailbox, upload.method, Brought(upload.said, bytes(upload.content)))
    except Refused as refused:
        return refused.reply
