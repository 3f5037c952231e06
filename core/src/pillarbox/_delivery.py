"""deliver(): one attempt, its outcome told by stage; settled(): from the outcome to the next state."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from . import _log
from ._accounts import with_connect_command
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
from ._mail import ACCEPTED, Answer, Copy, Receipt, State, Submission, now
from ._route import Attempt, Finding
from ._transports import Journal, Limits, Transport

Outcome: TypeAlias = Receipt | PillarboxError
"""What an attempt ends in: the carrier's word, or why there is none."""
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
    tell(submission, journal, transport, outcome, time.monotonic() - started, told)
    if isinstance(outcome, PillarboxError):
        raise outcome
    return outcome


def _attempt(submission: Submission, journal: Journal, transport: Transport) -> Outcome:
    try:
        begin(submission, journal, transport)
        answer: object = transport.send(submission, journal)
    except Exception as error:  # noqa: BLE001  (a plugin may raise anything; it must not decide what was sent)
        answer = error
    return understood(answer, submission, journal, transport)


def begin(submission: Submission, journal: Journal, transport: Transport) -> None:
    """Refuse what this carrier can't take; mark the hand-over at once for a transport that never tells it.

    Raises:
        MessageError, SendRejected: As `refuse_unfit`.
        SendDeferred: The attempt was called off.
    """
    refuse_unfit(submission, transport)
    if not type(transport).marks_hand_over:
        with journal.handing_over():
            pass  # what it does from here on may be the hand-over


def understood(answer: object, submission: Submission, journal: Journal, transport: Transport) -> Outcome:
    """Return what a transport's *answer* means: a receipt, an error of ours, or whatever else it returned or raised."""
    if not isinstance(answer, Receipt) and journal.receipt is not None:
        let_go(transport)
        answer = journal.receipt  # whatever failed behind it (rule 18)
    if isinstance(answer, Receipt):
        return _without_secrets(completed(answer, submission), transport)
    if isinstance(answer, PillarboxError):
        return redacted(answer, transport)
    problem = answer if isinstance(answer, Exception) else TypeError("not a Receipt")
    let_go(transport)
    return foreign(problem, journal, transport)


def let_go(transport: Transport) -> None:
    """Close a transport that broke off: what its line holds now may be the answer to another message."""
    try:
        transport.close()
    except Exception as error:  # noqa: BLE001  (it failed already)
        _log.event("warning", "pillarbox.close_failed", error=type(error).__name__)


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
    redact = _redaction(transport)
    if isinstance(error, SignInNeeded) and transport.account is not None:
        error.cure = with_connect_command(error.cure, transport.account.owner)
    error.detail, error.cure = redact(error.detail), redact(error.cure)
    error.args = tuple(redact(arg) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, SendError):
        error.code, error.recipients = redact(error.code), _answers(error.recipients, redact)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def discreet(finding: Finding, transport: Transport) -> Finding:
    """Return *finding* without secrets of the account."""
    redact = _redaction(transport)
    return attrs.evolve(finding, seen=redact(finding.seen), cure=redact(finding.cure))


def _redaction(transport: Transport) -> Callable[[str], str]:
    credentials = getattr(transport, "credentials", None)  # a plugin may forget its base's __init__
    return credentials.redact if credentials is not None else _as_it_is


def _as_it_is(text: str) -> str:
    return text


def _answers(answers: Mapping[str, Answer], redact: Callable[[str], str]) -> dict[str, Answer]:
    return {
        who: attrs.evolve(answer, said=redact(answer.said), code=redact(answer.code))
        for who, answer in answers.items()
    }


def _without_secrets(receipt: Receipt, transport: Transport) -> Receipt:
    """Return *receipt* without secrets of the account that a server said back; most hold none."""
    redact = _redaction(transport)
    words = "\0".join(
        (
            receipt.reference,
            receipt.detail,
            *((receipt.copy.where, receipt.copy.detail) if receipt.copy else ()),
            *(f"{one.said}\0{one.code}" for one in receipt.recipients.values()),
        )
    )
    if redact(words) == words:
        return receipt
    return attrs.evolve(
        receipt,
        reference=redact(receipt.reference),
        detail=redact(receipt.detail),
        copy=_redacted_copy(receipt.copy, redact),
        recipients=_answers(receipt.recipients, redact),
    )


def _redacted_copy(copy: Copy | None, redact: Callable[[str], str]) -> Copy | None:
    return copy and attrs.evolve(copy, where=redact(copy.where), detail=redact(copy.detail))


def foreign(error: Exception, journal: Journal, transport: Transport) -> SendError:
    """Return what an *error* that is not pillarbox's own means, by the hand-over; its text may hold secrets, so not it."""
    label = type(transport).label or type(transport).__name__
    what = f"{label} failed with {type(error).__name__}"
    if not journal.handed_over:
        return SendDeferred(f"{what} before the hand-over; nothing left.")
    if not type(transport).marks_hand_over:
        return OutcomeUnknown(
            f"{what}, and does not tell when it hands over; whether the message left is not known."
        )
    return OutcomeUnknown(
        f"{what} after the hand-over; whether the message left is not known.", stage="hand-over"
    )


def tell(
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
    account = getattr(transport, "account", None)
    receipt, error = (outcome, None) if isinstance(outcome, Receipt) else (None, outcome)
    attempt = Attempt(
        submission=submission.key,
        method=account.method if account else "",
        owner=account.owner if account else "",
        handed_over=journal.handed_over,
        receipt=receipt,
        error=error,
        seconds=seconds,
        state=settled(outcome),
    )
    _log_attempt(attempt, attempt.state)
    if told is not None:
        announce(attempt, told)


def announce(attempt: Attempt, told: Told) -> None:
    """Tell of *attempt*; an audit plugin that fails can't turn an accepted message into an error."""
    try:
        told(attempt)
    except Exception as problem:  # noqa: BLE001
        _log_failure(attempt.submission, problem)


def _log_attempt(attempt: Attempt, state: State) -> None:
    with contextlib.suppress(
        Exception
    ):  # a handler of the host's that raises can't change what was sent either
        _log.event(
            "info",
            f"pillarbox.{state.value}",
            submission=attempt.submission,
            method=attempt.method,
            seconds=round(attempt.seconds, 3),
        )


def _log_failure(key: str, problem: Exception) -> None:
    with contextlib.suppress(Exception):
        _log.event("warning", "pillarbox.hook_failed", submission=key, error=type(problem).__name__)


def settled(outcome: Outcome) -> State:
    """Return the state that an attempt's *outcome* leads to (rule 19)."""
    if isinstance(outcome, Receipt):
        return State.ACCEPTED
    if isinstance(outcome, OutcomeUnknown):
        return State.UNKNOWN
    if isinstance(outcome, (SendRejected, MessageError, SettingsError)):
        return State.REJECTED
    return State.DEFERRED
