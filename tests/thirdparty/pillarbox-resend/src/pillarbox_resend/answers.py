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

RESTRICTED = "restricted_api_key"
"""A key that may send, and do nothing else."""
KEYS = {"missing_api_key", RESTRICTED, "invalid_api_key"}
KNOWN_BEFORE = {
    "concurrent_idempotent_requests": "Resend is still at an earlier try of this message.",
    "invalid_idempotent_request": "Resend had this message before, with another body; nobody knows whether that left.",
}
"""Refusals that say that there was an earlier try: what became of that is unknown, so this one is not refused."""


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
    if _refuses_the_key(answer):
        return SignInNeeded(
            f"Resend refused the key: {said}", code=code, stage="sign-in", cure="Make another key."
        )
    if answer.name in KNOWN_BEFORE:
        return OutcomeUnknown(KNOWN_BEFORE[answer.name], code=code, stage="content")
    if answer.status == 429:
        return SendDeferred(
            f"Resend takes nothing now: {said}", code=code, stage="content", retry_after=answer.retry_after
        )
    if 400 <= answer.status < 500 and answer.status != 408:
        return SendRejected(f"Resend refused the message: {said}", code=code, stage="content")
    return OutcomeUnknown(f"Resend failed with {code}.", code=code, stage="content")


def _refuses_the_key(answer: Answer) -> bool:
    """Whether it is the key: Resend calls that by several names, one of which is that of a wrong field."""
    said = str(answer.value.get("message", "")).lower()
    return answer.name in KEYS or answer.status == 401 or said.startswith("api key is invalid")
