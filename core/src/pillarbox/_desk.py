"""What a mailer does at its outbox beside filling it: how accounts stand, once more on purpose, and on from a mended account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from . import _log
from ._errors import SettingsError
from ._mail import now
from ._outbox import Entry, LaneCount, Outbox, Pause
from ._outbox.again import repeated
from ._status import AccountStatus, Health, View, counted, health, status

if TYPE_CHECKING:
    from ._mailer import Mailer
    from ._settings import Account


def statuses(mailer: Mailer, user: str | None, company: str | None) -> list[AccountStatus]:
    """Return how each account stands; see `Mailer.status`."""
    found, _ = mailer.directory.look_up(user, company)
    outbox = mailer._standing  # noqa: SLF001
    pauses = outbox.pauses() if outbox is not None else []
    lanes = _lanes(mailer, outbox, user, found.id, pauses)
    view = View(
        pauses=pauses,
        at=outbox.clock() if outbox is not None else now(),
        workers=outbox.workers() if outbox is not None else None,
        user=user,
        named=lambda one: _name(mailer, one, company),
    )
    return [status(lanes[key], view) for key in sorted(lanes)]


def _lanes(
    mailer: Mailer, outbox: Outbox | None, user: str | None, company: str, pauses: list[Pause]
) -> dict[str, LaneCount]:
    """Return the lanes to tell of: with mail, of the account that carries now, and, for nobody in particular, what is paused."""
    counted = outbox.lanes(user) if outbox is not None else []
    lanes = {lane.account: lane for lane in counted if lane.company == company}
    account = _account(mailer, user, company)
    if account is not None:
        lanes.setdefault(
            account.key, _empty(account.key, account.owner, company, account.method, account.mailbox)
        )
    if user is None and outbox is not None:
        for pause in pauses:
            kind, _, rest = pause.scope.partition(":")
            inside = rest.removeprefix(f"{company}/")
            if inside == rest:
                continue
            if kind == "lane":
                owner, _, method = inside.rpartition("/")
                lanes.setdefault(rest, _empty(rest, owner, company, method))
            elif all(lane.owner != f"user:{inside}" for lane in lanes.values()):
                lanes[pause.scope] = _of_user(outbox, pause.scope, inside, company)
    return lanes


def _of_user(outbox: Outbox, scope: str, user: str, company: str) -> LaneCount:
    """Return what a user who is paused wrote, whatever account carries it."""
    found = [lane for lane in outbox.lanes(user) if lane.company == company]
    oldest = min((lane.oldest for lane in found if lane.oldest is not None), default=None)
    return attrs.evolve(_empty(scope, f"user:{user}", company, ""), counts=counted(found), oldest=oldest)


def _account(mailer: Mailer, user: str | None, company: str) -> Account | None:
    """Return the account that carries *user*'s mail now; a company that can't send may have users who can."""
    try:
        return mailer.explain(user, company=company).account
    except SettingsError:
        if user is None:
            return None
        raise


def _empty(key: str, owner: str, company: str, method: str, mailbox: str = "") -> LaneCount:
    return LaneCount(account=key, company=company, owner=owner, method=method, mailbox=mailbox)


def _name(mailer: Mailer, user: str, company: str | None) -> str:
    try:
        _, who = mailer.directory.look_up(user, company)
    except SettingsError:
        return user
    return who.name or user if who is not None else user


def summary(mailer: Mailer, company: str | None) -> Health:
    """Return how the whole stands; see `Mailer.health`."""
    found, _ = mailer.directory.look_up(None, company)
    outbox = mailer._standing  # noqa: SLF001
    lanes = [lane for lane in outbox.lanes() if lane.company == found.id] if outbox is not None else []
    return health(statuses(mailer, None, company), lanes, outbox.workers() if outbox is not None else None)


def send_again(mailer: Mailer, key: str, by: str, *, anyway: bool) -> Entry:
    """Keep once more what is there under *key*; see `Mailer.send_again`."""
    queue = mailer.queue
    first = queue.known(key)
    again = repeated(first, queue.clock().astimezone(), anyway=anyway)
    mailer._post().account(again)  # noqa: SLF001  (another account by now: told at once, not by a worker)
    (kept,) = queue.put([again])
    _log.event(
        "info", "pillarbox.enqueued", submission=kept.key, method=kept.method, again_of=first.key, by=by
    )
    return kept
