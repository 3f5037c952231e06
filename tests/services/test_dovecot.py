"""Dovecot's IMAP side does what a saved copy and a look after a crash rely on: seen with imaplib alone."""

from __future__ import annotations

import imaplib
from typing import TYPE_CHECKING

import pytest

from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.servers import Authority, Dovecot

pytestmark = pytest.mark.services

ORDERS, ANNA, OTTO = LOGINS
LETTER = b"Message-ID: <1001@acme.example>\r\nSubject: Invoice 1001\r\nBcc: b@customer.example\r\n\r\n.\r\n"


@pytest.fixture
def anna(dovecot: Dovecot, authority: Authority) -> Iterator[imaplib.IMAP4]:
    """Anna's mailbox, over TLS with chain and name verified."""
    context = authority.client_context()
    with imaplib.IMAP4_SSL(dovecot.host, dovecot.imaps_port, ssl_context=context, timeout=10) as imap:
        imap.login(ANNA, LOGINS[ANNA])
        yield imap


def test_sent_folder_is_marked(anna: imaplib.IMAP4) -> None:
    """The folder for sent mail is known by its mark (RFC 6154), not by its name."""
    assert b"SPECIAL-USE" in anna.capability()[1][-1].split()
    _, folders = anna.list()
    assert [folder for folder in folders if isinstance(folder, bytes) and b"\\Sent" in folder] == [
        b'(\\HasNoChildren \\Sent) "." Sent'
    ]


def test_append_and_search(anna: imaplib.IMAP4, dovecot: Dovecot) -> None:
    """A copy filed by APPEND is found by its Message-ID, and read back byte for byte."""
    assert anna.append("Sent", "\\Seen", "", LETTER)[0] == "OK"
    anna.select("Sent", readonly=True)
    assert anna.search(None, "HEADER", "Message-ID", "<1001@acme.example>") == ("OK", [b"1"])
    assert anna.search(None, "HEADER", "Message-ID", "<1002@acme.example>") == ("OK", [b""])
    assert dovecot.folder_of(ANNA, "Sent") == [LETTER]


def test_folders_are_empty_again(dovecot: Dovecot) -> None:
    """`clear`, which ran before this test, also emptied the folders; each address has its own."""
    assert [dovecot.folder_of(address, "Sent") for address in LOGINS] == [[], [], []]
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(OTTO, LOGINS[OTTO])
        imap.append("INBOX", "", "", LETTER)
    assert [dovecot.folder_of(address) for address in LOGINS] == [[], [], [LETTER]]
    dovecot.clear()
    assert dovecot.folder_of(OTTO) == []


def test_starttls_on_imap(dovecot: Dovecot, authority: Authority) -> None:
    """The other port offers STARTTLS, and all mechanisms behind it."""
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.starttls(authority.client_context())
        mechanisms = {name.removeprefix("AUTH=") for name in imap.capabilities if name.startswith("AUTH=")}
        assert mechanisms == {"PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}
        assert imap.login(ORDERS, LOGINS[ORDERS])[0] == "OK"


def test_wrong_password(dovecot: Dovecot) -> None:
    """A wrong password is refused."""
    with (
        imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        imap.login(ORDERS, "pw-anna")


def test_token(dovecot: Dovecot) -> None:
    """An access token opens the mailbox by XOAUTH2."""
    initial = f"user={ANNA}\x01auth=Bearer {dovecot.token(ANNA)}\x01\x01".encode()
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        assert imap.authenticate("XOAUTH2", lambda _: initial)[0] == "OK"
