"""How the end of a sign-in is told to people."""

from __future__ import annotations

from .._connectors import Refused, RefusedReason


def why(refused: Refused) -> str:
    """Return why a sign-in came to nothing, a sentence; nothing was stored."""
    who, wanted = refused.signed_in_as or "somebody else", refused.wanted or "another account"
    said = f" ({refused.detail})" if refused.detail else ""
    sentences = {
        RefusedReason.CANCELLED: f"The sign-in was cancelled{said}.",
        RefusedReason.EXPIRED: f"The sign-in took too long, was finished already, or was begun by somebody else{said}.",
        RefusedReason.WRONG_ACCOUNT: f"{who} signed in, and the account is {wanted}.",
        RefusedReason.OTHER_PERSON: f"{who} is not the person who connected this account before.",
        RefusedReason.SCOPE_MISSING: f"{who} did not allow all that is needed: {', '.join(refused.missing)}.",
        RefusedReason.FAILED: f"The provider refused the sign-in{said}.",
    }
    return sentences[refused.reason]
