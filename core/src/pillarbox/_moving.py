"""What waits for an account that is another one by now, and which of it may go by the new one (rule 27)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from . import _log
from ._accounts import account_of
from ._address import Address
from ._errors import OutboxError, PillarboxError
from ._mail import State
from ._outbox import Entry, Event, Outbox, Search
from ._outbox.entry import WAITING
from ._plugins import asked
from ._route import Route

if TYPE_CHECKING:
    from ._keeping import Keeping
    from ._settings import Company, User
    from ._transports import Transport

MOST = 10_000
"""The most entries that are looked at in one call."""
_OPEN = WAITING | {State.HELD, State.UNKNOWN}
MENDED = frozenset({"sign-in", "settings", "server"})
"""The pauses that a change of the account's settings may have put an end to."""


@attrs.frozen(kw_only=True)
class Stranded:
    """An entry that was written for an account which is another one by now.

    Attributes:
        entry: Without its bytes.
        why_not: Why it can't go by the account as it is now, a sentence; "" where it can.
    """

    entry: Entry
    why_not: str = ""

    @property
    def can_move(self) -> bool:
        """Whether it may go by the account as it is now."""
        return not self.why_not


def stranded(mailer: Keeping, user: str | None, company: str | None) -> list[Stranded]:
    """Return what waits for the record's account as it was; see `Mailer.stranded`."""
    found, who = mailer.directory.look_up(user, company)
    outbox = mailer.existing_queue
    if outbox is None:
        return []
    owner = (who or found).owner
    lanes = [lane.account for lane in outbox.lanes() if (lane.owner, lane.company) == (owner, found.id)]
    now = _as_it_is(mailer, who or found, found)
    waiting = [
        entry for lane in lanes for entry in outbox.list(Search(account=lane, states=_OPEN, limit=MOST))
    ]
    return [_judged(mailer, outbox, entry) for entry in waiting if (entry.method, entry.mailbox) != now]


def _as_it_is(mailer: Keeping, record: Company | User, company: Company) -> tuple[str, str]:
    """Return method and mailbox that the record's account has now; of none, where it has none."""
    try:
        account = account_of(record, company, mailer.plugins)
    except PillarboxError:
        return "", ""
    return account.method, account.mailbox


def _judged(mailer: Keeping, outbox: Outbox, entry: Entry) -> Stranded:
    try:
        _destination(mailer, outbox, entry)
    except PillarboxError as error:
        return Stranded(entry=entry, why_not=error.detail)
    return Stranded(entry=entry)


def _destination(mailer: Keeping, outbox: Outbox, entry: Entry) -> Route:
    """Return the route by which *entry* may go now.

    Raises:
        OutboxError: It may not: says why.
        PillarboxError: There is none.
    """
    route = mailer.explain(entry.user, company=entry.company)
    why_not = obstacle(entry, outbox.history(entry.key), route, mailer.plugins[route.account.method])
    if why_not:
        raise OutboxError(why_not)
    return route


def obstacle(entry: Entry, history: Sequence[Event], route: Route, transport: type[Transport]) -> str:
    """Return why *entry* may not go by the account of *route*, a sentence; "" where it may."""
    return _in_doubt(entry, history) or _looks_other(entry, route) or _does_not_fit(entry, route, transport)


def _in_doubt(entry: Entry, history: Sequence[Event]) -> str:
    """Say so where an attempt may have been accepted: by another account it would be sent twice."""
    if entry.state is State.UNKNOWN or any(event.state is State.UNKNOWN for event in history):
        return "It may have been sent."
    return "" if entry.state in _OPEN else f"It is {entry.state.value}."


def _looks_other(entry: Entry, route: Route) -> str:
    shown = route.from_address.wire if route.from_address is not None else None
    if shown != entry.submission.from_header:
        return (
            f"It shows {entry.submission.from_header}; the account would show {shown or 'its own address'}."
        )
    bounces = Address(route.envelope_sender).wire if route.envelope_sender else route.envelope_sender
    if bounces != entry.submission.envelope.sender:
        return f"Its bounces go to {entry.submission.envelope.sender}; the account's would go to {bounces}."
    return ""


def _does_not_fit(entry: Entry, route: Route, transport: type[Transport]) -> str:
    account = route.account
    if account.method != entry.method and entry.submission.options:
        return f"It asks for something that only {entry.method} does."
    if entry.receipt is not None and not transport.takes_envelope:
        return "Some have it already, and the account can't send to the others alone."
    most = asked(transport, "limits", account.settings).recipients
    count = len(entry.submission.envelope.recipients)
    return (
        f"It has {count:,} recipients; the account takes {most:,}."
        if most is not None and count > most
        else ""
    )


def move(mailer: Keeping, key: str, by: str) -> Entry:
    """Let an entry go by the account as it is now; see `Mailer.move`."""
    queue = mailer.queue
    entry = queue.known(key)
    account = _destination(mailer, queue, entry).account
    if (entry.account, entry.mailbox) == (account.key, account.mailbox):
        raise OutboxError(f"{entry.key} is there already.")
    reason = f"Moved from {entry.mailbox} by {entry.method} to {account.mailbox} by {account.method}."
    if not queue.re_point(entry, account, reason, by=by):
        raise OutboxError(
            f"{entry.key} has moved on meanwhile.", cure=f"Look: pillarbox outbox show {entry.key[:8]}"
        )
    _log.event("info", "pillarbox.enqueued", submission=entry.key, method=account.method, by=by)
    return queue.known(entry.key)


def mended(mailer: Keeping, record: Company | User, company: str | None) -> list[str]:
    """Resume what waited for the settings of *record* to be mended; see `Mailer.mended`."""
    outbox = mailer.existing_queue
    if outbox is None:
        return []
    found, _ = mailer.directory.look_up(None, company)
    start = f"lane:{found.id}/{record.owner}/"
    scopes = [one.scope for one in outbox.pauses() if one.kind in MENDED and one.scope.startswith(start)]
    resumed = [scope for scope in scopes if outbox.resume(scope)]
    for scope in resumed:
        _log.event("info", "pillarbox.resumed", scope=scope)
    return resumed
