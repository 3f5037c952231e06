"""What Outlook's answers mean, as data: by the HRESULT and the step, the error that a caller gets, with its cure.

The codes are those of winerror.h and of the reports named beside them; what is a guess says so in the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from pillarbox import (
    OutcomeUnknown,
    PillarboxError,
    SendDeferred,
    SenderMismatch,
    SendError,
    SendRejected,
    SettingsError,
    Unavailable,
)

from .host import WorkerFault
from .outlook import GONE
from .patience import BUSY
from .problems import Problem
from .simple_codes import refusal

Kind: TypeAlias = type[PillarboxError]
NEW_OUTLOOK = "Use Microsoft 365 for this account (Connect), or switch back to classic Outlook; what waits stays queued."
_INSTALL = "Install classic Outlook for Windows, or use Microsoft 365 for this account (Connect)."
_TRUST = (
    "In Outlook: File, Options, Trust Center, Programmatic Access; an up-to-date antivirus program, or the"
    " administrator's policy, decides whether programs may send."
)


@attrs.frozen
class Meaning:
    """What an answer means.

    Attributes:
        finding: What `check` calls it.
        kind: The error that it becomes.
        text: What happened, a sentence.
        cure: What to do.
    """

    finding: str
    kind: Kind
    text: str
    cure: str = ""


_BUSY = Meaning(
    "outlook-busy",
    SendDeferred,
    "Outlook is busy, or shows a dialog, and refused the call until the time was over.",
    "Answer the dialog in Outlook.",
)
_GONE = Meaning("outlook-closed", SendDeferred, "Outlook was closed, or has crashed.", "Start Outlook.")
_LOST = "Outlook was closed or has crashed in Send; whether the message left is not known."
_DENIED = Meaning(
    "guard-denied", SendRejected, "Outlook did not let the program send, or a person refused it.", _TRUST
)
_OURS = Meaning(
    "apartment-wrong",
    SendDeferred,
    "The worker asked Outlook from a wrong thread; this is a fault of pillarbox.",
)
AT_START: Mapping[int, Meaning] = {
    0x80004004: Meaning(
        "outlook-not-ready",
        Unavailable,
        "Outlook did not get ready: its profile was not loaded in time.",
        "Start Outlook, answer what it asks, and run it and this program with the same privilege.",
    ),
    0x80080005: Meaning(
        "outlook-other-privilege",
        Unavailable,
        "Outlook can't be reached: it runs with another privilege, is being updated, or a wizard is open.",
        "Run Outlook and this program both as administrator or both not.",
    ),
    0x80070002: Meaning(
        "outlook-program-missing",
        Unavailable,
        "The program that is registered as Outlook is not there.",
        "Repair Office: Settings, Apps, Microsoft 365 or Office, Modify.",
    ),
    0x8004010F: Meaning(
        "profile-unknown",
        SettingsError,
        "Outlook has no such profile.",
        "Mend mapi.profile, or leave it empty.",
    ),
    0x80004005: Meaning(
        "profile-failed",
        SendDeferred,
        "Outlook did not open its profile.",
        "Start Outlook and answer what it asks.",
    ),
}
"""What is meant while Outlook is started and its profile opened, and there alone."""
MEANINGS: Mapping[int, Meaning] = {
    0x800401F3: Meaning("outlook-missing", Unavailable, "Classic Outlook is not installed here.", _INSTALL),
    0x80040154: Meaning(
        "outlook-broken",
        Unavailable,
        "Outlook's registration on this computer is broken.",
        "Repair Office: Settings, Apps, Microsoft 365 or Office, Modify.",
    ),
    0x800401E3: Meaning(
        "outlook-new", Unavailable, "The new Outlook is switched on, which no program can drive.", NEW_OUTLOOK
    ),
    0x800700C1: Meaning(
        "outlook-wrong-program",
        Unavailable,
        "What is registered as Outlook is no program for this Windows.",
        "Repair Office, or remove one of two Outlooks that are installed side by side.",
    ),
    0x80020006: Meaning(
        "outlook-old", Unavailable, "This Outlook lacks what is needed: it is older than 2010.", _INSTALL
    ),
    0x80004004: _DENIED,
    0x80070002: Meaning(
        "file-not-found", SendDeferred, "Outlook could not read an attachment from the spool.", "Try again."
    ),
    0x800401F0: _OURS,
    0x8001010E: _OURS,
    **dict.fromkeys(BUSY, _BUSY),
    **dict.fromkeys(GONE, _GONE),
}
AT_SEND: Mapping[int, Meaning] = {
    0x80004005: Meaning(
        "recipient-refused",
        SendRejected,
        "Outlook does not recognise a recipient, or has no account that may send.",
        "Check the addresses, and send a mail by hand.",
    )
}
"""What is meant by the answer to Send, where Outlook says that it still has the draft."""


def meaning(problem: Problem) -> Meaning | None:
    """Return what an HRESULT means at its step, or None for one that is not known."""
    if problem.step in {"start", "profile"} and problem.code in AT_START:
        return AT_START[problem.code]
    if problem.step == "send" and problem.code in AT_SEND:
        return AT_SEND[problem.code]
    return MEANINGS.get(problem.code)


def error_of(problem: Problem) -> PillarboxError:
    """Return the error that a *problem* of the worker is, by what it is and where it happened."""
    if problem.name != "com":
        return _found(problem)
    if problem.step == "send" and problem.code not in BUSY and problem.kept is not True:
        return OutcomeUnknown(_unknown(problem), code=_hex(problem.code), stage="send")
    known = meaning(problem)
    if known is None:
        return SendDeferred(f"Outlook answered {_hex(problem.code)}: {_said(problem)}", stage=problem.step)
    return _made(known.kind, known.text, known.cure, code=_hex(problem.code), stage=problem.step)


def _unknown(problem: Problem) -> str:
    if problem.code in GONE:
        return _LOST
    return f"Outlook answered {_hex(problem.code)} to Send, and does not say that it kept the message."


def _hex(code: int) -> str:
    return f"0x{code:08X}"


def _said(problem: Problem) -> str:
    return problem.facts.get("said") or "no words"


FOUND: Mapping[str, Meaning] = {
    "no-accounts": Meaning(
        "accounts-none",
        SettingsError,
        "Outlook's profile has no account.",
        "Add one in Outlook: File, Add Account.",
    ),
    "account-missing": Meaning(
        "account-missing",
        SenderMismatch,
        "Outlook has no account {wanted}; it has: {found}.",
        "Add it in Outlook, or choose another.",
    ),
    "account-differs": Meaning(
        "account-differs",
        SenderMismatch,
        "Outlook would send as {found}, and {wanted} has to send.",
        "Choose another account, or set mapi.require_match = false where the company's may send for everybody.",
    ),
    "account-kind": Meaning(
        "account-kind",
        SettingsError,
        "Outlook's account {found} is of the kind {kind}, which may not send here.",
        "Use the SMTP method for a pop3 or imap account; or name another account, or add the kind to mapi.accept.",
    ),
    "account-not-kept": Meaning(
        "account-not-kept",
        SendDeferred,
        "Outlook did not keep the account {wanted} for the message; nothing left.",
        "Set the account up again in Outlook, or name another.",
    ),
    "recipient-unknown": Meaning(
        "recipient-unknown",
        SendRejected,
        "Outlook does not know a recipient: {who}.",
        "Write the whole address.",
    ),
    "no-draft": Meaning("draft-missing", SendDeferred, "The worker has no draft any more; nothing left."),
    "answer-missing": Meaning(
        "answer-missing", SendDeferred, "Outlook gave nothing where it owes an object."
    ),
    "simple-cannot": Meaning(
        "simple-cannot",
        SendRejected,
        "Simple MAPI can't do this: {what}.",
        "Leave it out, or set mapi.interface = com.",
    ),
}
"""What the worker itself found, by its name; the text takes the problem's facts."""


def _found(problem: Problem) -> PillarboxError:
    if problem.name == "simple":
        return refusal(problem.code)
    known = FOUND.get(problem.name)
    if known is None:
        return SendDeferred(f"The worker could not do it: {problem.name}.", stage=problem.step)
    facts = {"wanted": "?", "found": "?", "kind": "?", "who": "?", "what": "?", **problem.facts}
    return _made(known.kind, known.text.format_map(facts), known.cure, stage=problem.step)


def _made(kind: Kind, text: str, cure: str, *, code: str = "", stage: str = "") -> PillarboxError:
    if issubclass(kind, SendError):
        return kind(text, code=code, stage=stage, cure=cure)
    return kind(f"{text}{f' ({code})' if code else ''}", cure=cure)


_FAULTS = {
    "silent": "{who} did not answer in time; it may show a dialog.",
    "ended": "The worker process ended without an answer.",
    "nonsense": "The worker process answered what is no answer.",
    "absent": "The worker process could not be started.",
}


def error_of_fault(fault: WorkerFault, step: str, *, who: str = "Outlook") -> PillarboxError:
    """Return the error that a worker's silence is: unknown in Send, else not sent. *who* was asked."""
    text = _FAULTS[fault.how].format(who=who)
    text = text[0].upper() + text[1:]
    if step == "send" and fault.how != "absent":
        return OutcomeUnknown(f"{text} Whether the message left is not known.", stage=step)
    if fault.how == "absent":
        return Unavailable(f"{text} {fault.said}".strip(), cure="Check mapi.worker_command.")
    return SendDeferred(f"{text} Nothing left.", stage=step, cure=f"Look at {who} on that computer.")
