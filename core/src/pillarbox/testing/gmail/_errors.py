"""Gmail's errors: its words for them, and the shape they come in."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Self

import attrs

from .._http.faults import Answer, Fault, Plan
from .._http.values import Reply

RETRY_SECONDS = 900
"""How far ahead the time lies that a 429 names, where a test names none (as people report it)."""


@attrs.frozen
class Kind:
    """A reason: its status, its domain, its canonical name, its usual text, and the text beside it, if another."""

    status: int
    domain: str
    name: str
    text: str
    beside: str = ""


KINDS: Mapping[str, Kind] = {
    "badRequest": Kind(400, "global", "INVALID_ARGUMENT", "Bad Request"),
    "invalid": Kind(400, "global", "INVALID_ARGUMENT", "Invalid value"),
    "invalidArgument": Kind(400, "global", "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "failedPrecondition": Kind(400, "global", "FAILED_PRECONDITION", "Precondition check failed."),
    "authError": Kind(
        401,
        "global",
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential.",
        "Invalid Credentials",
    ),
    "required": Kind(
        401, "global", "UNAUTHENTICATED", "Request is missing required authentication credential."
    ),
    "insufficientPermissions": Kind(
        403,
        "global",
        "PERMISSION_DENIED",
        "Request had insufficient authentication scopes.",
        "Insufficient Permission",
    ),
    "forbidden": Kind(403, "global", "PERMISSION_DENIED", "The caller does not have permission"),
    "rateLimitExceeded": Kind(403, "usageLimits", "RESOURCE_EXHAUSTED", "Rate Limit Exceeded"),
    "userRateLimitExceeded": Kind(403, "usageLimits", "RESOURCE_EXHAUSTED", "User Rate Limit Exceeded"),
    "dailyLimitExceeded": Kind(403, "usageLimits", "RESOURCE_EXHAUSTED", "Daily Limit Exceeded"),
    "quotaExceeded": Kind(403, "usageLimits", "RESOURCE_EXHAUSTED", "Quota exceeded"),
    "accessNotConfigured": Kind(
        403,
        "usageLimits",
        "PERMISSION_DENIED",
        "Gmail API has not been used in this project before or it is disabled.",
    ),
    "domainPolicy": Kind(
        403, "usageLimits", "PERMISSION_DENIED", "The domain administrators have disabled Gmail apps."
    ),
    "notFound": Kind(404, "global", "NOT_FOUND", "Requested entity was not found."),
    "uploadTooLarge": Kind(413, "global", "INVALID_ARGUMENT", "Request is too large."),
    "backendError": Kind(500, "global", "INTERNAL", "Backend Error"),
    "notImplemented": Kind(501, "global", "UNIMPLEMENTED", "Not implemented."),
}
"""What is known of each reason."""

_USUAL = {400: "badRequest", 401: "authError", 403: "forbidden", 404: "notFound", 413: "uploadTooLarge"}
_NAMES = {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class Refused(Exception):
    """Ends the answering of a request with an error; `reply` is the answer."""

    def __init__(self, reason: str, text: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason, text)
        self.reply = error(KINDS[reason].status, reason, text, headers)

    @classmethod
    def by(cls, reply: Reply) -> Self:
        """Return one that is answered by *reply*."""
        refused = cls("rateLimitExceeded")
        refused.reply = reply
        return refused


def error(status: int, reason: str = "", text: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error in Gmail's shape; what is left out is the usual for it."""
    reason = reason or _USUAL.get(status, "rateLimitExceeded" if status == 429 else "backendError")
    kind = KINDS.get(reason, Kind(status, "global", "UNKNOWN", reason))
    one = {"message": text or kind.beside or kind.text, "domain": kind.domain, "reason": reason}
    if reason in {"authError", "required"}:
        one |= {"location": "Authorization", "locationType": "header"}
    name = _NAMES.get(status, kind.name)
    said = {"code": status, "message": text or kind.text, "errors": [one], "status": name}
    return Reply.json({"error": said}, status, headers)


def throttled(seconds: float, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a 429 as Gmail words it: in how many *seconds* to come back stands as a time in its text."""
    stamp = (_now() + dt.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    text = f"User-rate limit exceeded.  Retry after {stamp.replace('+00:00', 'Z')}"
    return error(429, "rateLimitExceeded", text, headers)


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


def planned(plan: Plan) -> Reply:
    """Return the error that a test planned."""
    fault = plan.fault
    if isinstance(fault, Answer):
        return error(fault.status, fault.code, fault.message, fault.headers)
    if fault is Fault.THROTTLED:
        wait = RETRY_SECONDS if plan.retry_after is None else plan.retry_after
        return throttled(wait, _retry_after(plan.retry_after))
    if fault is Fault.UNAUTHORIZED:
        return error(401, "authError")
    if fault is Fault.UNAVAILABLE:
        text = "The service is currently unavailable."
        return error(503, "backendError", text, _retry_after(plan.retry_after))
    return error(500, "backendError")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
