"""Errors in the shape in which Graph gives them, with the text it usually has for each code."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from typing import Any

from .._http.faults import Answer, Fault, Plan
from .._http.values import Reply

USUAL = {
    "ApplicationThrottled": "Application is over its MailboxConcurrency limit.",
    "BadRequest": "The request is malformed.",
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidRecipients": "At least one recipient isn't valid.",
    "ErrorInvalidUser": "The requested user is invalid.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMessageSizeExceeded": "The message exceeds the maximum supported size.",
    "ErrorQuotaExceeded": "The mailbox is over its quota.",
    "ErrorSendAsDenied": (
        "The user account which was used to submit this request does not have the right to send mail"
        " on behalf of the specified sending account., Cannot submit message."
    ),
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "InvalidAuthenticationToken": "Access token validation failure. Invalid audience.",
    "MailboxNotEnabledForRESTAPI": ("The mailbox is either inactive, soft-deleted, or is hosted on-premise."),
}
"""What Graph says with a code, where a test says nothing else."""
_FAULTS = {
    Fault.THROTTLED: Answer(429, "ApplicationThrottled"),
    Fault.UNAVAILABLE: Answer(503, "ErrorServerBusy"),
    Fault.ERROR: Answer(500, "ErrorInternalServerError"),
    Fault.UNAUTHORIZED: Answer(
        401, "InvalidAuthenticationToken", headers={"WWW-Authenticate": 'Bearer realm=""'}
    ),
}


class GraphError(Exception):
    """A request is refused.

    Attributes:
        answer: With what.
        inner: The code of `innerError`, where Graph nests a more detailed one.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        *,
        inner: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.answer = Answer(status, code, message, headers or {})
        self.inner = inner


def planned(plan: Plan) -> Answer:
    """Return the answer that *plan* stands for."""
    answer = plan.fault if isinstance(plan.fault, Answer) else _FAULTS[plan.fault]
    if plan.retry_after is None:
        return answer
    wait = {"Retry-After": str(math.ceil(plan.retry_after))}
    return Answer(answer.status, answer.code, answer.message, {**answer.headers, **wait})


def error_reply(answer: Answer, *, inner: str = "", client_id: str = "") -> Reply:
    """Return *answer* as JSON, with the ids and the date that Graph adds."""
    request_id = str(uuid.uuid4())
    nested: dict[str, Any] = {"code": inner} if inner else {}
    nested |= {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_id or request_id,
    }
    code = answer.code or "UnknownError"
    error = {"code": code, "message": answer.message or USUAL.get(code, ""), "innerError": nested}
    return Reply.json({"error": error}, answer.status, {"request-id": request_id, **answer.headers})
