"""deliver(): one attempt, its outcome told by stage; settled(): from the outcome to the next state."""

from __future__ import annotations

import collections
import copy
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import attrs

from . import _log
from ._errors import (
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    SendDeferred,
    SendError,
    SendRejected,
    SettingsError,
    SignInNeeded,
)
from ._mail import ACCEPTED, Receipt, State, Submission, now
from ._route import Attempt
from ._transports import Journal, Limits, Transport

Outcome: TypeAlias = Receipt | PillarboxError
Told: TypeAlias = Callable[[Attempt], None]


def deliver(
    submission: Submission, journal: Journal, transport: Transport, told: Told | None = None
) -> Receipt:
    """Try once to submit and return the carrier's word.

    Whatever the transport raises that is not pillarbox's own is told by the hand-over: before it the message was
    not sent, from it on the outcome is unknown.

    Raises:
        PillarboxError: What the attempt ended in instead.
    """
    started = time.monotonic()
    outcome = _attempt(submission, journal, transport)
    _tell(submission, journal, transport, outcome, time.monotonic() - started, told)
    if isinstance(outcome, PillarboxError):
        raise outcome
    return outcome


def _attempt(submission: Submission, journal: Journal, transport: Transport) -> Outcome:
    try:
        refuse_unfit(submission, transport)
        receipt = transport.send(submission, journal)
    except PillarboxError as error:
        return redacted(error, transport)
    except Exception as error:  # noqa: BLE001  (a plugin may raise anything; it must not decide what was sent)
        problem = error
    else:
        return completed(receipt, submission)
    return foreign(problem, journal, transport)


def refuse_unfit(submission: Submission, transport: Transport) -> None:
    """Refuse, before any network, what this carrier can't take or what is too late.

    Raises:
        MessageError: Too many recipients, or too large.
        SendRejected: `not_after` has passed.
    """
    if submission.not_after is not None and now() > submission.not_after:
        raise SendRejected(
            f"It was not to leave after {submission.not_after.isoformat(timespec='seconds')}; nothing left.",
            stage="schedule",
        )
    limits = type(transport).limits(transport.settings)
    _refuse_over(limits, submission)


def _refuse_over(limits: Limits, submission: Submission) -> None:
    count = len(submission.envelope.recipients)
    if limits.recipients is not None and count > limits.recipients:
        raise MessageError(
            f"The message has {count:,} recipients; this account takes {limits.recipients:,}.",
            cure="Split it.",
        )
    if limits.size is not None and submission.size > limits.size:
        raise MessageError(
            f"The message has {submission.size:,} octets; this account takes {limits.size:,}.",
            cure="Send less, or a link to it.",
        )


def completed(receipt: Receipt, submission: Submission) -> Receipt:
    """Return *receipt* with an answer for each recipient."""
    if receipt.recipients:
        return receipt
    return attrs.evolve(receipt, recipients=dict.fromkeys(submission.envelope.recipients, ACCEPTED))


def redacted(error: PillarboxError, transport: Transport) -> PillarboxError:
    """Return *error* without secrets of the account, and without the foreign errors it came from."""
    redact = transport.credentials.redact if transport.credentials else _as_it_is
    error.detail, error.cure = redact(error.detail), redact(error.cure)
    error.args = tuple(redact(arg) if isinstance(arg, str) else arg for arg in error.args)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _as_it_is(text: str) -> str:
    return text


def foreign(error: Exception, journal: Journal, transport: Transport) -> SendError:
    """Return what an *error* that is not pillarbox's own means, by the hand-over; its text may hold secrets, so not it."""
    label = type(transport).label or type(transport).__name__
    what = f"{label} failed with {type(error).__name__}"
    if journal.handed_over:
        return OutcomeUnknown(
            f"{what} after the hand-over; whether the message left is not known.", stage="hand-over"
        )
    if not type(transport).marks_hand_over:
        return OutcomeUnknown(
            f"{what}, and does not tell when it hands over; whether the message left is not known."
        )
    return SendDeferred(f"{what} before the hand-over; nothing left.")


def _tell(
    submission: Submission,
    journal: Journal,
    transport: Transport,
    outcome: Outcome,
    seconds: float,
    told: Told | None,
) -> None:
    """Log the attempt and tell the plugins; what goes wrong here can't change what was sent."""
    if told is None and not _log.is_heard("info"):
        return
    account = transport.account
    receipt, error = (outcome, None) if isinstance(outcome, Receipt) else (None, outcome)
    attempt = Attempt(
        submission=submission.key,
        method=account.method if account else "",
        owner=account.owner if account else "",
        handed_over=journal.handed_over,
        receipt=receipt,
        error=error,
        seconds=seconds,
    )
    state = settled(outcome).value
    _log.event(
        "info",
        f"pillarbox.{state}",
        submission=submission.key,
        method=attempt.method,
        seconds=round(seconds, 3),
    )
    if told is not None:
        try:
            told(attempt)
        except Exception as problem:  # noqa: BLE001  (an audit plugin can't turn an accepted message into an error)
            _log.event(
                "warning", "pillarbox.hook_failed", submission=submission.key, error=type(problem).__name__
            )


def settled(outcome: Outcome) -> State:
    """Return the state that an attempt's *outcome* leads to (rule 19)."""
    if isinstance(outcome, Receipt):
        return State.ACCEPTED
    if isinstance(outcome, OutcomeUnknown):
        return State.UNKNOWN
    if isinstance(outcome, (SendRejected, MessageError, SettingsError)):
        return State.REJECTED
    return State.DEFERRED


_BEFORE_SIGN_IN = frozenset({"dns", "connect", "tls", "greeting"})


@attrs.define
class _Item:
    """One of a batch: what was pulled, and what is known of it before the transport answers."""

    submission: Submission | None
    journal: Journal
    unfit: PillarboxError | None = None
    started: float = attrs.field(factory=time.monotonic)


Attempts: TypeAlias = Iterable[tuple[Submission, Journal] | PillarboxError]


def deliver_many(attempts: Attempts, transport: Transport, told: Told | None = None) -> Iterator[Outcome]:
    """Submit several by one transport, and give one outcome for each, in order, as it is known.

    An error among *attempts* (a message that could not be composed) is its own outcome. A refused sign-in, or a
    server that can't be reached, is told to those behind it without being tried again.
    """
    items = _items(attempts)
    stop: PillarboxError | None = None
    while stop is None:
        batch = _Batch(items, transport, told)
        yield from batch.outcomes()
        if batch.is_exhausted:
            return
        stop = batch.stop
    for item in items:
        outcome = item.unfit or copy.copy(stop)
        _tell_item(item, transport, outcome, told)
        yield outcome


def _items(attempts: Attempts) -> Iterator[_Item]:
    for attempt in attempts:
        if isinstance(attempt, PillarboxError):
            yield _Item(None, Journal(), attempt)
        else:
            yield _Item(*attempt)


def _tell_item(item: _Item, transport: Transport, outcome: Outcome, told: Told | None) -> None:
    if item.submission is not None:
        _tell(item.submission, item.journal, transport, outcome, time.monotonic() - item.started, told)


class _Batch:
    """One run of a transport's `send_many`, to its end or to the first thing that stops it."""

    def __init__(self, waiting: Iterator[_Item], transport: Transport, told: Told | None) -> None:
        self._waiting = waiting
        self._transport = transport
        self._told = told
        self._pulled: collections.deque[_Item] = collections.deque()
        self.is_exhausted = False
        self.stop: PillarboxError | None = None

    def outcomes(self) -> Iterator[Outcome]:
        answers = self._transport.send_many(self._fit())
        problem: Exception | None = None
        try:
            for answer in answers:
                yield from self._refusals()
                yield self._settle(answer)
                if self.stop is not None:
                    break
        except Exception as error:  # noqa: BLE001  (as in _attempt)
            problem = error
        finally:
            _close(answers)
        yield from self._left_open(problem)

    def _fit(self) -> Iterator[tuple[Submission, Journal]]:
        """Give the transport those it can take; the others keep their place in the answers."""
        for item in self._waiting:
            self._pulled.append(item)
            if item.submission is None:
                continue
            try:
                refuse_unfit(item.submission, self._transport)
            except PillarboxError as error:
                item.unfit = error
            else:
                yield item.submission, item.journal
        self.is_exhausted = True

    def _refusals(self) -> Iterator[Outcome]:
        while self._pulled and self._pulled[0].unfit is not None:
            yield self._settle(self._pulled[0].unfit)

    def _settle(self, answer: Outcome) -> Outcome:
        item = self._pulled.popleft()
        if isinstance(answer, Receipt):
            outcome: Outcome = completed(answer, item.submission) if item.submission else answer
        else:
            outcome = redacted(answer, self._transport)
            self._stop_for(outcome)
        _tell_item(item, self._transport, outcome, self._told)
        return outcome

    def _stop_for(self, error: PillarboxError) -> None:
        unreachable = isinstance(error, SendDeferred) and error.stage in _BEFORE_SIGN_IN
        if isinstance(error, SignInNeeded) or unreachable:
            self.stop = error

    def _left_open(self, problem: Exception | None) -> Iterator[Outcome]:
        """Tell of those that were pulled and not answered, by what their journals say."""
        while self._pulled:
            item = self._pulled[0]
            yield self._settle(item.unfit or self._unanswered(item.journal, problem))

    def _unanswered(self, journal: Journal, problem: Exception | None) -> PillarboxError:
        if self.stop is not None and not journal.handed_over:
            return copy.copy(self.stop)
        return foreign(problem or RuntimeError("no answer"), journal, self._transport)


def _close(answers: object) -> None:
    close = getattr(answers, "close", None)
    if close is not None:
        close()
