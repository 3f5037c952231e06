"""How each account stands, in one sentence: for the person who asks why a mail has not left yet. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from ._accounts import connect_command
from ._errors import PillarboxError, quotation
from ._mail import State
from ._outbox import LaneCount, Pause
from ._settings import desk_of
from ._vault import NEVER

LONG = dt.timedelta(minutes=2)
"""After which mail that is due and nobody's has waited for a worker."""


class AccountState(enum.Enum):
    """How an account stands."""

    WORKING = "working"
    WAITING = "waiting"
    """By itself: it goes on when the server answers, or a worker comes."""
    SIGN_IN = "sign-in"
    """Until somebody has signed in again."""
    PAUSED = "paused"
    """Until somebody resumes it."""
    HELD = "held"
    """It works; some mail waits for a person's word."""


_EXIT_CODES = {
    AccountState.WORKING: 0,
    AccountState.WAITING: 75,
    AccountState.SIGN_IN: 77,
    AccountState.PAUSED: 75,
    AccountState.HELD: 70,
}
_URGENCY = (77, 70, 75, 0)


@attrs.frozen(kw_only=True)
class AccountStatus:
    """How one account stands.

    Attributes:
        account: Its key, which is the lane of its mail.
        owner, company, method, mailbox: The account's.
        state: How it stands.
        sentence: The same for a person, with what waits and what comes next.
        waiting: Mails that have not left yet, those under way and those being looked for included.
        held: Mails that wait for a person's word.
        oldest: Since when the oldest of them waits; aware, or None.
        next_try: When something is tried next; aware, or None where that is nobody's to say.
        kind: Why it is not working: `person`, `sign-in`, `settings`, `server`, `burst`, `no-worker`, or "".
    """

    account: str
    owner: str
    company: str
    method: str
    mailbox: str
    state: AccountState
    sentence: str
    waiting: int = 0
    held: int = 0
    oldest: dt.datetime | None = None
    next_try: dt.datetime | None = None
    kind: str = ""

    @property
    def exit_code(self) -> int:
        """What a monitor is told (sysexits): 0 working, 75 waiting, 77 sign-in needed, 70 something held."""
        own = _EXIT_CODES[self.state]
        return most_urgent([own, 70 if self.held else 0])


@attrs.frozen(kw_only=True)
class Health:
    """How the whole outbox of a company stands, for a monitor.

    Attributes:
        accounts: Each account.
        workers: How many workers are alive, or None where that can't be told.
        counts: How many entries stand in each state that is no end.
        oldest: Since when the oldest waits; aware, or None.
    """

    accounts: tuple[AccountStatus, ...] = ()
    workers: int | None = None
    counts: Mapping[State, int] = attrs.field(factory=dict)
    oldest: dt.datetime | None = None

    @property
    def exit_code(self) -> int:
        """The most urgent of the accounts'."""
        return most_urgent(one.exit_code for one in self.accounts)


def most_urgent(codes: Iterable[int]) -> int:
    """Return which of *codes* a monitor has to hear of first."""
    return min(codes, key=_URGENCY.index, default=0)


def health(accounts: Sequence[AccountStatus], lanes: Iterable[LaneCount], workers: int | None) -> Health:
    """Return the summary of *accounts* and *lanes*."""
    oldest = [one.oldest for one in accounts if one.oldest is not None]
    return Health(
        accounts=tuple(accounts), workers=workers, counts=counted(lanes), oldest=min(oldest, default=None)
    )


def counted(lanes: Iterable[LaneCount]) -> dict[State, int]:
    """Return how many entries of all *lanes* stand in each state."""
    counts: dict[State, int] = {}
    for lane in lanes:
        for state, count in lane.counts.items():
            counts[state] = counts.get(state, 0) + count
    return counts


@attrs.frozen(kw_only=True)
class View:
    """What a status is told from.

    Attributes:
        pauses: What is paused.
        at: The moment.
        workers: How many workers are alive, or None.
        user: Whose mail alone is counted, or None for everybody's.
        named: Gives the name of an account's owner.
        connects: Says whether a lane's account is connected to its provider, not signed in with a password.
        unconnected: Gives why such an account gets no token until somebody connects it, or None.
    """

    pauses: Sequence[Pause]
    at: dt.datetime
    workers: int | None = None
    user: str | None = None
    named: Callable[[str], str] = str
    connects: Callable[[LaneCount], bool] = lambda _: False
    unconnected: Callable[[LaneCount], PillarboxError | None] = lambda _: None


def status(lane: LaneCount, view: View) -> AccountStatus:
    """Return how the account of *lane* stands."""
    pause = _pause(lane, view)
    state, kind, text = _told(lane, pause, view)
    held = lane.counts.get(State.HELD, 0)
    waiting = sum(lane.counts.values()) - held
    return AccountStatus(
        account=lane.account,
        owner=lane.owner,
        company=lane.company,
        method=lane.method,
        mailbox=lane.mailbox,
        state=state,
        sentence=" ".join(filter(None, (text, _rest(lane, pause, view, waiting, kind), _held(held, state)))),
        waiting=waiting,
        held=held,
        oldest=lane.oldest,
        next_try=_next_try(lane, pause, view),
        kind=kind,
    )


_GRAVEST = ("person", "sign-in", "settings", "burst", "server")


def _pause(lane: LaneCount, view: View) -> Pause | None:
    """Return the gravest pause that the lane stands under."""
    scopes = {f"lane:{lane.account}", f"company:{lane.company}"}
    user = view.user or lane.owner.partition(":")[2]
    if user:
        scopes.add(f"user:{lane.company}/{user}")
    found = [pause for pause in view.pauses if pause.scope in scopes]
    return min(
        found, key=lambda pause: _GRAVEST.index(pause.kind) if pause.kind in _GRAVEST else 0, default=None
    )


def _told(lane: LaneCount, pause: Pause | None, view: View) -> tuple[AccountState, str, str]:
    """Return the state, its kind and the first sentence."""
    if pause is not None:
        return _told_of_pause(lane, pause, view)
    if view.connects(lane) and (problem := view.unconnected(lane)) is not None:
        return AccountState.SIGN_IN, "sign-in", _reconnect(lane, view, problem.detail)
    if lane.counts.get(State.HELD):
        return AccountState.HELD, "", ""
    if lane.counts.get(State.DEFERRED):
        return AccountState.WAITING, "server", "Not everything could be sent yet."
    if _lacks_worker(lane, view):
        return AccountState.WAITING, "no-worker", _no_worker(lane, view)
    if lane.counts.get(State.UNKNOWN):
        return AccountState.WAITING, "server", "A mail is in doubt, and is being looked for."
    return AccountState.WORKING, "", "Working."


def _told_of_pause(lane: LaneCount, pause: Pause, view: View) -> tuple[AccountState, str, str]:
    since, reason = clock(pause.since, view.at), sentence(quotation(pause.reason))
    if pause.kind == "sign-in" and view.connects(lane):
        return AccountState.SIGN_IN, pause.kind, _reconnect(lane, view, reason)
    if pause.kind == "sign-in":
        return (
            AccountState.SIGN_IN,
            pause.kind,
            f"{_capital(_who(lane, view))} has to sign in again. {reason}",
        )
    if pause.kind == "settings":
        return (
            AccountState.WAITING,
            pause.kind,
            f"Waiting since {since} for the settings to be mended. {reason}",
        )
    if pause.kind == "server":
        return AccountState.WAITING, pause.kind, f"Waiting since {since}. {reason}"
    by = f" by {quotation(pause.by)}" if pause.by else ""
    return AccountState.PAUSED, pause.kind, f"Paused{by} since {since}. {reason}"


def _reconnect(lane: LaneCount, view: View, reason: str) -> str:
    wanted = "connect it" if reason.startswith(NEVER) else "reconnect"
    said = sentence(quotation(reason))
    return f"Needs {_who(lane, view)} to {wanted}: {connect_command(lane.owner)}. {said}"


def _who(lane: LaneCount, view: View) -> str:
    kind, _, user = lane.owner.partition(":")
    return view.named(user) if kind == "user" else f"whoever looks after {lane.mailbox or 'the company'}"


def _lacks_worker(lane: LaneCount, view: View) -> bool:
    """Whether something that is due has lain there for long, and nobody is there to take it."""
    if (view.workers != 0 and not desk_of(lane.account)) or not lane.counts.get(State.QUEUED):
        return False
    is_due = lane.next_due is None or lane.next_due <= view.at
    return is_due and lane.oldest is not None and view.at - lane.oldest > LONG


def _no_worker(lane: LaneCount, view: View) -> str:
    """Say what is to be started, and where: what is carried at a desk waits for the worker there, whoever else is at work."""
    desk = desk_of(lane.account)
    if desk:
        return f"Nobody works at the computer of {view.named(desk)}. Start it there: pillarbox worker --user {desk}."
    return "No worker is running. Start one: pillarbox worker."


def _rest(lane: LaneCount, pause: Pause | None, view: View, waiting: int, kind: str) -> str:
    """Return what waits, and until when."""
    if not waiting:
        return "Nothing waits."
    mails = f"{waiting:,} mails wait" if waiting > 1 else "1 mail waits"
    comfort = ", nothing is lost" if kind else ""
    following = _next_try(lane, pause, view)
    coming = f"; the next try is at {clock(following, view.at)}" if following is not None else ""
    return f"{mails}{comfort}{coming}."


def _held(held: int, state: AccountState) -> str:
    if not held:
        return ""
    also = "Beside that, " if state is not AccountState.HELD else ""
    return f"{also}{held:,} {'are' if held > 1 else 'is'} held for a person to decide."


def _next_try(lane: LaneCount, pause: Pause | None, view: View) -> dt.datetime | None:
    """Return when something happens by itself that has not come due yet."""
    if pause is not None:
        return pause.until
    due = lane.next_due
    return due if due is not None and due > view.at else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return *text* with the full stop of a sentence, where it has none."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def clock(moment: dt.datetime, now: dt.datetime) -> str:
    """Return *moment* as people here say it: the time, with its day when that is another than today."""
    here, today = moment.astimezone(), now.astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"
