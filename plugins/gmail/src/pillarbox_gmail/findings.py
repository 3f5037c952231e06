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
    "grant-given": "The account is connected, and this is what was allowed.",
    "grant-over": "The provider gives no more tokens to this sign-in.",
}


def finding_codes() -> dict[str, str]:
    """Return every code with the sentence that says what it means."""
    return dict(sorted(FINDINGS.items()))


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
