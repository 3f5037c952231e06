"""What was sent, what waits and why; and a person's word on it."""

from __future__ import annotations

import datetime as dt

from starlette.responses import Response

from pillarbox import Entry, Outbox, OutboxError, SettingsError, State
from pillarbox.outbox import ENDED, Pause, Search, slip

from ..visit import Visit

PAGE = 50
DEEDS = ("retry", "cancel", "hold", "sent", "not-sent", "again")


def page(visit: Visit) -> Response:
    """List the entries that are looked for, the newest first."""
    outbox, asked = _outbox(visit), visit.request.query_params
    if outbox is None:
        return visit.page("no-outbox.html")
    state = asked.get("state", "")
    found = outbox.list(
        Search(
            company=_company(visit),
            user=_whose(visit) or asked.get("user", "")[:100],
            states=frozenset({State(state)}) if state in {one.value for one in State} else frozenset(),
            to=asked.get("to", "")[:200],
            reference=asked.get("reference", "")[:200],
            since=_day(asked.get("since", "")),
            before=asked.get("before", "")[:200],
            limit=PAGE + 1,
        )
    )
    return visit.page(
        "outbox.html",
        entries=found[:PAGE],
        asked=asked,
        next=dict(asked) | {"before": found[PAGE - 1].key} if len(found) > PAGE else None,
        states=list(State),
        pauses=_pauses(visit, outbox),
        scope=_scope(visit),
        can_pause=visit.mailer.existing_queue is not None,
    )


def entry(visit: Visit) -> Response:
    """Show one entry, with its whole history; with POST, decide about it."""
    outbox = _outbox(visit)
    if outbox is None:
        return visit.page("no-outbox.html", 404)
    one = _mine(visit, outbox, visit.request.path_params["key"])
    if visit.request.method == "POST":
        return _decided(visit, outbox, one)
    repeats = outbox.list(Search(again_of=one.key))
    shown = slip(one, outbox.history(one.key), repeats, outbox.reports(one.key))
    return visit.page(
        "entry.html",
        entry=one,
        slip=shown,
        deeds=_deeds(visit, outbox, one),
        can_decide=_may_decide(visit, one),
    )


def pause(visit: Visit) -> Response:
    """Let nothing start: of the company, or of what one user wrote."""
    reason = visit.form.get("reason", "").strip()[:200] or visit.words("Paused on the page.")
    _queue(visit).pause(Pause(scope=_scope(visit), reason=reason, by=visit.person.actor.name))
    return visit.go(visit.at("outbox", done="paused"))


def resume(visit: Visit) -> Response:
    """Go on with what a person paused; nobody resumes what they did not see."""
    outbox = _queue(visit)
    scope = visit.form.get("scope", "")
    kind, _, lane = scope.partition(":")
    if kind == "lane" and not visit.may_let_go(lane.split("/")[1] if "/" in lane else ""):
        raise SettingsError("A personal account is its owner's alone, also in the queue.", cure="Ask them.")
    if scope in {one.scope for one in _pauses(visit, outbox)}:
        outbox.resume(scope)
    return visit.go(visit.at("outbox", done="resumed"))


def _outbox(visit: Visit) -> Outbox | None:
    return visit.mailer.existing_queue or visit.mailer.history


def _queue(visit: Visit) -> Outbox:
    found = visit.mailer.existing_queue
    if found is None:
        raise SettingsError("There is no outbox, so there is nothing to pause.")
    return found


def _company(visit: Visit) -> str:
    return visit.mailer.directory.look_up(None, visit.company)[0].id


def _whose(visit: Visit) -> str:
    """Return whose mail alone is shown, or "" for everybody's."""
    return "" if visit.person.is_administrator else visit.person.user or ""


def _scope(visit: Visit) -> str:
    company, user = _company(visit), _whose(visit)
    return f"user:{company}/{user}" if user else f"company:{company}"


def _pauses(visit: Visit, outbox: Outbox) -> list[Pause]:
    company, own = _company(visit), _scope(visit)
    starts = (f"lane:{company}/", f"user:{company}/", f"company:{company}")
    if visit.person.is_administrator:
        return [one for one in outbox.pauses() if one.scope.startswith(starts)]
    lane = f"lane:{company}/user:{visit.person.user}/"
    return [one for one in outbox.pauses() if one.scope == own or one.scope.startswith(lane)]


def _mine(visit: Visit, outbox: Outbox, key: str) -> Entry:
    """Return the entry that *key* names; what is another's is not there.

    Raises:
        SettingsError: There is none that this person may see.
    """
    found = outbox.get(key)
    mine = _whose(visit)
    if (
        found is None
        or found.company != _company(visit)
        or (mine and mine not in {found.user, _owner(found)})
    ):
        raise SettingsError("There is no such mail in the outbox.", cure="Look for it in the list.")
    return found


def _owner(one: Entry) -> str:
    return one.owner.removeprefix("user:") if one.owner.startswith("user:") else ""


def _may_decide(visit: Visit, one: Entry) -> bool:
    """Whether this person may let it go on."""
    return visit.may_let_go(one.owner)


def _deeds(visit: Visit, outbox: Outbox, one: Entry) -> list[str]:
    """Return what can be decided about it as it stands."""
    if outbox is visit.mailer.history and visit.mailer.existing_queue is None:
        return ["sent", "not-sent"] if one.state is State.HELD else []
    deeds = []
    if one.state is State.HELD:
        deeds += ["sent", "not-sent"]
    if one.state in {State.DEFERRED, State.QUEUED}:
        deeds += ["retry", "hold"]
    if one.state in {State.QUEUED, State.DEFERRED, State.HELD}:
        deeds.append("cancel")
    if one.state in ENDED and not one.is_erased:
        deeds.append("again")
    return deeds


def _decided(visit: Visit, outbox: Outbox, one: Entry) -> Response:
    deed, by, key = visit.form.get("deed", ""), visit.person.actor.name, one.key
    if deed not in DEEDS or deed not in _deeds(visit, outbox, one):
        raise OutboxError("That can't be done with it as it stands now.", cure="Load its page again.")
    if deed not in {"cancel", "hold"} and not _may_decide(visit, one):
        raise SettingsError("A personal account is its owner's alone, also in the queue.", cure="Ask them.")
    done = "queued"
    if deed == "retry":
        outbox.retry(key, by=by)
    elif deed == "cancel":
        outbox.cancel(key, visit.words("Cancelled on the page."), by=by)
        done = "cancelled"
    elif deed == "hold":
        outbox.hold(key, visit.words("Held on the page."), by=by)
        done = "held"
    elif deed == "again":
        key, done = visit.mailer.send_again(key, by=by).key, "again"
    else:
        outbox.settle(key, sent=deed == "sent", by=by)
        done = "settled" if deed == "sent" else "queued"
    return visit.go(visit.at("outbox", key, done=done))


def _day(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text[:10]).replace(tzinfo=dt.UTC) if text else None
    except ValueError:
        return None
