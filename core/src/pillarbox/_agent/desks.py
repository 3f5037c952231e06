"""The server's side: what the worker of one user's desk may do to the outbox, and whether that worker is alive."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from .. import _log
from .._errors import Changed, OutboxError, PillarboxError, SendDeferred
from .._mail import State
from .._mailer import Mailer
from .._outbox import Entry, LaneCount, Outbox, OutboxSettings, Pause, Post, Search, Step, Wanted, steps
from .._outbox.recovery import end_late, rescue
from .._outbox.worker import RESCUE
from .._settings import desk_of
from .._status import most_urgent
from . import wire
from .lives import Lives, kind_of
from .tokens import Token, Tokens

MOST_CLAIMED = 256
"""The most entries that a desk has in hand."""
MOST_OCTETS = 64 * 1024 * 1024
MOST_LOOKS = 16
MOST_STEPS = 200
LONGEST_REASON = 2_000
LONGEST_NOTE = 8 * 1024
MOST_NOTES = 64
FURTHEST = dt.timedelta(days=31)
"""How far a desk may put a mail off."""
SHARED = 0.9
"""Seconds for which one look at the lanes is good for all desks that ask for news."""

_SESSION = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[0-9a-f]{32}")
_NOTE = re.compile(r"[\x21-\x7e]{1,100}")


@attrs.frozen
class _Scene:
    """How all desks stand at one moment."""

    lanes: Sequence[LaneCount]
    pauses: Sequence[Pause]
    until: float


class Desks:
    """Serves the workers of desks. One for a process; several processes of a host share the outbox and the vault.

    A worker is told and asked about nothing but lanes of its user's desk. It lives as long as it is heard of; what it has in
    hand when it is not is treated as a dead worker's.

    Args:
        mailer: Whose outbox and vault.
        lease: Seconds for which a worker is taken to be alive without a word of it.

    Raises:
        Unavailable: There is no vault for the tokens.
    """

    def __init__(self, mailer: Mailer, *, lease: float | None = None) -> None:
        self.mailer: Mailer = mailer
        self.tokens: Tokens = Tokens(mailer.vault)
        self._lease = wire.LEASE if lease is None else lease
        self._lives = Lives(lambda: self._outbox, self.tokens, self._lease)
        self._guard = threading.Lock()
        self._next_rescue = 0.0
        self._scene_guard = threading.Lock()
        self._known: _Scene | None = None

    # Who is there

    def who(
        self, secret: str, session: str, *, takes_over: bool = False, of_any_run: bool = False
    ) -> Token | None:
        """Return whose token *secret* is, or None where it is nobody's.

        Args:
            secret: What was shown.
            session: The run that shows it.
            takes_over: Whether it is the run that works from now on.
            of_any_run: Whether an earlier one is heard too: what it sent it has sent, and each step is of one claim.

        Raises:
            Changed: It is used by another run than *session*.
            SettingsError: Its user is there no more.
        """
        is_named = _SESSION.fullmatch(session) is not None
        token = self.tokens.who(secret, session=session if takes_over and is_named else "")
        if token is None:
            return None
        self.mailer.directory.look_up(token.user, token.company)
        if not is_named or (token.session != session and not of_any_run):
            raise Changed(
                "Another worker took over with this token.",
                cure="Give each computer a token of its own, from the user's page.",
            )
        return token

    def enter(self, token: Token) -> dict[str, Any]:
        """Let a worker begin; return what it has to know."""
        self._lives.of(token)
        self._take_care(at_once=True)  # of what an earlier run had, before this one asks
        _, who = self.mailer.directory.look_up(token.user, token.company)
        return {
            "protocol": wire.PROTOCOL,
            "user": token.user,
            "company": token.company,
            "name": (who.name if who is not None else "") or token.user,
            "outbox": wire.rules_table(self._rules),
            "lease": self._lease,
            "at": self._outbox.clock().isoformat(),
        }

    def leave(self, token: Token) -> None:
        """Let a worker go; what it still has in hand is taken back by the next who looks."""
        self._lives.end(token)

    # What there is to send

    def claim(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Give a worker what is due at its desk.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        self._take_care()
        seen = self._look_anew(token)
        lanes = [lane for lane in self._scene().lanes if _is_at(lane, token)]
        self._take_back(token, lanes, said.table("in_hand", 10 * MOST_CLAIMED))
        wanted = Wanted(
            worker=self._lives.of(token),
            most=said.whole("most", MOST_CLAIMED),
            each=said.whole("each", MOST_CLAIMED),
            octets=said.whole("octets", MOST_OCTETS),
            busy=frozenset(said.texts("busy")),
            methods=None if said["methods"] is None else frozenset(said.texts("methods")),
            accounts=frozenset(lane.account for lane in lanes),
            users=frozenset({token.user}),
        )
        entries = self._claimed(token, wanted) if lanes else []
        due = [lane.next_due for lane in lanes if lane.next_due is not None]
        ends = [one.until for one in self._scene().pauses if one.until is not None and _is_of(one, lanes)]
        at = self._outbox.clock()
        coming = [one for one in (*due, *ends) if one > at]
        return {
            **self._given(entries, self._hold),
            "seen": seen,
            "next_due": min(coming).isoformat() if coming else None,
            "at": at.isoformat(),
        }

    def looks(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Give a worker what is in doubt at its desk, and due to be looked for.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        self._take_care()
        limit, at = said.whole("limit", MOST_LOOKS), self._outbox.clock()
        found: list[Entry] = []
        for lane in self._lanes(token):
            if lane.counts.get(State.UNKNOWN):
                search = Search(states=frozenset({State.UNKNOWN}), account=lane.account, limit=1_000)
                found += [entry for entry in self._outbox.list(search) if entry.due_at <= at]
        found.sort(key=lambda entry: entry.due_at)
        return self._given(found[:limit], lambda entry, error: steps.looked_in_vain(entry, error.detail))

    def content(self, token: Token, key: str, fence: int) -> tuple[bytes, bytes] | None:
        """Return the Bcc header and the bytes of an entry that is this worker's, or in doubt at its desk; else None."""
        entry = self._entry(token, key, fence)
        if entry is None or not (self._has(token, entry) or entry.state is State.UNKNOWN):
            return None
        return entry.submission.bcc_header, entry.submission.content

    def hand_over(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Mark the hand-over of an entry, durably, if it still may be: in time, by the account as it is now, in a lane that is not paused.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        entry = self._entry(token, said["key"], said["fence"])
        if entry is None or not self._has(token, entry):
            return {"taken": False, "reason": "It is not this worker's any more."}
        try:
            self._post.account(entry)
        except OutboxError as error:
            self._hold_now(entry, error)
            return {"taken": False, "reason": str(error)}
        except PillarboxError as error:
            return {"taken": False, "reason": error.detail}
        until = entry.submission.not_after
        if until is not None and self._outbox.clock() > until:
            over = attrs.evolve(steps.too_late(entry), come_from=frozenset({State.CLAIMED}))
            self._outbox.take([over])
            return {"taken": False, "reason": over.reason}
        if self._outbox.take([steps.attempting(entry)])[0]:
            return {"taken": True}
        pause = self._outbox.is_paused(entry)
        if pause is not None:
            return {"taken": False, "paused": True, "reason": pause.reason}
        return {"taken": False, "reason": "It is not this worker's any more."}

    # What came of it

    def note(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Keep a note of an entry that is this worker's.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        name, value = said.text("name"), said.text("value")
        if not _NOTE.fullmatch(name) or len(value) > LONGEST_NOTE:
            raise ValueError("no note")
        entry = self._entry(token, said["key"], said["fence"])
        if entry is None or not self._has(token, entry) or len(entry.notes) >= MOST_NOTES:
            return {"kept": False}
        try:
            self._outbox.note(entry, name, value)
        except SendDeferred:
            return {"kept": False}
        return {"kept": True}

    def settle(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Take the steps that a worker decided, each only if it still may be; a carrier's word counts also when it comes late.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        if not isinstance(said["steps"], list) or len(said["steps"]) > MOST_STEPS:
            raise ValueError("no steps")
        asked = [wire.unpacked(Step, one) for one in said["steps"]]
        allowed = [self._allowed(token, one) for one in asked]
        some = [one for one in allowed if one is not None]
        taken = iter(self._outbox.take(some) if some else [])
        return {"taken": [one is not None and next(taken) for one in allowed]}

    def pause(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Start nothing more in a lane of the desk for now, as a worker does.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        pause, at = wire.unpacked(Pause, said["pause"]), self._outbox.clock()
        if not wire.may_pause(pause, [lane.account for lane in self._lanes(token)]):
            raise ValueError("no pause of a worker's")
        if pause.until is None and pause.kind != "sign-in":
            raise ValueError("a pause without an end")
        until = None if pause.until is None else min(pause.until, at + FURTHEST)
        self._outbox.pause(attrs.evolve(pause, since=at, until=until, reason=pause.reason[:LONGEST_REASON]))
        _log.event("warning", "pillarbox.paused", scope=pause.scope, kind=pause.kind)
        return {}

    def answered(self, token: Token, said: wire.Said) -> dict[str, Any]:
        """Say when attempts of one of the desk's mailboxes ended.

        Raises:
            ValueError: *said* is nothing that can be asked.
        """
        method, mailbox, begin = said.text("method"), said.text("mailbox"), said.moment("since")
        if (method, mailbox) not in {(lane.method, lane.mailbox) for lane in self._lanes(token)}:
            return {"at": []}
        since = max(begin, self._outbox.clock() - dt.timedelta(days=1))
        return {"at": [at.isoformat() for at in self._outbox.answered(method, mailbox, since)]}

    # News

    def news(self, token: Token, seen: str) -> tuple[bool, str]:
        """Say whether there may be something new since a worker last asked, and return a name for how its desk stands.

        What is compared with is what the last claim met in this process, however often the desk came to stand like that again
        meanwhile; else what the worker has *seen*.
        """
        told = self._told(token)
        return told != self._lives.met(token, seen), told

    def _look_anew(self, token: Token) -> str:
        with self._scene_guard:
            self._known = None
        told = self._told(token)
        self._lives.has_met(token, told)
        return told

    def _told(self, token: Token) -> str:
        scene, at = self._scene(), self._outbox.clock()
        lanes = [lane for lane in scene.lanes if _is_at(lane, token)]
        told = [
            (
                lane.account,
                lane.next_due is None or lane.next_due <= at,
                sorted((state.value, count) for state, count in lane.counts.items()),
            )
            for lane in lanes
        ]
        paused = sorted(one.scope for one in scene.pauses if _is_of(one, lanes))
        return hashlib.blake2b(repr((sorted(told), paused)).encode(), digest_size=12).hexdigest()

    def status(self, token: Token) -> dict[str, Any]:
        """Return how the desk's mail stands."""
        told = [
            one for one in self.mailer.status(company=token.company) if desk_of(one.account) == token.user
        ]
        return {
            "waiting": sum(one.waiting for one in told),
            "held": sum(one.held for one in told),
            "exit_code": most_urgent(one.exit_code for one in told),
            "sentences": [one.sentence for one in told],
        }

    @property
    def _outbox(self) -> Outbox:
        return self.mailer.queue

    @property
    def _rules(self) -> OutboxSettings:
        return self.mailer._rules  # noqa: SLF001  (as `Mailer.worker` has them)

    @property
    def _post(self) -> Post:
        return self.mailer._post()  # noqa: SLF001  (as `Mailer.worker` has it)

    def _lanes(self, token: Token) -> list[LaneCount]:
        return [lane for lane in self._outbox.lanes() if _is_at(lane, token)]

    def _scene(self) -> _Scene:
        with self._scene_guard:
            if self._known is None or time.monotonic() > self._known.until:
                lanes, pauses = self._outbox.lanes(), self._outbox.pauses()
                self._known = _Scene(lanes, pauses, time.monotonic() + SHARED)
            return self._known

    def _entry(self, token: Token, key: Any, fence: Any) -> Entry | None:
        """Return the entry of *key* where it is at this desk, in this claim."""
        if not isinstance(key, str) or not _KEY.fullmatch(key) or type(fence) is not int:
            raise ValueError("no key and fence")
        entry = self._outbox.get(key)
        if entry is None or entry.company != token.company or desk_of(entry.account) != token.user:
            return None
        return entry if entry.fence == fence else None

    def _has(self, token: Token, entry: Entry) -> bool:
        return entry.worker.startswith(kind_of(token))

    def _allowed(self, token: Token, asked: Step) -> Step | None:
        step = wire.allowed(asked)
        entry = self._entry(token, asked.key, asked.fence) if step is not None else None
        if step is None or entry is None:
            return None
        everybody = set(entry.submission.envelope.recipients)
        if step.recipients is not None and not (step.recipients and everybody.issuperset(step.recipients)):
            return None
        return _bounded(step, self._outbox.clock())

    def _given(
        self, entries: Iterable[Entry], without_account: Callable[[Entry, OutboxError], Step]
    ) -> dict[str, Any]:
        """Return what a worker is given of *entries*, and of the accounts that they go by."""
        given, accounts = [], {}
        for entry in entries:
            try:
                account = self._post.account(entry)
            except OutboxError as error:
                self._outbox.take([without_account(entry, error)])
                _log.event("warning", "pillarbox.held", submission=entry.key, method=entry.method)
                continue
            except PillarboxError as error:
                self._wait_for_settings(entry, error)
                continue
            accounts[entry.account] = wire.account_table(account)
            given.append(wire.entry_table(entry))
        return {"entries": given, "accounts": accounts}

    def _hold(self, entry: Entry, error: OutboxError) -> Step:
        return steps.re_pointed(entry, str(error))

    def _hold_now(self, entry: Entry, error: OutboxError) -> None:
        self._outbox.take([self._hold(entry, error)])
        _log.event("warning", "pillarbox.held", submission=entry.key, method=entry.method)

    def _wait_for_settings(self, entry: Entry, error: PillarboxError) -> None:
        """Do as a worker does whose account can't be used: the entry goes back, and its lane waits."""
        if entry.state is State.UNKNOWN:
            return
        consequence = steps.after(entry, error, self._rules, self._outbox.clock())
        self._outbox.take([consequence.step])
        if consequence.pause is not None:
            self._outbox.pause(consequence.pause)

    def _claimed(self, token: Token, wanted: Wanted) -> list[Entry]:
        try:
            return self._outbox.claim(wanted)
        except OutboxError:  # the outbox was closed meanwhile, and is used again
            self._lives.lost(token)
            return self._outbox.claim(attrs.evolve(wanted, worker=self._lives.of(token)))

    def _take_back(self, token: Token, lanes: Iterable[LaneCount], in_hand: Mapping[str, Any]) -> None:
        """Take back what was claimed with an answer that never came: nobody else would, since its worker lives."""
        lost: list[Step] = []
        for lane in lanes:
            if lane.counts.get(State.CLAIMED):
                search = Search(states=frozenset({State.CLAIMED}), account=lane.account, limit=1_000)
                lost += [
                    steps.released(entry)
                    for entry in self._outbox.list(search)
                    if self._has(token, entry) and in_hand.get(entry.key) != entry.fence
                ]
        if lost:
            self._outbox.take(lost)

    def _take_care(self, *, at_once: bool = False) -> None:
        """Do what a worker on the server does now and then: there may be none."""
        now = time.monotonic()
        with self._guard:
            if now < self._next_rescue and not at_once:
                return
            self._next_rescue = now + RESCUE
        rescue(self._outbox)
        end_late(self._outbox)


def _is_at(lane: LaneCount, token: Token) -> bool:
    return lane.company == token.company and desk_of(lane.account) == token.user


def _is_of(pause: Pause, lanes: Iterable[LaneCount]) -> bool:
    return any(pause.scope in _scopes(lane) for lane in lanes)


def _scopes(lane: LaneCount) -> Iterator[str]:
    yield f"lane:{lane.account}"
    yield f"company:{lane.company}"
    yield f"user:{lane.company}/{desk_of(lane.account)}"


def _bounded(step: Step, at: dt.datetime) -> Step:
    due, word = step.due_at, step.receipt
    return attrs.evolve(
        step,
        receipt=None if word is None else attrs.evolve(word, at=min(word.at, at)),
        reason=step.reason[:LONGEST_REASON],
        code=step.code[:100],
        due_at=None if due is None else min(due, at + FURTHEST),
        answered_at=None if step.answered_at is None else at,
    )
