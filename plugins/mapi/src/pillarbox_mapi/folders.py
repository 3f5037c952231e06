"""Where a mail of ours lies in Outlook: found by the header property that carries its key."""

from __future__ import annotations

from collections.abc import Iterator

from .patience import Patient

KEY = "X-Pillarbox-Id"
HEADERS = "http://schemas.microsoft.com/mapi/string/{00020386-0000-0000-C000-000000000046}/"
"""PS_INTERNET_HEADERS: behind it stands the name of a header of the Internet message (MS-OXPROPS)."""
OUTBOX, SENT, DRAFTS = 4, 5, 16
"""Of OlDefaultFolders."""


def where(session: Patient, key: str, account: str) -> str:
    """Return `sent`, `outbox`, `draft` or `nowhere`; *account* is the one that was to send, as it was called.

    Drafts come first, and what is found there is removed: a Send that still waits for somebody's answer then has nothing
    to send. Outbox and Sent are looked at afterwards, in the order in which a mail moves.

    Raises:
        ComError: The look failed, or a draft could not be removed.
    """
    drafts = discarded(session, key)
    for number, name in ((OUTBOX, "outbox"), (SENT, "sent")):
        for place in (session, *_stores(session, account)):
            if _found(place, number, key):
                return name
    return "draft" if drafts else "nowhere"


def discarded(session: Patient, key: str) -> int:
    """Remove the drafts of *key* and say how many there were."""
    drafts = _found(session, DRAFTS, key)
    for draft in drafts:
        draft.call("Delete")
    return len(drafts)


def _found(store: Patient, folder: int, key: str) -> list[Patient]:
    """Return the mails of *key* in a folder of *store*; the session stands for the default store."""
    quoted = key.replace("'", "''")
    items = store.call("GetDefaultFolder", folder).get("Items")
    return members(items.call("Restrict", f"@SQL=\"{HEADERS}{KEY}\" = '{quoted}'"))


def _stores(session: Patient, account: str) -> Iterator[Patient]:
    """Yield where the account files what it sent; an Outlook before 2010 does not say."""
    for one in members(session.get("Accounts")):
        if account and account in {one.get("SmtpAddress"), one.get("DisplayName")}:
            store = one.get("DeliveryStore")
            if store is not None:
                yield store


def members(collection: Patient) -> list[Patient]:
    """Return what is in a collection of Outlook's, which counts from 1."""
    return [collection.call("Item", number) for number in range(1, collection.get("Count") + 1)]
