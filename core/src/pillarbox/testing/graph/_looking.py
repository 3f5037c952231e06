"""Answers whoever looks: at a person, a message, a folder, a list."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from .._http.values import Reply
from . import _queries as queries
from ._bodies import base
from ._errors import GraphError
from ._items import Item, folder_id, folder_named
from ._office import Turn
from ._sending import pictured


def me(turn: Turn) -> Reply:
    """The owner of the mailbox."""
    person = turn.mailbox.person()
    if "proxyaddresses" in turn.call.asked.get("$select", "").lower():
        person["proxyAddresses"] = turn.mailbox.addresses()
    context = {"@odata.context": f"{base(turn)}/$metadata#users/$entity"}
    return Reply.json({**context, **queries.selected(person, turn.call.asked)})


def get(turn: Turn) -> Reply:
    """One message."""
    queries.require_known(turn.call.asked)
    return shown(turn, turn.item())


def raw(turn: Turn) -> Reply:
    """One message as MIME."""
    item = turn.item()
    octets = item.mime if item.mime is not None else pictured(turn.mailbox, item).content
    return Reply(200, octets, {"Content-Type": "text/plain"})


def folder(turn: Turn) -> Reply:
    """One of the folders that there are."""
    name = folder_named(turn.route.folder)
    if name is None:
        raise GraphError(404, "ErrorItemNotFound")
    inside = sum(item.folder == name for item in turn.office.visible(turn.mailbox))
    told = {"id": folder_id(name), "displayName": name, "totalItemCount": inside, "unreadItemCount": 0}
    return Reply.json({"@odata.context": f"{base(turn)}/$metadata#mailFolders/$entity", **told})


def listed(turn: Turn) -> Reply:
    """The messages of a folder, or of all."""
    asked = turn.call.asked
    queries.require_known(asked)
    found = queries.wanted(_in_folder(turn), asked)
    skip, top = queries.page(asked)
    told: dict[str, Any] = {"@odata.context": f"{base(turn)}/$metadata#users('me')/messages"}
    if asked.get("$count", "").lower() == "true":
        told["@odata.count"] = len(found)
    if len(found) > skip + top:
        path = quote(turn.call.path, safe="/")
        told["@odata.nextLink"] = f"{turn.office.url()}{path}?{urlencode({**asked, '$skip': skip + top})}"
    told["value"] = [_told(turn, item) for item in found[skip : skip + top]]
    return Reply.json(told, headers=turn.headers)


def _in_folder(turn: Turn) -> list[Item]:
    items = turn.office.visible(turn.mailbox)
    if not turn.route.folder:
        return items
    name = folder_named(turn.route.folder)
    if name is None:
        raise GraphError(404, "ErrorItemNotFound")
    return [item for item in items if item.folder == name]


def _told(turn: Turn, item: Item) -> dict[str, Any]:
    """Return what the client is shown of *item*."""
    shown = item.shown(immutable=turn.immutable)
    return {**queries.selected(shown, turn.call.asked), **queries.expanded(item, turn.call.asked)}


def shown(turn: Turn, item: Item, status: int = 200) -> Reply:
    """Return *item* as an answer, with what of it the client asked for."""
    context = {"@odata.context": f"{base(turn)}/$metadata#users('me')/messages/$entity"}
    return Reply.json({**context, **_told(turn, item)}, status, turn.headers)
