"""What a refusal of the Gmail API means, by its status and its reason: one table, read from the top. Pure."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import attrs

from pillarbox import (
    PillarboxError,
    SendDeferred,
    SendRejected,
    SettingsError,
    SignInNeeded,
    quotation,
)

from .exchange import Answer
from .waiting import wait_asked


class Kind(enum.Enum):
    """What the caller does next."""

    GRANT = "a person connects again, and allows more"
    ACCOUNT = "an administrator mends the account; no message of it can go"
    LIMIT = "too much at once: later"
    DAY = "too much for today: much later"
    MESSAGE = "this message can't go"


class Meaning(NamedTuple):
    """One row.

    Attributes:
        finding: The code of the finding that `check` makes of it.
        statuses: Of HTTP; empty for all.
        reasons: Google's words for it; empty for all.
        words: In lower case; one of them stands in the text. Empty for any text.
        kind: What to do.
        meaning: A clause.
        cure: What helps.
    """

    finding: str
    statuses: tuple[int, ...]
    reasons: tuple[str, ...]
    words: tuple[str, ...]
    kind: Kind
    meaning: str
    cure: str

    def fits(self, status: int, reason: str, text: str) -> bool:
        """Whether the row applies; *text* is in lower case."""
        return (
            (not self.statuses or status in self.statuses)
            and (not self.reasons or reason in self.reasons)
            and (not self.words or any(word in text for word in self.words))
        )


_LATER = "It is tried again by itself."

MEANINGS = (
    Meaning(
        "scope-missing",
        (403,),
        ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        (),
        Kind.GRANT,
        "the sign-in does not allow that",
        "Connect again, and leave every box ticked.",
    ),
    Meaning(
        "api-off",
        (403,),
        ("accessNotConfigured", "SERVICE_DISABLED"),
        (),
        Kind.ACCOUNT,
        "the Gmail API is not switched on in the project of the registration",
        "Enable the Gmail API in the Google Cloud console (APIs and services, Library).",
    ),
    Meaning(
        "domain-policy",
        (403,),
        ("domainPolicy",),
        (),
        Kind.ACCOUNT,
        "the administrators of the domain do not allow Gmail to be used by other programs",
        "Have them allow it: Admin console, Apps, Google Workspace, Gmail; and Security, API controls.",
    ),
    Meaning(
        "daily-limit",
        (403, 429),
        ("dailyLimitExceeded", "quotaExceeded"),
        (),
        Kind.DAY,
        "the mailbox or the project has used up what it may send in a day",
        f"{_LATER} A Workspace mailbox sends 2,000 messages a day.",
    ),
    Meaning(
        "rate-limit",
        (403,),
        ("rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"),
        (),
        Kind.LIMIT,
        "too much was asked for at once",
        _LATER,
    ),
    Meaning("rate-limit", (429,), (), (), Kind.LIMIT, "too much was asked for at once", _LATER),
    Meaning(
        "mail-off",
        (400,),
        ("failedPrecondition",),
        ("mail service not enabled",),
        Kind.ACCOUNT,
        "the Google account has no Gmail mailbox",
        "Have the administrator of the Workspace switch Gmail on for this person.",
    ),
    Meaning(
        "account-unusable",
        (400,),
        ("failedPrecondition",),
        (),
        Kind.ACCOUNT,
        "the account can't be used for mail: a service account acts for nobody, or there is no mailbox",
        "Check mode and mailbox of the account, and that its person has Gmail.",
    ),
    Meaning(
        "delegation-denied",
        (403,),
        ("forbidden", "delegationDenied"),
        (),
        Kind.ACCOUNT,
        "the account may not use this mailbox",
        "Connect as the person whose mailbox it is.",
    ),
    Meaning(
        "account-refused",
        (403,),
        (),
        (),
        Kind.ACCOUNT,
        "the account may not do that",
        "Ask the administrator of the Workspace; connect again if that does not help.",
    ),
    Meaning(
        "too-large",
        (413,),
        (),
        (),
        Kind.MESSAGE,
        "the message is too large for Gmail",
        "Send less, or a link to it.",
    ),
    Meaning(
        "recipient-refused",
        (400,),
        ("invalidArgument", "invalid", "badRequest"),
        ("recipient", "invalid to header", "invalid cc header", "invalid bcc header"),
        Kind.MESSAGE,
        "a recipient's address is not accepted",
        "Check the addresses.",
    ),
    Meaning("message-refused", (), (), (), Kind.MESSAGE, "Gmail does not take it", ""),
)
_LIMIT = next(row for row in MEANINGS if row.finding == "rate-limit")
DAY_SECONDS = 3_600.0
"""Seconds before a mailbox that has used up its day is tried again, where Google does not say."""


@attrs.frozen
class Said:
    """An error as Google states it.

    Attributes:
        status: Of HTTP.
        reason: Its word for it, or "".
        text: Its text, fit to be shown.
        is_limit: Whether it is about how much was asked for, whatever the reason is called.
        is_googles: Whether it has the shape of Google's errors; a proxy on the way has others.
    """

    status: int
    reason: str
    text: str
    is_limit: bool
    is_googles: bool

    @classmethod
    def read(cls, answer: Answer) -> Said:
        """Return what *answer* states; what can't be read says nothing."""
        error = (answer.told or {}).get("error")
        told: dict[str, Any] = error if isinstance(error, dict) else {}
        text = told.get("message")
        shown = quotation(text) if isinstance(text, str) else ""
        return cls(
            answer.status,
            _reason(told),
            shown,
            is_limit=told.get("status") == "RESOURCE_EXHAUSTED" or _domain(told) == "usageLimits",
            is_googles=isinstance(error, dict),
        )

    @property
    def code(self) -> str:
        """Status and reason."""
        return f"{self.status} {self.reason}".strip()

    @property
    def meaning(self) -> Meaning:
        """The row that applies."""
        text = self.text.lower()
        found = next(row for row in MEANINGS if row.fits(self.status, self.reason, text))
        return _LIMIT if self.is_limit and not found.reasons else found


def _domain(told: dict[str, Any]) -> str:
    listed = told.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else None
    return str(first.get("domain", "")) if isinstance(first, dict) else ""


def _reason(told: dict[str, Any]) -> str:
    """Return the most detailed word there is: an item of `errors`, one of `details`, or the status's name."""
    for name in ("errors", "details"):
        listed = told.get(name)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("reason"), str):
                return quotation(one["reason"])[:60]
    return quotation(told["status"])[:60] if isinstance(told.get("status"), str) else ""


def refusal(answer: Answer, stage: str) -> PillarboxError:
    """Return what it means for the caller that Gmail refused, with an answer that says so; nothing left."""
    said = Said.read(answer)
    row = said.meaning
    if not said.is_googles and row.finding in {"message-refused", "account-refused"}:
        return SendDeferred(
            f"The answer {said.status} came in the place of Gmail's own; nothing left.",
            code=said.code,
            stage=stage,
            cure="Check the proxy, and api in [apps.gmail].",
        )
    quoted = f": {said.text}" if said.text else ""
    detail = f"Gmail answered {said.code}{quoted}. That means that {row.meaning}."
    match row.kind:
        case Kind.GRANT:
            return SignInNeeded(detail, code=said.code, stage="sign-in", cure=row.cure)
        case Kind.ACCOUNT:
            return SettingsError(detail, cure=row.cure)
        case Kind.LIMIT:
            return SendDeferred(
                detail, code=said.code, stage="limit", retry_after=wait_asked(answer), cure=row.cure
            )
        case Kind.DAY:
            wait = wait_asked(answer) or DAY_SECONDS
            return SendDeferred(detail, code=said.code, stage="limit", retry_after=wait, cure=row.cure)
        case Kind.MESSAGE:
            return SendRejected(detail, code=said.code, stage=stage, cure=row.cure)
