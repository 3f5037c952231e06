"""What the tests of sent copies are given: a mailbox beside a scripted IMAP server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pillarbox import Credentials, Network, Secret
from pillarbox.testing.imap_server import ImapServer
from pillarbox_smtp import Encryption, SmtpSettings
from pillarbox_smtp.copies import Copies, access_of
from pillarbox_smtp.imap import Mailbox
from pillarbox_smtp.imap_wire import Deadline
from pillarbox_smtp.saved_copy import SavedCopy
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known, signing_in

SHORT = 0.5
"""Seconds that a test waits for a server that says nothing."""
USERS = {ORDERS: PASSWORD}


def with_copy(server: ImapServer | None = None, **given: Any) -> SmtpSettings:
    """Return settings whose copies go to *server*, in clear on loopback unless *given* says otherwise."""
    own = {
        name: given.pop(name)
        for name in list(given)
        if name in {"folder", "create_folder", "ca_file", "encryption", "fingerprint"}
    }
    place: dict[str, Any] = {
        "server": "127.0.0.1",
        "encryption": Encryption.NONE,
        "port": server.port if server else 143,
    }
    return signing_in(saved_copy=SavedCopy(**(place | own)), timeout=SHORT, **given)


def copies(
    server: ImapServer, credentials: Credentials | None = None, *, trace: Any = None, **given: Any
) -> Copies:
    """Return what files copies on *server*."""
    return Copies(with_copy(server, **given), Network(), credentials or Known(), trace)


@contextlib.contextmanager
def opened(server: ImapServer, **given: Any) -> Iterator[Mailbox]:
    """Give a mailbox on *server* that has signed in."""
    mailbox = unopened(server, **given)
    mailbox.connect()
    mailbox.sign_in()
    try:
        yield mailbox
    finally:
        mailbox.drop()


def unopened(
    server: ImapServer, *, trace: Any = None, network: Network | None = None, **given: Any
) -> Mailbox:
    """Return a mailbox on *server* that is not connected yet."""
    access = access_of(with_copy(server, **given))
    assert access is not None
    mailbox = Mailbox(access, network or Network(), Known(), lambda: None, trace)
    mailbox.deadline = Deadline(SHORT)
    return mailbox


OWN_SECRET = Secret(env="ACME_IMAP_PASSWORD")
