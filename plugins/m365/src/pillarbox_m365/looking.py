"""Whether a mail was sent: by its draft's id, which stays, then by our tag and its Message-ID in Sent Items."""

from __future__ import annotations

from typing import Any

from pillarbox import PillarboxError, Sighting, SightingState, Submission

from .fields import TAG
from .graph import Graph, segment
from .receipts import receipt_of

READY = "m365.draft"
"""Noted: the id of a draft that holds all of the message; it may have been sent."""
BEGUN = "m365.begun"
"""Noted: the id of a draft to which files are still to be added; it was not sent."""
SELECTED = "id,isDraft,internetMessageId,conversationId,webLink,parentFolderId"


def look(graph: Graph, submission: Submission, draft: str) -> Sighting:
    """Return what a look finds; it sends nothing, and what fails is UNCLEAR.

    Args:
        graph: The mailbox.
        submission: What is looked for.
        draft: The id that was noted, or "".
    """
    try:
        return of_draft(graph, submission, draft) or in_sent(graph, submission, draft)
    except PillarboxError as error:
        return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error.detail}")


def of_draft(graph: Graph, submission: Submission, draft: str) -> Sighting | None:
    """Return what its draft says of it; None where that is gone, or none was noted.

    Raises:
        PillarboxError: The look fails.
    """
    found = graph.get(f"/messages/{segment(draft)}", "look", select=SELECTED) if draft else None
    return None if found is None else _of_draft(graph, found, submission, draft)


def in_sent(graph: Graph, submission: Submission, draft: str) -> Sighting:
    """Return what Sent Items say of it: that it was sent, or nothing.

    Raises:
        PillarboxError: The look fails.
    """
    for asked in _ways(submission):
        sent = graph.get("/mailFolders/sentitems/messages", "look", filter=asked, select=SELECTED, top="1")
        values = (sent or {}).get("value")
        if isinstance(values, list) and values and isinstance(values[0], dict):
            return _sent(submission, values[0], graph)
    detail = "No sent mail of it is found in Sent Items" + (", and its draft is gone." if draft else ".")
    return Sighting(SightingState.UNCLEAR, detail=detail)


def _of_draft(graph: Graph, found: dict[str, Any], submission: Submission, draft: str) -> Sighting:
    if found.get("isDraft") is False:
        return _sent(submission, {**found, "id": draft}, graph)
    if found.get("isDraft") is not True:
        return Sighting(
            SightingState.UNCLEAR, detail="Microsoft 365 does not say whether it is still a draft."
        )
    outbox = graph.get("/mailFolders/outbox", "look", select="id")
    if outbox and outbox.get("id") == found.get("parentFolderId"):
        return Sighting(SightingState.UNCLEAR, detail="It lies in the Outbox, from which it may be sent.")
    return Sighting(SightingState.ABSENT, detail="Its draft is still a draft.")


def _ways(submission: Submission) -> tuple[str, str]:
    """Return the filters by which its copy is found: our tag, then its Message-ID."""
    tag = f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq '{submission.key}')"
    quoted = submission.message_id.replace("'", "''")
    return tag, f"internetMessageId eq '{quoted}'"


def _sent(submission: Submission, told: dict[str, Any], graph: Graph) -> Sighting:
    receipt = receipt_of(submission, str(told.get("id", "")), told, graph.security)
    return Sighting(SightingState.SENT, receipt, "It was found in the mailbox, sent.")
