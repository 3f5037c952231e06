"""What an answer of Microsoft Graph means: one table of its error codes, and what its status says where the code is unknown."""

from __future__ import annotations

import datetime as dt
import email.utils
import enum
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pillarbox import (
    OutcomeUnknown,
    PillarboxError,
    SendDeferred,
    SendRejected,
    SettingsError,
    SignInNeeded,
    quotation,
)
from pillarbox.exchange import Answer, NoAnswer

FLOOR = 5.0
"""The fewest seconds to wait, whatever Retry-After says."""
LONGEST = 86_400.0
"""The most."""
HOURS = 3600.0
"""Seconds after which a mailbox that has had its fill is tried again."""


class Means(enum.Enum):
    """Whose business an answer is, and what follows."""

    MESSAGE = "this message can't go"
    ACCOUNT = "the account can't send until somebody mends it"
    SETTINGS = "the settings name what is not there"
    LATER = "not now"
    LIMIT = "the mailbox may send no more for now, whichever message is next"
    HOURS = "not for hours"


class Row(NamedTuple):
    """One code.

    Attributes:
        means: What follows.
        said: What it means, a sentence.
        cure: What to do, or "".
    """

    means: Means
    said: str
    cure: str = ""


_ALLOW = (
    "Connect the account again and allow all that is asked; with mode = app have an administrator of Microsoft 365 give the"
    " application the right to this mailbox."
)
_HOSTED = "Have an administrator of Microsoft 365 look at the mailbox and its licence; then connect again."
_DENIED = Row(Means.ACCOUNT, "The connection has no right to do that in this mailbox.", _ALLOW)
_NO_MAILBOX = Row(
    Means.ACCOUNT, "The mailbox is not active in Exchange Online, or is on a server of your own.", _HOSTED
)
_NOBODY = Row(Means.SETTINGS, "There is no such mailbox.", "Check mailbox and signs_in_as.")
_BUSY = Row(Means.LIMIT, "Microsoft 365 takes no more from this mailbox now.")
_FULL = Row(Means.HOURS, "The mailbox is full, or has sent as much as it may for now.", "Make room, or wait.")
_NOBODY_GETS = Row(
    Means.MESSAGE, "A recipient's address is not valid, or there is none.", "Check the recipients."
)
_LARGE = Row(Means.MESSAGE, "The message is too large for this mailbox.", "Send less, or a link to it.")

ROWS: Mapping[str, Row] = {
    "ErrorSendAsDenied": Row(
        Means.MESSAGE,
        "The account may not show that address.",
        'Have an administrator grant it Send As in Exchange, or set from_policy = "account".',
    ),
    "ErrorAccessDenied": _DENIED,
    "AccessDenied": _DENIED,
    "Authorization_RequestDenied": _DENIED,
    "ErrorMailboxNotEnabledForRESTAPI": _NO_MAILBOX,
    "MailboxNotEnabledForRESTAPI": _NO_MAILBOX,
    "MailboxNotSupportedForRESTAPI": _NO_MAILBOX,
    "ErrorMailboxStoreUnavailable": Row(Means.LATER, "The mailbox can't be reached now."),
    "ErrorAccountSuspend": Row(
        Means.ACCOUNT,
        "Microsoft has stopped the account from sending.",
        "Sign in to Outlook as that person and follow what it asks; then connect again.",
    ),
    "ErrorInvalidUser": _NOBODY,
    "ErrorNonExistentMailbox": _NOBODY,
    "ResourceNotFound": _NOBODY,
    "Request_ResourceNotFound": _NOBODY,
    "ErrorInvalidRecipients": _NOBODY_GETS,
    "ErrorMessageSizeExceeded": _LARGE,
    "ErrorAttachmentSizeLimitExceeded": _LARGE,
    "RequestEntityTooLarge": _LARGE,
    "ErrorQuotaExceeded": _FULL,
    "ErrorExceededMessageLimit": _FULL,
    "ErrorMessageSubmissionBlocked": _FULL,
    "ApplicationThrottled": _BUSY,
    "TooManyRequests": _BUSY,
    "ErrorServerBusy": _BUSY,
    "CommandConcurrencyLimitReached": _BUSY,
    "ErrorItemNotFound": Row(Means.LATER, "The draft is gone: somebody deleted it meanwhile."),
    "ErrorIrresolvableConflict": Row(Means.LATER, "The message was changed by somebody else meanwhile."),
}
"""The codes that are known; the most detailed one that an answer names counts."""
_BY_STATUS = {
    403: _DENIED,
    409: Row(Means.LATER, "Microsoft 365 was busy with the same message."),
    412: Row(Means.LATER, "The message was changed by somebody else meanwhile."),
    413: _LARGE,
    423: Row(Means.LATER, "The message was locked."),
    429: _BUSY,
}


def value_of(answer: Answer) -> dict[str, Any]:
    """Return the object in the body, or {} where it is none."""
    try:
        value = json.loads(answer.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def codes_of(answer: Answer) -> list[str]:
    """Return the codes of an error, the most detailed first."""
    return [code for code, _ in _nested(value_of(answer).get("error"))][::-1]


def _nested(error: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if not isinstance(error, Mapping) or depth > 8:
        return
    if isinstance(error.get("code"), str):
        yield error["code"], str(error.get("message", ""))
    yield from _nested(error.get("innerError") or error.get("innererror"), depth + 1)


def has_code(answer: Answer, *codes: str) -> bool:
    """Whether *answer* names one of *codes*."""
    return any(code in codes for code in codes_of(answer))


def words_of(answer: Answer) -> str:
    """Return what the server says, a quotation: the code and the sentence behind it."""
    told = next(_nested(value_of(answer).get("error")), None)
    if told is None:
        return str(answer.status)
    return quotation(f"{answer.status} {told[0]}: {told[1]}".rstrip(": "))


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that the server asks to wait, within bounds; None where it says nothing that can be read."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        seconds = float(said[:9])
    else:
        try:
            at = email.utils.parsedate_to_datetime(said)
        except (ValueError, TypeError):
            return None
        seconds = (at - dt.datetime.now(at.tzinfo or dt.UTC)).total_seconds() if at.tzinfo else 0.0
    return min(max(seconds, FLOOR), LONGEST)


def error_of(answer: Answer, stage: str, *, submits: bool = False) -> PillarboxError:
    """Return what an *answer* that is not the wanted one means.

    Args:
        answer: A complete one.
        stage: What was asked for.
        submits: Whether it was to submit: then what is no refusal leaves open what became of it.
    """
    said, status = words_of(answer), answer.status
    if not 400 <= status < 500 or status == 408:
        is_open = submits and not 300 <= status < 400
        return _unknown(said, status, stage) if is_open else _deferred(said, answer, stage)
    if status == 401:
        return token_refused(said)
    row = next((ROWS[code] for code in codes_of(answer) if code in ROWS), _BY_STATUS.get(status))
    if row is None:
        return SendRejected(f"Microsoft 365 refuses the message: {said}", code=str(status), stage=stage)
    return _by_row(row, said, answer, stage)


def _by_row(row: Row, said: str, answer: Answer, stage: str) -> PillarboxError:
    detail, code = f"{row.said} ({said})", next(iter(codes_of(answer)), str(answer.status))
    match row.means:
        case Means.MESSAGE:
            return SendRejected(detail, code=code, stage=stage, cure=row.cure)
        case Means.ACCOUNT:
            return SignInNeeded(detail, code=code, stage=stage, cure=row.cure)
        case Means.SETTINGS:
            return SettingsError(detail, cure=row.cure)
        case Means.LATER:
            return SendDeferred(
                detail, code=code, stage=stage, cure=row.cure, retry_after=retry_after(answer)
            )
        case Means.LIMIT:
            wait = retry_after(answer)
            return SendDeferred(detail, code=code, stage="limit", cure=row.cure, retry_after=wait)
        case Means.HOURS:
            wait = max(retry_after(answer) or 0.0, HOURS)
            return SendDeferred(detail, code=code, stage="limit", cure=row.cure, retry_after=wait)


def _unknown(said: str, status: int, stage: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Microsoft 365 answered {said} to the message that was handed over; whether it was sent is not known.",
        code=str(status),
        stage=stage,
    )


def _deferred(said: str, answer: Answer, stage: str) -> SendDeferred:
    return SendDeferred(
        f"Microsoft 365 answered {said}; nothing was sent.",
        code=str(answer.status),
        stage=stage,
        retry_after=retry_after(answer),
    )


def token_refused(said: str = "") -> SignInNeeded:
    """Return the error for a token that is not taken, and for which there is no other."""
    told = f": {said}" if said else ""
    return SignInNeeded(
        f"Microsoft 365 does not take the connection's token{told}.",
        stage="sign-in",
        cure="Connect the account again.",
    )


def lost(error: NoAnswer, stage: str, *, submits: bool = False) -> SendDeferred | OutcomeUnknown:
    """Return what it means that no complete answer came."""
    if submits:
        return OutcomeUnknown(
            f"Microsoft 365 {error.how} after the message was handed over; whether it was sent is not known.",
            stage=stage,
        )
    return SendDeferred(f"Microsoft 365 {error.how}; nothing was sent.", stage=stage)
