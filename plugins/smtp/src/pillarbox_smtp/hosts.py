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
    """

    provider: str = ""
    files_copy: bool = False
    imap: str = ""
    per_minute: int | None = None


_UNKNOWN = Host()
_HOSTS = {
    "smtp.gmail.com": Host("Gmail", files_copy=True, imap="imap.gmail.com"),
    "smtp.office365.com": Host("Microsoft 365", files_copy=True, imap="outlook.office365.com", per_minute=28),
    "smtp-mail.outlook.com": Host("Outlook.com", files_copy=True, imap="outlook.office365.com"),
}


def host(server: str) -> Host:
    """Return what is known of *server*, given in lower case."""
    return _HOSTS.get(server, _UNKNOWN)
