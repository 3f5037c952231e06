"""What each method does to a mailbox, once it is known who asks and what was brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._http.values import Call, Reply, Token
from . import _views as views
from ._api import PREFIX, Found, Method, full_scope
from ._bodies import Brought, message_of
from ._content import Content
from ._errors import Refused
from ._mailbox import Mailbox
from ._search import search

METADATA = PREFIX + "gmail.metadata"


def full(token: Token) -> frozenset[str]:
    """Return the scopes of *token* as whole addresses."""
    return frozenset(map(full_scope, token.scopes))


def submitted(mailbox: Mailbox, method: Method, one: Brought) -> Reply:
    """Send a message or a draft, or make a draft.

    Raises:
        Refused: What Gmail has against it.
    """
    thread = message_of(one.said, method).get("threadId")
    content = None if one.raw is None else Content.read(one.raw)
    if method.id == "gmail.users.drafts.send":
        return _send_draft(mailbox, one.said, content, thread)
    if not content or not one.raw:
        raise Refused(
            "invalidArgument",
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
        )
    if method.id == "gmail.users.messages.send":
        mailbox.hold_back()
        return Reply.json(views.brief(mailbox.send(content, thread)))
    draft = mailbox.draft(content, thread)
    return Reply.json({"id": draft, "message": views.brief(mailbox.drafted(draft))})


def _send_draft(
    mailbox: Mailbox, said: Mapping[str, Any], content: Content | None, thread: str | None
) -> Reply:
    """Send a draft, with *content* in place of its own where there is any; it is a draft no longer."""
    draft = said.get("id") or ""
    stored = mailbox.drafted(draft)
    mailbox.hold_back()
    own = stored.thread if stored.thread != stored.id else None
    sent = mailbox.send(content or stored.content, thread or own)
    mailbox.discard(draft)
    return Reply.json(views.brief(sent))


def read(call: Call, found: Found, mailbox: Mailbox, token: Token) -> Reply:
    """Answer a request that brings nothing.

    Raises:
        Refused: 404, for what is not there; 403, for what the scope does not show.
    """
    asked, method = call.asked, found.method
    only_metadata = full(token) & method.scopes == {METADATA}
    if method.id == "gmail.users.getProfile":
        return Reply.json(views.profile(mailbox))
    if method.id == "gmail.users.settings.sendAs.list":
        return Reply.json(views.send_as(mailbox))
    if method.id == "gmail.users.drafts.delete":
        mailbox.discard(found.values["id"])
        return Reply(204)
    if method.id.endswith(".list"):
        if only_metadata and "q" in asked:
            raise Refused("forbidden", "Metadata scope does not support 'q' parameter")
        return Reply.json(_listed(call, mailbox, drafts=method.id == "gmail.users.drafts.list"))
    form = asked.get("format", "full").lower()
    if only_metadata and form in {"full", "raw"}:
        raise Refused("forbidden", f"Metadata scope doesn't allow format {form.upper()}")
    return _got(call, found, mailbox, form)


def _got(call: Call, found: Found, mailbox: Mailbox, form: str) -> Reply:
    """Answer with a message or a draft."""
    name = found.values["id"]
    if found.method.id == "gmail.users.drafts.get":
        return Reply.json({"id": name, "message": views.message(mailbox.drafted(name), form)})
    if name not in mailbox.messages:
        raise Refused("notFound")
    only = call.asked_all.get("metadataHeaders", [])
    return Reply.json(views.message(mailbox.messages[name], form, only))


def _listed(call: Call, mailbox: Mailbox, *, drafts: bool) -> dict[str, Any]:
    """List messages, or drafts, that the query asks for."""
    asked, labels = call.asked, set(call.asked_all.get("labelIds", []))
    found = search(asked.get("q", ""))
    stored = [one for one in mailbox.messages.values() if labels <= set(one.labels) and found(one)]
    listed: list[dict[str, Any]] = [
        {"id": one.id, "threadId": one.thread} for one in views.newest_first(stored)
    ]
    if drafts:
        names = {message: draft for draft, message in mailbox.drafts.items()}
        listed = [{"id": names[one["id"]], "message": one} for one in listed if one["id"] in names]
    name = "drafts" if drafts else "messages"
    return views.page(name, listed, asked.get("maxResults", "100"), asked.get("pageToken", ""))
