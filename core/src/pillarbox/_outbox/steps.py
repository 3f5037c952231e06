"""Which step follows: from an attempt's outcome, a death, a look or a person's word (rules 19 to 28). Pure."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping

import attrs

from .._delivery import Outcome
from .._errors import (
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    SendDeferred,
    SendError,
    SendRejected,
    SettingsError,
    SignInNeeded,
    Unavailable,
)
from .._mail import TRANSITIONS, Answer, AnswerState, Receipt, Sighting, SightingState, State
from .entry import AT_ONCE, TAKEN, Entry, Pause, Step
from .settings import OnUnknown, OutboxSettings

_BEFORE_THE_MESSAGE = frozenset({"dns", "connect", "proxy", "tls", "greeting", "sign-in", "limit"})
"""The stages at which a failure says nothing of the message: the lane rests, not only the entry. `limit` is what the
mailbox may send at all, whichever message is next."""


def seconds(count: float) -> dt.timedelta:
    """Return *count* seconds."""
    return dt.timedelta(seconds=count)


def _from(*to: State) -> frozenset[State]:
    """Return the states from which all of *to* may follow."""
    return frozenset(state for state, after in TRANSITIONS.items() if after.issuperset(to))


PAUSED = "paused"
"""The stage of an attempt that ended because somebody paused its lane: nothing is wrong with it."""


@attrs.frozen
class Consequence:
    """What follows from an outcome: the entry's step, and the rest its lane takes."""

    step: Step
    pause: Pause | None = None


def attempting(entry: Entry) -> Step:
    """Return the mark of the hand-over."""
    return Step(
        key=entry.key, come_from=frozenset({State.CLAIMED}), state=State.ATTEMPTING, fence=entry.fence
    )


def metered(step: Step, at: dt.datetime) -> Step:
    """Return *step* as one that counts against a limit of its mailbox, from the answer on."""
    return attrs.evolve(step, answered_at=at)


def released(entry: Entry, reason: str = "") -> Step:
    """Return the way back to the queue of one that was claimed and not begun."""
    return _of(entry, State.QUEUED, reason, come_from=frozenset({State.CLAIMED}))


def not_begun(entry: Entry) -> Step:
    """Return the way back of one whose hand-over was marked ahead with others, and that was not begun."""
    reason = "It was marked for the hand-over together with others, and not begun; nothing left."
    return _of(entry, State.DEFERRED, reason, come_from=frozenset({State.ATTEMPTING}), due_at=AT_ONCE)


def after(
    entry: Entry,
    outcome: Outcome,
    settings: OutboxSettings,
    at: dt.datetime,
    *,
    takes_envelope: bool = True,
    chance: float | None = None,
) -> Consequence:
    """Return what follows from an attempt of the worker's.

    Args:
        entry: As it was claimed.
        outcome: Of the attempt.
        settings: How long, and how often.
        at: The moment.
        takes_envelope: Whether the carrier can be asked for some of the recipients alone.
        chance: Between 0 and 1, where in the wait's range it falls; random by default (full jitter).
    """
    if isinstance(outcome, Receipt):
        return Consequence(
            _after_receipt(entry, outcome, settings, at, chance, takes_envelope=takes_envelope)
        )
    if isinstance(outcome, OutcomeUnknown):
        return Consequence(_of(entry, State.UNKNOWN, outcome.detail, outcome, due_at=at))
    if isinstance(outcome, (SendRejected, MessageError)):
        return Consequence(_refused(entry, outcome, str(outcome)))
    if isinstance(outcome, SendDeferred) and outcome.stage == PAUSED:
        return Consequence(released(entry, outcome.detail))
    if isinstance(outcome, (SignInNeeded, SettingsError, Unavailable)):
        return _lane_waits(entry, outcome, settings, at)
    return _deferred(entry, outcome, settings, at, chance)


def _after_receipt(
    entry: Entry,
    receipt: Receipt,
    settings: OutboxSettings,
    at: dt.datetime,
    chance: float | None,
    *,
    takes_envelope: bool,
) -> Step:
    """Accepted; or waiting for those recipients alone that were refused for now (rule 25)."""
    merged = _with_earlier(entry, receipt)
    later = tuple(who for who, one in receipt.recipients.items() if one.state is AnswerState.REFUSED_FOR_NOW)
    if not later or not takes_envelope or _too_old(entry, settings, at):
        return _of(entry, State.ACCEPTED, _summary(merged), receipt=merged)
    due = at + backoff(entry.attempts + 1, settings, chance)
    reason = f"{len(later)} of {len(receipt.recipients)} recipients were refused for now."
    step = _of(entry, State.DEFERRED, reason, receipt=merged, recipients=later, due_at=due)
    return attrs.evolve(step, counts=True)


def _with_earlier(entry: Entry, receipt: Receipt) -> Receipt:
    """Return *receipt* with the answers for those recipients that were taken before."""
    if entry.receipt is None:
        return receipt
    answers: Mapping[str, Answer] = {**entry.receipt.recipients, **receipt.recipients}
    return attrs.evolve(receipt, recipients=answers)


def _refused(entry: Entry, error: PillarboxError, reason: str) -> Step:
    """Rejected; or accepted for those that were taken before, and refused for the rest."""
    if entry.receipt is None or not any(_is_taken(one) for one in entry.receipt.recipients.values()):
        return _of(entry, State.REJECTED, reason, error)
    said = error.recipients if isinstance(error, SendError) else {}
    code = error.code if isinstance(error, SendError) else ""
    refusal = Answer(AnswerState.REFUSED, reason, code)
    answers = {who: said.get(who, refusal) for who in entry.submission.envelope.recipients}
    merged = attrs.evolve(entry.receipt, recipients={**entry.receipt.recipients, **answers})
    return _of(entry, State.ACCEPTED, f"{_summary(merged)} {reason}", error, receipt=merged)


def _is_taken(answer: Answer) -> bool:
    return answer.state is AnswerState.ACCEPTED


def _summary(receipt: Receipt) -> str:
    refused = len(receipt.refused)
    return f"{refused} of {len(receipt.recipients)} recipients were refused." if refused else ""


def _deferred(
    entry: Entry, error: PillarboxError, settings: OutboxSettings, at: dt.datetime, chance: float | None
) -> Consequence:
    if _too_old(entry, settings, at):
        days = f"{settings.retry_for / 86_400:g} days"
        return Consequence(_refused(entry, error, f"Given up after {days}: {error.detail}"))
    wait = max(backoff(entry.attempts + 1, settings, chance), _asked(error, settings))
    step = attrs.evolve(_of(entry, State.DEFERRED, error.detail, error, due_at=at + wait), counts=True)
    if isinstance(error, SendError) and error.stage in _BEFORE_THE_MESSAGE:
        rest = Pause(
            scope=f"lane:{entry.account}", reason=error.detail, since=at, until=at + wait, kind="server"
        )
        return Consequence(step, rest)
    return Consequence(step)


def _lane_waits(
    entry: Entry, error: PillarboxError, settings: OutboxSettings, at: dt.datetime
) -> Consequence:
    """Keep the entry: nothing is wrong with it. Its lane waits for a person, and looks again by itself where it may."""
    needs_person = isinstance(error, SignInNeeded)
    wait = dt.timedelta(seconds=settings.longest_wait)
    pause = Pause(
        scope=f"lane:{entry.account}",
        reason=str(error),
        since=at,
        until=None if needs_person else at + wait,
        kind="sign-in" if needs_person else "settings",
    )
    code = error.code if isinstance(error, SendError) else ""
    return Consequence(attrs.evolve(_of(entry, State.DEFERRED, str(error), due_at=AT_ONCE), code=code), pause)


def backoff(attempts: int, settings: OutboxSettings, chance: float | None = None) -> dt.timedelta:
    """Return how long to wait behind the *attempts*-th failure: exponential with full jitter (rule 28).

    Never less than a tenth of the shortest wait, so that nothing is tried twice in a row.
    """
    most = min(settings.longest_wait, settings.shortest_wait * 2.0 ** min(attempts - 1, 40))
    share = random.random() if chance is None else chance  # noqa: S311  (spreads load, protects nothing)
    return dt.timedelta(seconds=max(most * share, settings.shortest_wait / 10))


def _asked(error: PillarboxError, settings: OutboxSettings) -> dt.timedelta:
    """Return the wait that the server asked for, within reason."""
    asked = error.retry_after if isinstance(error, SendDeferred) else None
    return dt.timedelta(seconds=min(max(asked or 0.0, 0.0), max(settings.longest_wait, 86_400.0)))


def _too_old(entry: Entry, settings: OutboxSettings, at: dt.datetime) -> bool:
    """Whether it has been tried for long enough. Time in which nothing was tried (scheduled, paused) does not count."""
    return entry.tried_at is not None and at - entry.tried_at > dt.timedelta(seconds=settings.retry_for)


def by_way_of_attempting(entry: Entry, step: Step) -> list[Step]:
    """Return *step* behind the mark of a hand-over that a transport forgot to make."""
    return [attempting(entry), step]


HISTORY = "send-history"
"""What a sender enters as that keeps a history only: nothing of it is ever sent by a worker."""


def is_history(entry: Entry) -> bool:
    """Whether *entry*, claimed or attempted, is kept as history only."""
    return entry.worker.startswith(f"{HISTORY}-")


def ended_for_caller(entry: Entry, outcome: Outcome) -> list[Step]:
    """Return the steps behind a `send` whose caller was told *outcome*: an error ends the entry, the unknown stays.

    Of a history the unknown is held: a look that finds it absent would have it sent.
    """
    if isinstance(outcome, Receipt):
        return [_of(entry, State.ACCEPTED, _summary(outcome), receipt=outcome)]
    if isinstance(outcome, OutcomeUnknown):
        unknown = _of(entry, State.UNKNOWN, outcome.detail, outcome, due_at=AT_ONCE)
        return [unknown, looked_in_vain(entry, outcome.detail)] if is_history(entry) else [unknown]
    if isinstance(outcome, (SendRejected, MessageError, SettingsError)):
        return [_of(entry, State.REJECTED, str(outcome), outcome)]
    told = _of(entry, State.DEFERRED, str(outcome), outcome)
    over = Step(
        key=entry.key,
        come_from=frozenset({State.DEFERRED}),
        state=State.CANCELLED,
        fence=entry.fence,
        reason="The caller of send was told; nothing is tried again.",
    )
    return [told, over]


def called_off(entry: Entry) -> Step:
    """Return the end of a `send` whose caller was told that nothing left."""
    return Step(
        key=entry.key,
        come_from=frozenset({State.CLAIMED, State.QUEUED, State.DEFERRED}),
        state=State.CANCELLED,
        reason="The caller of send was told that nothing left.",
    )


def after_death(entry: Entry, at: dt.datetime) -> Step:
    """Return what follows when the worker that had *entry* is dead."""
    if entry.state is State.ATTEMPTING:
        reason = "The process that handed it over ended before the answer was known."
        step = _of(entry, State.UNKNOWN, reason, due_at=at, come_from=frozenset({State.ATTEMPTING}))
        return metered(step, at)
    reason = "The process that had claimed it ended before the hand-over; nothing left."
    return _of(entry, State.QUEUED, reason, come_from=frozenset({State.CLAIMED}))


def history_after_death(entry: Entry, at: dt.datetime) -> list[Step]:
    """Return what follows when the process is dead that kept *entry* as history: an end, or a person's word."""
    first = after_death(entry, at)
    if first.state is State.UNKNOWN:
        return [first, looked_in_vain(entry, first.reason)]
    reason = "The process ended before the hand-over; nothing left, and nothing is tried again."
    return [_of(entry, State.CANCELLED, reason, come_from=frozenset({State.CLAIMED}))]


def after_look(
    entry: Entry,
    sighting: Sighting,
    settings: OutboxSettings,
    settling: dt.timedelta,
    waited: dt.timedelta,
    at: dt.datetime,
) -> Step:
    """Return what follows from a look at an unknown entry (rules 21 and 22).

    Args:
        entry: Unknown.
        sighting: What the look found.
        settings: What to do about the unknown, and how long to look.
        settling: The time after an attempt before absence is evidence.
        waited: How long ago the attempt was, by every clock that is known: the least of them.
        at: The moment.
    """
    if sighting.state is SightingState.SENT and sighting.receipt is not None:
        return _found(entry, sighting.receipt)
    if sighting.state is SightingState.ABSENT:
        if waited >= settling:
            return _looked(entry, State.QUEUED, "A look found that it was not sent.")
        return _again(entry, at + (settling - waited), "Not found so far; too early to tell.")
    said = sighting.detail or "Nobody can look whether it was sent."
    give_up = max(settling, dt.timedelta(seconds=settings.look_for))
    if not sighting.is_final and waited < give_up:
        return _again(entry, at + _between_looks(waited), said)
    if settings.on_unknown is OnUnknown.RESEND and waited >= settling:
        return _looked(entry, State.QUEUED, f"{said} It is sent again, as the deployment wants it.")
    if settings.on_unknown is OnUnknown.RESEND:
        return _again(entry, at + (settling - waited), said)
    return _looked(entry, State.HELD, f"It may have been sent, or not. {said}")


def safe_again(entry: Entry) -> Step:
    """Return the way back to the queue of one whose carrier sends nothing twice."""
    return _looked(entry, State.QUEUED, "It is sent again under its key, by which the carrier knows it.")


def looked_in_vain(entry: Entry, reason: str) -> Step:
    """Return what follows where nobody can look, now or later."""
    return _looked(entry, State.HELD, f"It may have been sent, or not. {reason}")


def _found(entry: Entry, receipt: Receipt) -> Step:
    if (
        entry.part_of or entry.receipt is not None
    ):  # one Message-ID for several goes: another may have been seen
        return _looked(entry, State.HELD, "A part of the message was seen; which one can't be told.")
    return attrs.evolve(_looked(entry, State.ACCEPTED, "A look found that it was sent."), receipt=receipt)


def after_word(
    entry: Entry,
    receipt: Receipt,
    settings: OutboxSettings,
    at: dt.datetime,
    *,
    takes_envelope: bool = True,
    chance: float | None = None,
) -> Step:
    """Return what follows for an unknown entry whose journal holds the carrier's word: it was cut off after that."""
    step = _after_receipt(entry, receipt, settings, at, chance, takes_envelope=takes_envelope)
    state = (
        State.QUEUED if step.state is State.DEFERRED else State.ACCEPTED
    )  # what the table allows from unknown
    reason = step.reason or "The carrier had taken it when the process ended."
    return attrs.evolve(step, come_from=frozenset({State.UNKNOWN}), state=state, reason=reason)


def _between_looks(waited: dt.timedelta) -> dt.timedelta:
    return min(max(waited / 2, dt.timedelta(seconds=5)), dt.timedelta(minutes=5))


def _looked(entry: Entry, state: State, reason: str) -> Step:
    return Step(
        key=entry.key,
        come_from=frozenset({State.UNKNOWN}),
        state=state,
        fence=entry.fence,
        reason=reason,
        due_at=AT_ONCE,
    )


def _again(entry: Entry, due_at: dt.datetime, reason: str) -> Step:
    return Step(
        key=entry.key,
        come_from=frozenset({State.UNKNOWN}),
        state=None,
        fence=entry.fence,
        reason=reason,
        due_at=due_at,
    )


def too_late(entry: Entry) -> Step:
    """Return the end of one that was not to leave so late; it may wait behind a pause."""
    moment = entry.submission.not_after
    until = moment.isoformat(timespec="seconds") if moment is not None else "that"
    reason = f"It was not to leave after {until}; nothing left."
    return Step(
        key=entry.key,
        come_from=frozenset({State.QUEUED, State.DEFERRED}),
        state=State.REJECTED,
        fence=entry.fence,
        reason=reason,
    )


def re_pointed(entry: Entry, reason: str) -> Step:
    """Return what follows when the account is not the one that *entry* was written for (rule 27)."""
    return _of(entry, State.HELD, reason, come_from=frozenset({State.CLAIMED}))


def held(key: str, reason: str, by: str) -> Step:
    """Return a person's wish to look at it first."""
    return Step(
        key=key, come_from=_from(State.HELD) - {State.CLAIMED}, state=State.HELD, reason=reason, by=by
    )


def cancelled(key: str, reason: str, by: str) -> Step:
    """Return a person's wish that it does not leave."""
    return Step(key=key, come_from=_from(State.CANCELLED), state=State.CANCELLED, reason=reason, by=by)


def retried(key: str, by: str) -> Step:
    """Return a person's wish to have it tried now."""
    come_from = frozenset({State.QUEUED, State.DEFERRED, State.HELD})
    return Step(
        key=key, come_from=come_from, state=State.QUEUED, reason="To be tried now.", due_at=AT_ONCE, by=by
    )


def found_out(entry: Entry, reason: str, by: str, *, sent: bool, at: dt.datetime) -> Step:
    """Return the end that a person knows of: sent, or not sent."""
    who = by or "A person"
    said = reason or f"{who} found that it was {'' if sent else 'not '}sent."
    receipt = Receipt(entry.submission.message_id, detail=said, at=at) if sent else None
    state = State.ACCEPTED if sent else State.CANCELLED
    come_from = frozenset({State.HELD, State.UNKNOWN}) & _from(state)
    return Step(key=entry.key, come_from=come_from, state=state, reason=said, receipt=receipt, by=by)


def _of(
    entry: Entry,
    state: State,
    reason: str,
    error: PillarboxError | None = None,
    *,
    come_from: frozenset[State] = TAKEN,
    due_at: dt.datetime | None = None,
    receipt: Receipt | None = None,
    recipients: tuple[str, ...] | None = None,
) -> Step:
    code = error.code if isinstance(error, SendError) else ""
    answers = error.recipients if isinstance(error, SendError) else {}
    if receipt is None and answers:  # what was said of each recipient is kept, also where none was taken
        receipt = Receipt(entry.submission.message_id, recipients=answers)
    return Step(
        key=entry.key,
        come_from=come_from,
        state=state,
        fence=entry.fence,
        reason=reason,
        code=code,
        due_at=due_at,
        receipt=receipt,
        recipients=recipients,
    )
