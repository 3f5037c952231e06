"""The codes of what `check` finds, each with its meaning, and how a finding is made."""

from __future__ import annotations

import time

from pillarbox import Finding, Level

FINDINGS = {
    "not-reached": "An earlier stage failed, or there is nothing to look at, so this one was not tried.",
    "client-id-set": "The registration has a client ID of Google's shape.",
    "client-id-odd": "The client ID does not look like one of Google's.",
    "client-secret-set": "The client secret can be read.",
    "client-secret-missing": "The registration has no client secret.",
    "client-secret-unreadable": "The reference to the client secret can't be followed.",
    "service-account-readable": "The key of the service account can be read.",
    "service-account-unreadable": "The key of the service account can't be read, or is none.",
    "client-known": "The token endpoint answered, and knows the client and its secret.",
    "client-refused": "The token endpoint answered, and does not accept the client.",
    "token-endpoint-silent": "The token endpoint does not answer, or gives no token now.",
    "token-given": "Google gives tokens to this sign-in.",
    "token-refused": "Google gives no token to this sign-in, or there is none.",
    "token-not-now": "Google gives no token now.",
    "token-registration": "Google refuses the registration, or it can't be used.",
    "mailbox-reached": "Gmail answers, and says whose mailbox it is.",
    "mailbox-answers": "Gmail answers; a sign-in that may only send can't be told more.",
    "mailbox-refuses": "Gmail does not accept the token, nor another one.",
    "mailbox-differs": "The mailbox has another address than the one that was connected.",
    "mailbox-silent": "The Gmail API can't be reached, or does not answer.",
    "sender-accepted": "The address that mail would show is the mailbox's, or a verified alias of it.",
    "sender-strange": "Gmail would replace the address that mail would show, so nothing is sent with it.",
    "limits-known": "What Gmail allows this mailbox, and whether it can be looked what was sent.",
}


def finding_codes() -> dict[str, str]:
    """Return every code with the sentence that says what it means."""
    from .meanings import MEANINGS

    refused = {row.finding: f"Gmail refused: {row.meaning}." for row in reversed(MEANINGS)}
    return dict(sorted((refused | FINDINGS).items()))


def ok(stage: str, code: str, seen: str, *, since: float | None = None) -> Finding:
    """Return that *stage* is well; *since* is when the look began (`time.monotonic`)."""
    return Finding(stage, Level.OK, code, seen, seconds=_took(since))


def warn(stage: str, code: str, seen: str, cure: str, *, since: float | None = None) -> Finding:
    """Return that something at *stage* may fail."""
    return Finding(stage, Level.WARN, code, seen, cure, _took(since))


def fail(
    stage: str, code: str, seen: str, cure: str, exit_code: int = 70, *, since: float | None = None
) -> Finding:
    """Return that *stage* failed, and what `check` exits with for it."""
    return Finding(stage, Level.FAIL, code, seen, cure, _took(since), exit_code)


def skip(stage: str, seen: str) -> Finding:
    """Return that *stage* was not looked at."""
    return Finding(stage, Level.SKIP, "not-reached", seen)


def _took(since: float | None) -> float:
    return 0.0 if since is None else time.monotonic() - since
