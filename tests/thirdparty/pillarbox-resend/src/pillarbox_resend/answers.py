"""What an answer of the API means: here, in one place, and by what it says, not by which exception came."""

from collections.abc import Mapping
from typing import Any

import attrs

from pillarbox import (
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SignInNeeded,
    Submission,
)

KEYS = {"missing_api_key", "restricted_api_key", "invalid_api_key"}
IN_PROGRESS = "concurrent_idempotent_requests"


class NoAnswer(Exception):
    """No complete answer came to a request that was begun: what it asked for may have been done."""


@attrs.frozen
class Answer:
    """A complete answer: its status and what it says, a JSON object."""

    status: int
    value: Mapping[str, Any]
    retry_after: float | None = None

    @property
    def name(self) -> str:
        """What the API calls an error."""
        return str(self.value.get("name", ""))


def receipt_of(answer: Answer, submission: Submission) -> Receipt:
    """Return the API's word that it took charge, or raise what it said instead.

    Raises:
        SignInNeeded: The key was refused.
        SendRejected: Refused for good.
        SendDeferred: Refused for now.
        OutcomeUnknown: It failed with the message in its hands (5xx), or is still at an earlier try of it.
    """
    if answer.status != 200:
        raise refusal_of(answer)
    reference = str(answer.value.get("id", ""))
    if not reference:
        raise OutcomeUnknown("Resend took the message and did not say as what.", stage="content")
    return Receipt(submission.message_id, reference)


def refusal_of(answer: Answer) -> PillarboxError:
    """Return what an answer that is no success means for whoever sends."""
    said, code = str(answer.value.get("message", "")), f"{answer.status} {answer.name}".strip()
    if answer.name in KEYS or answer.status == 401:
        return SignInNeeded(
            f"Resend refused the key: {said}", code=code, stage="sign-in", cure="Make another key."
        )
    if answer.name == IN_PROGRESS:
        return OutcomeUnknown(
            "Resend is still at an earlier try of this message.", code=code, stage="content"
        )
    if answer.status == 429:
        return SendDeferred(
            f"Resend takes nothing now: {said}", code=code, stage="content", retry_after=answer.retry_after
        )
    if 400 <= answer.status < 500 and answer.status != 408:
        return SendRejected(f"Resend refused the message: {said}", code=code, stage="content")
    return OutcomeUnknown(f"Resend failed with {code}.", code=code, stage="content")
