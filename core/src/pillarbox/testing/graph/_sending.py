"""Sends: who may show which address, what goes out, and the copy in Sent Items."""

from __future__ import annotations

import uuid

from .._http.values import Mail
from ._errors import GraphError
from ._heads import with_field, without
from ._items import OUTBOX, SENT, Item
from ._mailboxes import Mailbox, Showing, folded
from ._office import Office, Turn
from ._scopes import grants
from ._writing import ADDRESS, people, person, recipient, recipients, written


def submit(turn: Turn, item: Item, *, keep: bool = True) -> None:
    """Send *item*, and file its copy if it is to be kept; a draft leaves its folder.

    Raises:
        GraphError: It can't be sent; nothing was.
    """
    office, manners = turn.office, turn.office.manners
    _require_recipients(item)
    shown, how = _shown(turn, item)
    _require_size(item, manners.message_octets)
    message_id = _message_id(turn, item)
    sender = (turn.actor.name, turn.actor.address) if how is Showing.ON_BEHALF else None
    whole = _octets(item, shown, sender, message_id)
    office.limits.count_mail(turn.mailbox.key)
    copy = _filed(turn, item, whole, message_id, shown, sender) if keep else None
    if item in turn.mailbox.items:
        _leave(turn, item)
    if copy:
        turn.mailbox.items.append(copy)
    _remember(office, turn.mailbox, _mail(item, whole, shown[1], sender, message_id, copy), copy)


def _leave(turn: Turn, item: Item) -> None:
    """Take *item*, a draft, out of the mailbox, at once or by way of the Outbox."""
    lag = turn.office.manners.outbox_lag
    if lag:
        item.folder, item.seen_until = OUTBOX, turn.office.clock() + lag
    else:
        turn.mailbox.items.remove(item)


def new_message_id(mailbox: Mailbox) -> str:
    """Return a Message-ID of the service's own for a mail of *mailbox*."""
    return f"<{uuid.uuid4().hex.upper()}@{mailbox.address.rpartition('@')[2]}>"


def pictured(mailbox: Mailbox, item: Item) -> Mail:
    """Return *item*, a draft, as the mail that it would become; empty where it can't become one yet."""
    shown = _from(item, mailbox)
    try:
        whole = _octets(item, shown, None, item.message_id)
    except GraphError:
        whole = b""
    return _mail(item, whole, shown[1], None, item.message_id, None)


def _mail(
    item: Item, whole: bytes, shown: str, sender: tuple[str, str] | None, message_id: str, copy: Item | None
) -> Mail:
    return Mail(
        id=(copy or item).immutable_id,
        content=without(whole, "Bcc"),
        recipients=recipients(item.fields),
        sender=sender[1] if sender else shown,
        shown=shown,
        message_id=message_id,
        copy=None,
        properties=dict(item.properties),
    )


def _require_recipients(item: Item) -> None:
    told = recipients(item.fields)
    if not told or not all(map(ADDRESS.fullmatch, told)):
        lacking = "" if told else ", A message can't be sent because it contains no recipients."
        raise GraphError(400, "ErrorInvalidRecipients", f"At least one recipient isn't valid.{lacking}")
    if not all(map(ADDRESS.fullmatch, people(item.fields, "replyTo"))):
        raise GraphError(400, "ErrorInvalidRecipients", "At least one address to reply to isn't valid.")


def _from(item: Item, mailbox: Mailbox) -> tuple[str, str]:
    """Return the name and address of the From that *item* asks for."""
    name, address = person(item.fields.get("from"))
    return (name, address) if address else (name or mailbox.name, mailbox.address)


def _shown(turn: Turn, item: Item) -> tuple[tuple[str, str], Showing]:
    """Return the From and how the actor comes to show it.

    Raises:
        GraphError: They may not; 403.
    """
    if item.mime is not None and turn.office.manners.mime_from == "mailbox":
        item.fields.pop("from", None)
        item.mime = without(item.mime, "From")
    shown = _from(item, turn.mailbox)
    owner = turn.office.mailboxes.showing(shown[1])
    how = owner.shown_by(turn.actor) if owner else None
    if how is None:
        raise GraphError(403, "ErrorSendAsDenied")
    if how is not Showing.OWN and not grants(turn.token, "Mail.Send", own=False):
        raise GraphError(403, "ErrorAccessDenied")
    _require_sender(turn, item, shown[1])
    return shown, how


def _require_sender(turn: Turn, item: Item, shown: str) -> None:
    told = person(item.fields.get("sender"))[1]
    allowed = {folded(shown), turn.actor.key, *turn.actor.aliases}
    if told and folded(told) not in allowed:
        raise GraphError(403, "ErrorSendAsDenied")


def _require_size(item: Item, most: int) -> None:
    body = str((item.fields.get("body") or {}).get("content") or "")
    if len(body) + sum(len(file.content) for file in item.files) > most:
        raise GraphError(413, "ErrorMessageSizeExceeded")


def _message_id(turn: Turn, item: Item) -> str:
    if item.message_id and turn.office.manners.message_ids == "kept":
        return item.message_id
    return new_message_id(turn.mailbox)


def _octets(item: Item, shown: tuple[str, str], sender: tuple[str, str] | None, message_id: str) -> bytes:
    """Return the mail with its Bcc."""
    if item.mime is None:
        return written(item, shown=shown, sender=sender, message_id=message_id)
    mime = with_field(item.mime, "Message-ID", message_id)
    if not person(item.fields.get("from"))[1]:
        mime = with_field(mime, "From", shown[1])
    mime = without(mime, "Sender")
    return with_field(mime, "Sender", sender[1]) if sender else mime


def _filed(
    turn: Turn,
    item: Item,
    whole: bytes,
    message_id: str,
    shown: tuple[str, str],
    sender: tuple[str, str] | None,
) -> Item:
    """Return the copy of *item* in Sent Items."""
    manners = turn.office.manners
    named = {"from": recipient(shown), "sender": recipient(sender or shown)}
    copy = Item(
        folder=SENT,
        fields={**item.fields, **named, "internetMessageId": message_id},
        files=item.files,
        properties=item.properties if manners.tags == "kept" else {},
        mime=whole,
        is_draft=False,
        seen_from=turn.office.clock() + max(manners.copy_lag, manners.outbox_lag),
    )
    if item in turn.mailbox.items and manners.immutable_ids:
        copy.immutable_id = item.immutable_id
    return copy


def _remember(office: Office, mailbox: Mailbox, mail: Mail, copy: Item | None) -> None:
    office.sent.setdefault(mailbox.key, []).append((mail, copy))
