"""One lane's turn in a worker: its entries one by one over one connection, each answer kept as it comes."""

from __future__ import annotations

import collections
import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import attrs

from .. import _log
from .._batch import deliver_many
from .._delivery import Outcome, Told, announce
from .._errors import OutboxError, OutcomeUnknown, PillarboxError, SendDeferred
from .._mail import Receipt, State, Submission
from .._route import Attempt
from .._settings import Account
from .._transports import Journal, Limits, Transport
from . import steps
from .contract import KeptJournal, Outbox
from .entry import Entry, Pause
from .lane import Lane
from .limits import Meter
from .settings import OutboxSettings

LONGEST = 5.0
"""Seconds after which a lane gives its thread to others that wait."""


class Post(Protocol):
    """What a worker needs of a mailer: accounts as they are set up now, and the transports that carry for them."""

    @property
    def told(self) -> Told | None:
        """Who hears of attempts."""

    def account(self, entry: Entry) -> Account:
        """Return the account that *entry* was written for, as it is set up now.

        Raises:
            OutboxError: It is another one by now, or gone: says how.
            SettingsError, Unavailable: It can't be used.
        """

    def limits(self, account: Account) -> Limits:
        """Return what the carrier allows."""

    def transport(self, account: Account) -> AbstractContextManager[Transport]:
        """Give a transport for *account* while the block lasts."""


class Turn:
    """Takes a lane's entries until it has none, rests, has had its time, or the worker is to stop."""

    def __init__(
        self,
        lane: Lane,
        outbox: Outbox,
        post: Post,
        settings: OutboxSettings,
        is_stopping: Callable[[], bool],
        tell: Callable[[State], None],
    ) -> None:
        self._lane = lane
        self._outbox = outbox
        self._post = post
        self._settings = settings
        self._is_stopping = is_stopping
        self._tell = tell
        self._begun: collections.deque[tuple[Entry, Journal]] = collections.deque()
        self._ends = time.monotonic() + LONGEST
        self._over = False
        self._first: Entry | None = None
        self._account: Account | None = None
        self._takes_envelope = True
        self._attempts: dict[str, Attempt] = {}

    def run(self) -> None:
        """Do it; what goes wrong belongs to the entry at which it did, or to the lane."""
        entry = self._first = self._next()
        if entry is None:
            return
        try:
            account = self._account = self._post.account(entry)
            self._meet(account)
            self._deliver(account)
        except OutboxError as error:
            self._hold(entry, error)
        except PillarboxError as error:
            self._blame(error)
        except Exception as error:  # noqa: BLE001  (one lane's fault is not another's)
            _log.event("error", "pillarbox.worker_failed", error=type(error).__name__)
            self._blame(SendDeferred(f"The worker failed with {type(error).__name__}."))
        finally:
            self._leave()

    def _blame(self, error: PillarboxError) -> None:
        """Keep *error* as the outcome of the entry that was to begin; the lane waits."""
        entry, self._first = self._first, None
        if entry is not None:
            self._keep(entry, error)
        self._lane.rest(self._settings.shortest_wait / 10)

    def _leave(self) -> None:
        """Let go of what was begun and has no answer: what was handed over is looked for."""
        at = self._outbox.clock()
        for _, journal in self._begun:
            if self._meter is not None:
                self._meter.answered(at, counts=journal.handed_over)
        if self._first is not None:
            self._begun.append((self._first, Journal()))
        lost = "The attempt broke off after the hand-over; whether it left is not known."
        for entry, journal in self._begun:
            unknown = steps.metered(steps.after(entry, OutcomeUnknown(lost), self._settings, at).step, at)
            self._outbox.take([unknown if journal.handed_over else self._lane.back(entry)], soon=True)

    def _meet(self, account: Account) -> None:
        """Ask what the carrier allows, once, and what it has had of this mailbox lately."""
        lane = self._lane
        if lane.meter is None:
            lane.limits = self._post.limits(account)
            lane.meter = Meter(lane.limits)
        if lane.meter.counts:  # each time: another worker may have had the lane, however briefly
            since = self._outbox.clock() - lane.meter.span
            lane.meter.seed(self._outbox.answered(account.method, account.mailbox, since))

    def _next(self) -> Entry | None:
        if self._is_done():
            return None
        if self._first is not None:
            entry, self._first = self._first, None
            return entry
        try:
            return self._lane.waiting.popleft()
        except IndexError:
            return None

    def _deliver(self, account: Account) -> None:
        with self._post.transport(account) as transport:
            self._takes_envelope = type(transport).takes_envelope
            while (self._first or self._lane.waiting) and not self._is_done():
                for outcome in deliver_many(self._pulled(), transport, self._heard):
                    entry, journal = self._begun.popleft()
                    self._answered(entry, journal, outcome)

    def _is_done(self) -> bool:
        return self._over or self._is_stopping() or self._lane.is_resting

    def _pulled(self) -> Iterator[tuple[Submission, Journal]]:
        """Give the transport the next, as long as another may be in doubt."""
        while (entry := self._fit()) is not None:
            journal = self._outbox.journal(entry)
            if self._settings.batch > 1 and isinstance(journal, KeptJournal):
                journal.marks = self._mark
            self._begun.append((entry, journal))
            yield entry.submission, journal
            if time.monotonic() > self._ends:
                self._over = True

    @property
    def _meter(self) -> Meter | None:
        """The lane's, where there is a limit to keep."""
        meter = self._lane.meter
        return meter if meter is not None and meter.counts else None

    @property
    def _in_doubt(self) -> int:
        return sum(journal.handed_over for _, journal in self._begun)

    def _mark(self, entry: Entry) -> bool:
        """Mark a hand-over; with it, in one write, those of the next, where the transport has several in doubt at once.

        With what is marked ahead no more may be in doubt after a crash than the settings say.
        """
        in_doubt = self._in_doubt
        several = in_doubt and self._meter is None
        return self._lane.mark(entry, self._settings.batch - in_doubt - 1 if several else 0, self._outbox)

    def _fit(self) -> Entry | None:
        """Return the next entry that may start now; those of another mind than the account are held."""
        if self._in_doubt >= self._settings.batch:
            return None
        while (entry := self._next()) is not None:
            if self._lane.is_stale(entry):
                self._put_back(entry)
                self._release_at_once()
                return None
            try:
                account = self._post.account(entry)
            except OutboxError as error:
                self._hold(entry, error)
                continue
            except PillarboxError as error:
                self._keep(entry, error)
                return None
            except Exception:
                self._first = entry  # it is to blame, not lost
                raise
            if account is not self._account and account != self._account:
                self._put_back(entry)  # the settings have changed: a new turn, a new transport
                return None
            wait = self._meter.wait(self._outbox.clock()) if self._meter is not None else None
            if wait:
                self._put_back(entry)
                self._lane.rest(wait.total_seconds())
                self._release_waiting()
                return None
            return entry
        return None

    def _put_back(self, entry: Entry) -> None:
        self._lane.waiting.appendleft(entry)
        self._over = True

    def _release_waiting(self) -> None:
        """Give back what was claimed ahead: while the lane rests, others may come to stand before it."""
        self._outbox.take(self._lane.give_back(), soon=True)

    def _release_at_once(self) -> None:
        """The same, where it is to be claimed again by the next look."""
        moves = self._lane.give_back()
        try:
            self._outbox.take(moves)
        except Exception:
            self._outbox.take(moves, soon=True)
            raise

    def _hold(self, entry: Entry, error: OutboxError) -> None:
        self._first = None
        held = [steps.re_pointed(entry, str(error))]
        if self._lane.was_marked(entry):
            held = [steps.not_begun(entry), steps.held(entry.key, str(error), "")]
        self._outbox.take(held, soon=True)
        _log.event("warning", "pillarbox.held", submission=entry.key, method=entry.method)
        self._tell(State.HELD)

    def _answered(self, entry: Entry, journal: Journal, outcome: Outcome) -> None:
        """Keep what came of an attempt."""
        meter, at, counts = self._meter, self._outbox.clock(), False
        if meter is not None:
            counts = journal.handed_over or isinstance(outcome, Receipt)
            meter.answered(at, counts=counts)
        self._keep(entry, outcome, at, handed_over=journal.handed_over, counts=counts)

    def _keep(
        self,
        entry: Entry,
        outcome: Outcome,
        at: dt.datetime | None = None,
        *,
        handed_over: bool = False,
        counts: bool = False,
    ) -> None:
        """Take the step that follows from what came *at* a moment, now by default; a lane that has to wait does."""
        at = at or self._outbox.clock()
        if self._settings.batch > 1:
            self._lane.was_marked(entry)
        consequence = steps.after(entry, outcome, self._settings, at, takes_envelope=self._takes_envelope)
        step = steps.metered(consequence.step, at) if counts else consequence.step
        forgot = not handed_over and step.state in {State.ACCEPTED, State.UNKNOWN}
        self._outbox.take(steps.by_way_of_attempting(entry, step) if forgot else [step], soon=True)
        if isinstance(outcome, SendDeferred) and outcome.stage == steps.PAUSED:
            self._over = True  # what was claimed before the pause is not to be announced one by one
            self._release_waiting()
        if consequence.pause is not None:
            self._over = True
            self._lane.rest(self._settings.shortest_wait / 10)
            self._pause(consequence.pause)
            self._release_waiting()
        self._tell(step.state or State.UNKNOWN)
        self._announce(entry, step.state or State.UNKNOWN)

    @property
    def _heard(self) -> Told | None:
        """What keeps an attempt until it is known where its entry stands; None where nobody wants to hear."""
        return None if self._post.told is None else self._remember

    def _remember(self, attempt: Attempt) -> None:
        self._attempts[attempt.submission] = attempt

    def _announce(self, entry: Entry, state: State) -> None:
        """Tell of the attempt, with the state that its entry has come to."""
        attempt = self._attempts.pop(entry.key, None)
        told = self._post.told if attempt is not None else None
        if attempt is not None and told is not None:
            announce(attrs.evolve(attempt, state=state, put_at=entry.created_at), told)

    def _pause(self, pause: Pause) -> None:
        try:
            self._outbox.pause(pause)
            _log.event("warning", "pillarbox.paused", scope=pause.scope, kind=pause.kind)
        except Exception as error:  # noqa: BLE001  (a storage that fails: the lane rests here all the same)
            _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
