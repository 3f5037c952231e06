"""What a mailer does at its outbox beside filling it: how accounts stand, once more on purpose, and on from a mended account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from . import _log
from ._accounts import account_of, sign_in_of
from ._errors import PillarboxError, SettingsError
from ._mail import now
from ._outbox import Entry, LaneCount, Outbox, Pause
from ._outbox.again import repeated
from ._status import AccountStatus, Health, View, counted, health, status

if TYPE_CHECKING:
    from ._keeping import Keeping
    from ._settings import Account


@attrs.frozen
class _Scene:
    """What is asked of the outbox once, for all accounts; of none, where there is none yet."""

    outbox: Outbox | None
    lanes: list[LaneCount]
    pauses: list[Pause]
    workers: int | None


def _connects(mailer: Keeping, lane: LaneCount) -> bool:
    """Whether the account of *lane* is connected, not signed in with a password."""
    try:
        found, who = mailer.directory.look_up(lane.owner.partition(":")[2] or None, lane.company)
        account = account_of(who or found, found, mailer.plugins)
    except PillarboxError:
        return False
    return account.method == lane.method and bool(sign_in_of(account, mailer.plugins[account.method])[0])


def _scene(mailer: Keeping, user: str | None, company: str) -> _Scene:
    outbox = mailer.existing_queue
    if outbox is None:
        return _Scene(None, [], [], None)
    lanes = [lane for lane in outbox.lanes(user) if lane.company == company]
    return _Scene(outbox, lanes, outbox.pauses(), outbox.workers())


def statuses(mailer: Keeping, user: str | None, company: str | None) -> list[AccountStatus]:
    """Return how each account stands; see `Mailer.status`."""
    found, _ = mailer.directory.look_up(user, company)
    return _told(mailer, _scene(mailer, user, found.id), user, found.id)


def summary(mailer: Keeping, company: str | None) -> Health:
    """Return how the whole stands; see `Mailer.health`."""
    found, _ = mailer.directory.look_up(None, company)
    scene = _scene(mailer, None, found.id)
    return health(_told(mailer, scene, None, found.id), scene.lanes, scene.workers)


def _told(mailer: Keeping, scene: _Scene, user: str | None, company: str) -> list[AccountStatus]:
    lanes = _lanes(mailer, scene, user, company)
    view = View(
        pauses=scene.pauses,
        at=scene.outbox.clock() if scene.outbox is not None else now(),
        workers=scene.workers,
        user=user,
        named=lambda one: _name(mailer, one, company),
        connects=lambda lane: _connects(mailer, lane),
        unconnected=lambda lane: mailer._sign_in_problem(lane.owner, company),  # noqa: SLF001
    )
    return [status(lanes[key], view) for key in sorted(lanes)]


def _lanes(mailer: Keeping, scene: _Scene, user: str | None, company: str) -> dict[str, LaneCount]:
    """Return the lanes to tell of: with mail, of the account that carries now, and, for nobody in particular, what is paused."""
    lanes = {lane.account: lane for lane in scene.lanes}
    account = _account(mailer, user, company)
    if account is not None:
        empty = _empty(account.key, account.owner, company, account.method, account.mailbox)
        lanes.setdefault(account.key, empty)
    if user is None and scene.outbox is not None:
        for pause in scene.pauses:
            _add_paused(lanes, scene.outbox, pause, company)
    return lanes


def _add_paused(lanes: dict[str, LaneCount], outbox: Outbox, pause: Pause, company: str) -> None:
    """Add what is paused and has no lane among *lanes*: an account without mail, a user who writes by the company's."""
    kind, _, rest = pause.scope.partition(":")
    inside = rest.removeprefix(f"{company}/")
    if inside == rest:
        return
    if kind == "lane":
        owner, method = inside.split("/")[:2]
        lanes.setdefault(rest, _empty(rest, owner, company, method))
    elif all(lane.owner != f"user:{inside}" for lane in lanes.values()):
        lanes[pause.scope] = _of_user(outbox, pause.scope, inside, company)


def _of_user(outbox: Outbox, scope: str, user: str, company: str) -> LaneCount:
    """Return what a user who is paused wrote, whatever account carries it."""
    found = [lane for lane in outbox.lanes(user) if lane.company == company]
    oldest = min((lane.oldest for lane in found if lane.oldest is not None), default=None)
    return attrs.evolve(_empty(scope, f"user:{user}", company, ""), counts=counted(found), oldest=oldest)


def _account(mailer: Keeping, user: str | None, company: str) -> Account | None:
    """Return the account that carries *user*'s mail now; a company that can't send may have users who can."""
    try:
        return mailer.explain(user, company=company).account
    except SettingsError:
        if user is None:
            return None
        raise


def _empty(key: str, owner: str, company: str, method: str, mailbox: str = "") -> LaneCount:
    return LaneCount(account=key, company=company, owner=owner, method=method, mailbox=mailbox)


def _name(mailer: Keeping, user: str, company: str) -> str:
    try:
        _, who = mailer.directory.look_up(user, company)
    except SettingsError:
        return user
    return who.name or user if who is not None else user


def send_again(mailer: Keeping, key: str, by: str, *, anyway: bool) -> Entry:
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
