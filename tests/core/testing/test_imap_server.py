"""The scripted IMAP server, as the standard library's client meets it."""

from __future__ import annotations

import imaplib

import pytest

from pillarbox.testing.imap_server import ImapServer, cut, nth, reset

USERS = {"anna@acme.example": "pw"}
LETTER = b"Message-ID: <1@acme.example>\r\nSubject: Invoice\r\n\r\nx\r\n"


def client(server):
    """Return a client that has signed in."""
    imap = imaplib.IMAP4(server.host, server.port, timeout=10)
    imap.login("anna@acme.example", "pw")
    return imap


def test_what_is_appended_is_found():
    """By any header that holds what is asked for."""
    with ImapServer(users=USERS) as server, client(server) as imap:
        assert imap.append('"Sent"', "(\\Seen)", None, LETTER)[0] == "OK"
        assert imap.select('"Sent"', readonly=True) == ("OK", [b"1"])
        assert imap.uid("SEARCH", 'HEADER Message-ID "<1@acme.example>"') == ("OK", [b"1"])
        assert imap.uid("SEARCH", 'HEADER Message-ID "<2@acme.example>"') == ("OK", [b""])
    assert server.folders["Sent"] == [LETTER]
    assert server.reached["append"] == server.connections == 1


def test_folders_are_listed_created_and_missed():
    """Each with its flags."""
    with ImapServer(users=USERS) as server, client(server) as imap:
        assert imap.list()[1] == [b'() "/" "INBOX"', b'(\\Sent) "/" "Sent"']
        assert imap.select('"Else"', readonly=True)[0] == "NO"
        assert b"TRYCREATE" in imap.append('"Else"', None, None, LETTER)[1][0]
        assert imap.create('"Else"')[0] == "OK"
        assert imap.append('"Else"', None, None, LETTER)[0] == "OK"
        assert imap.getquotaroot('"Else"')[1][1] == [b'"u" (STORAGE 10 1000)']
    assert server.folders["Else"] == [LETTER]


def test_a_wrong_password_is_refused():
    with ImapServer(users=USERS) as server:
        imap = imaplib.IMAP4(server.host, server.port, timeout=10)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            imap.login("anna@acme.example", "wrong")
        imap.logout()


@pytest.mark.parametrize("script", [cut, reset])
def test_a_script_takes_the_place_of_the_usual(script):
    """Here the second time alone."""
    with ImapServer(users=USERS, at={"noop": nth(2, script)}) as server:
        imap = client(server)
        assert imap.noop()[0] == "OK"
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            imap.noop()
        imap.shutdown()


def test_octets_are_said_with_the_tag():
    with ImapServer(users=USERS, at={"noop": b"* BYE\r\nTAG NO busy\r\n"}) as server:
        imap = client(server)
        with pytest.raises(imaplib.IMAP4.abort):
            imap.noop()
        imap.shutdown()
        assert server.heard(b"NOOP")
        assert b"LOGIN" in server.clear
