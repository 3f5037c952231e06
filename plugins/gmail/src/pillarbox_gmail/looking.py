"""The look whether a message was sent: by its draft, and where the grant allows it, in Sent."""

from __future__ import annotations

from pillarbox import Journal, PillarboxError, Sighting, SightingState, Submission

from .api import Api, path
from .by_draft import drafted, is_draft, where
from .exchange import Answer, Broken
from .grants import Allowed
from .receipts import receipt

_NEVER = "No draft of it is known, and this sign-in can't look what was sent."


def looked_for(submission: Submission, journal: Journal, api: Api, allowed: Allowed) -> Sighting:
    """Return what is found: ABSENT while the draft is one, SENT where Sent has it, else UNCLEAR. Raises nothing."""
    draft = drafted(journal)
    if not draft and not allowed.reads:
        return Sighting(SightingState.UNCLEAR, detail=_NEVER, is_final=True)
    try:
        api.begin()
        if draft and (seen := _draft(api, draft)) is not None:
            return seen
        return _in_sent(api, submission) if allowed.reads else _gone()
    except (PillarboxError, Broken) as error:
        return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error}")


def _draft(api: Api, draft: str) -> Sighting | None:
    """Return that it is still a draft, or that nobody knows; None where it is none any more."""
    answer = api.look("GET", where(draft))
    if answer.status == 404:
        return None
    if is_draft(answer, draft):
        return Sighting(SightingState.ABSENT, detail="It is still a draft, so it was not sent.")
    return _failed(answer)


def _in_sent(api: Api, submission: Submission) -> Sighting:
    """Look in Sent by our Message-ID. Gmail may have given the message another, so not finding it proves nothing."""
    query = f"rfc822msgid:{submission.message_id}"
    answer = api.look("GET", path("messages", q=query, labelIds="SENT", maxResults="2"))
    if answer.status != 200:
        return _failed(answer)
    listed = (answer.told or {}).get("messages")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict) and listed[0].get("id"):
        return Sighting(SightingState.SENT, receipt(submission, listed[0], submission.message_id))
    return Sighting(
        SightingState.UNCLEAR, detail="Sent has nothing with its Message-ID, which Gmail may have replaced."
    )


def _gone() -> Sighting:
    said = "Its draft is gone: it was sent, or somebody deleted it. This sign-in can't look in Sent."
    return Sighting(SightingState.UNCLEAR, detail=said, is_final=True)


def _failed(answer: Answer) -> Sighting:
    return Sighting(SightingState.UNCLEAR, detail=f"The look failed: Gmail answered {answer.status}.")
