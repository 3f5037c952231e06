"""What is known of the few large providers by the names of their servers."""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """Facts about one server.

    Attributes:
        provider: Who runs it.
        files_copy: Whether it files what it submits in the mailbox's Sent folder by itself.
        imap: The IMAP server of the same mailboxes, by TLS on port 993; "" where none is known.
        per_minute: Messages it takes a minute from one mailbox, a little below what it says; None where it says nothing.
        spf: The name by which domains include its machines in SPF; "" where none is known.
        app_passwords: Where an app password is made, where it takes no other password; "" elsewhere.
        passwords_end: What its provider has announced about passwords, a sentence, or "".
    """

    provider: str = ""
    files_copy: bool = False
    imap: str = ""
    per_minute: int | None = None
    spf: str = ""
    app_passwords: str = ""
    passwords_end: str = ""


_UNKNOWN = Host()
_MICROSOFT_ENDS = (
    "Microsoft switches passwords for SMTP off by default at the end of December 2026, when an administrator can switch"
    " them on again, and will name a last day in the second half of 2027"
)
"""Message MC786329 of the Microsoft 365 message centre, as updated on 2026-01-27."""
_HOSTS = {
    "smtp.gmail.com": Host(
        "Gmail",
        files_copy=True,
        imap="imap.gmail.com",
        spf="_spf.google.com",
        app_passwords="https://myaccount.google.com/apppasswords",
    ),
    "smtp.office365.com": Host(
        "Microsoft 365",
        files_copy=True,
        imap="outlook.office365.com",
        per_minute=28,
        spf="spf.protection.outlook.com",
        passwords_end=_MICROSOFT_ENDS,
    ),
    "smtp-mail.outlook.com": Host("Outlook.com", files_copy=True, imap="outlook.office365.com"),
    # https://help.yahoo.com/kb/SLN15241.html
    "smtp.mail.yahoo.com": Host("Yahoo", app_passwords="https://login.yahoo.com/account/security"),
    # https://help.aol.com/articles/Create-and-manage-app-password
    "smtp.aol.com": Host("AOL", app_passwords="https://login.aol.com/account/security"),
    # https://support.apple.com/102654
    "smtp.mail.me.com": Host("iCloud", app_passwords="https://account.apple.com"),
    # https://www.fastmail.com/help/clients/apppassword.html
    "smtp.fastmail.com": Host("Fastmail", app_passwords="https://app.fastmail.com/settings/security"),
}
"""What providers say of themselves, on the pages that stand beside them."""


def host(server: str) -> Host:
    """Return what is known of *server*, given in lower case."""
    return _HOSTS.get(server, _UNKNOWN)
