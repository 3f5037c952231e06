"""What a receipt says of a mail that Microsoft 365 took."""

from __future__ import annotations

from typing import Any

from pillarbox import Copy, CopyState, Receipt, Submission

MICROSOFT = "Microsoft 365"


def receipt_of(submission: Submission, reference: str, told: dict[str, Any], security: str = "") -> Receipt:
    """Return the receipt for a mail that Graph calls *reference* and has *told* of."""
    theirs = str(told.get("internetMessageId") or "")
    thread, link = str(told.get("conversationId") or ""), str(told.get("webLink") or "")
    return Receipt(
        submission.message_id,
        reference,
        provider_message_id="" if theirs == submission.message_id else theirs,
        submitted_only=True,
        detail=f"conversation {thread}" if thread else "",
        copy=Copy(CopyState.BY_CARRIER, MICROSOFT, link),
        security=security,
    )
