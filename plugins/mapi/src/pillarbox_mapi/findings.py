"""The codes of what `check` finds, each with its meaning."""

from __future__ import annotations

FINDINGS = {
    "not-reached": "An earlier stage failed, so this one was not tried.",
    "platform-windows": "The worker runs on Windows.",
    "platform-other": "The worker does not run on Windows, where classic Outlook is.",
    "worker-fault": "The worker process could not be started, or gave no answer.",
    "pywin32-found": "Python can speak COM.",
    "pywin32-missing": "pywin32 is not installed for the worker's Python.",
    "session-interactive": "The worker runs in a person's session.",
    "session-of-services": "The worker runs in the session of services, where Outlook has no profile.",
    "session-unknown": "In which session the worker runs is not known.",
    "outlook-registered": "Outlook is registered, and its program is there.",
    "outlook-program-missing": "Outlook is registered, and its program is not there.",
    "new-outlook-off": "The switch of the new Outlook was not found on.",
    "new-outlook-on": "The new Outlook seems to be switched on, which no program can drive.",
    "attached": "Outlook answers.",
    "attach-failed": "Outlook answers what is not known.",
    "profile-open": "A profile is open.",
    "profile-none": "No profile is open.",
    "accounts-found": "The account that would send is there.",
    "online": "Outlook is online.",
    "offline": "Outlook works offline: what it takes waits in its Outbox.",
    "trusted": "Outlook trusts this program.",
    "trust-doubtful": "Outlook may ask a person, or refuse, when a program sends.",
    "mail-program-found": "A mail program is the computer's default. Simple MAPI asks it when a message is sent, not before.",
    "mail-program-none": "No mail program is the computer's default for Simple MAPI.",
    "sender-unseen": "Simple MAPI does not show as whom the mail program sends.",
    "sender-unstated": "Somebody in particular has to send, and nothing says that the mail program sends as them.",
    "simple-choice": "The settings ask for what Simple MAPI can't choose.",
}

OF_ACCOUNTS = ("no-accounts", "account-missing", "account-differs", "account-kind")
"""What the choice of an account finds; the rest of what a worker finds is of a message, which a check has none of."""
OF_A_MESSAGE = frozenset({"file-not-found"})


def finding_codes() -> dict[str, str]:
    """Return every code with the sentence that says what it means."""
    from .meanings import AT_START, FOUND, MEANINGS

    rows = [*(FOUND[name] for name in OF_ACCOUNTS), *AT_START.values(), *MEANINGS.values()]
    told = {row.finding: _generally(row.text) for row in rows if row.finding not in OF_A_MESSAGE}
    return dict(sorted((told | FINDINGS).items()))


def _generally(text: str) -> str:
    for field, word in {
        "{wanted}": "it",
        "{found}": "others",
        "{kind}": "another",
        "{who}": "an address",
    }.items():
        text = text.replace(field, word)
    return text
