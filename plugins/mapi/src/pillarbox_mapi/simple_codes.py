"""What an answer of Simple MAPI means: one table, by the number. Pure, and on the host's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from pillarbox import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SignInNeeded, Unavailable

SUCCESS, NO_SUPPORT, NO_UNICODE = 0, 26, 27
_LATER = "It is tried again by itself."
_ADDRESSES = "Check the addresses."
_SMALLER = "Send less, or a link to it."
_LOOK = "Look in the mail program's Outbox and Sent Items before it is sent again."


@attrs.frozen
class Meaning:
    """One row.

    Attributes:
        error: What is raised; the text follows.
        detail: What happened.
        cure: What helps.
    """

    error: Callable[..., PillarboxError]
    detail: str
    cure: str


MEANINGS: Mapping[int, Meaning] = {
    1: Meaning(SendRejected, "somebody at the computer cancelled it", "Send it again if that was a mistake."),
    2: Meaning(OutcomeUnknown, "the mail program failed and does not say when", _LOOK),
    3: Meaning(
        SignInNeeded, "the mail program could not sign in", "Open it on that computer and sign in there."
    ),
    4: Meaning(SendDeferred, "the disk is full", f"Make room on that computer. {_LATER}"),
    5: Meaning(SendDeferred, "there was not enough memory", _LATER),
    6: Meaning(SendRejected, "the mail program denies access to other programs", "Allow it in its options."),
    8: Meaning(SendDeferred, "too many programs use the mail program", _LATER),
    9: Meaning(SendRejected, "there are too many files for the mail program", _SMALLER),
    10: Meaning(
        SendRejected, "there are too many recipients for the mail program", "Send it to fewer at once."
    ),
    11: Meaning(SendRejected, "the mail program did not find a file", "Attach it again."),
    12: Meaning(SendRejected, "the mail program could not open a file", "Attach it again."),
    13: Meaning(
        SendDeferred, "the mail program could not copy a file", f"Make room on that computer. {_LATER}"
    ),
    14: Meaning(SendRejected, "the mail program does not know a recipient", _ADDRESSES),
    15: Meaning(SendRejected, "the mail program does not know a kind of recipient", _ADDRESSES),
    17: Meaning(
        SendRejected, "the mail program does not take such a message", "Report it: this is our mistake."
    ),
    18: Meaning(SendRejected, "the text is too long for the mail program", _SMALLER),
    19: Meaning(SendDeferred, "the session of the mail program has ended", _LATER),
    20: Meaning(SendRejected, "the mail program does not take this type", "Report it: this is our mistake."),
    21: Meaning(SendRejected, "a recipient may be one of several", "Write the whole address."),
    22: Meaning(SendDeferred, "the message is in use", _LATER),
    23: Meaning(SendDeferred, "the mail program could not reach its network", _LATER),
    24: Meaning(
        SendRejected, "the mail program does not take these fields", "Report it: this is our mistake."
    ),
    25: Meaning(SendRejected, "the recipients are not valid for the mail program", _ADDRESSES),
    NO_SUPPORT: Meaning(
        Unavailable,
        "there is no default mail program for Simple MAPI on that computer, or it does not send",
        "Make classic Outlook the default: Windows Settings, Default apps, Email.",
    ),
    NO_UNICODE: Meaning(
        SendRejected,
        "the mail program takes only the letters of the computer's own code page",
        'Use interface = "com", or write without those letters.',
    ),
    28: Meaning(SendRejected, "a file is too large for the mail program", _SMALLER),
}
"""MAPISendMail's answers (learn.microsoft.com, MAPISendMailW; mapi.h). 2 does not tell whether the message left."""
_STRANGE = Meaning(OutcomeUnknown, "the mail program gave an answer that is not documented", _LOOK)


def refusal(code: int) -> PillarboxError:
    """Return the error that the answer *code* becomes; one that nobody has documented leaves the outcome unknown."""
    row = MEANINGS.get(code, _STRANGE)
    said = f"Simple MAPI answered {code}: {row.detail}."
    if row.error is Unavailable:
        return row.error(said, cure=row.cure)
    return row.error(said, code=str(code), stage="send", cure=row.cure)
