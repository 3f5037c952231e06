"""Autoconfig documents, good, odd and hostile."""

from __future__ import annotations

import pytest

from pillarbox._suggestion.evidence import Server
from pillarbox._suggestion.reading import MOST, Unreadable, outgoing

from .site import GOOD

ADDRESS = "anna@acme.example"
FIELDS = {
    "hostname": "smtp.acme.example", "port": "587", "socketType": "STARTTLS",
    "authentication": "password-cleartext", "username": "%EMAILADDRESS%",
}  # fmt: skip


def server(**fields: str) -> str:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in {**FIELDS, **fields}.items())
    return f'<outgoingServer type="smtp">{inside}</outgoingServer>'


def document(*servers: str) -> bytes:
    return f"<clientConfig><emailProvider>{''.join(servers)}</emailProvider></clientConfig>".encode()


def read(*servers: str) -> tuple[Server, ...]:
    return outgoing(document(*servers), ADDRESS, "there")


def test_the_servers_for_sending_are_read():
    """With what they say, and where."""
    one = Server(host="smtp.acme.example", port=465, encryption="tls", source="there")
    assert outgoing(GOOD, ADDRESS, "there") == (one,)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("%EMAILADDRESS%", ""), ("%EMAILLOCALPART%", "anna"), ("%EMAILLOCALPART%_%EMAILDOMAIN%", "anna_acme.example"), ("apikey", "apikey")],
)  # fmt: skip
def test_placeholders_are_filled(said, meant):
    """The address itself needs no word."""
    assert read(server(username=said))[0].username == meant


def test_a_server_that_wants_nobody_to_sign_in():
    """Says none, or goes by the address of the client."""
    assert [read(server(authentication=way))[0].authenticate for way in ("none", "client-IP-address")] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"hostname": "127.0.0.1"}, {"hostname": "[::1]"}, {"hostname": "localhost"}, {"hostname": "printer.local"},
        {"hostname": "a b.example"}, {"hostname": "smtp.acme.example&#10;evil"}, {"hostname": "smtp\u202e.example"},
        {"hostname": "--config=x"}, {"hostname": ""}, {"hostname": "x" * 300 + ".example"},
        {"port": "99999"}, {"port": "0"}, {"port": "-1"}, {"port": "587; rm"}, {"port": "\u0665\u0668\u0667"}, {"port": ""},
        {"socketType": "plain"}, {"socketType": ""}, {"authentication": "OAuth2"}, {"authentication": "GSSAPI"},
        {"username": "a b"}, {"username": "a&#13;b"}, {"username": "x" * 300},
    ],
    ids=str,
)  # fmt: skip
def test_a_server_with_a_value_that_can_not_be_is_left_out(fields):
    """Those beside it stay."""
    assert [one.port for one in read(server(**fields), server(port="2587"))] == [2587]


def test_what_is_no_server_for_sending_is_passed_over():
    """Another type, another place, another document within."""
    good = server()
    assert read(good.replace('type="smtp"', 'type="exchange"')) == ()
    assert outgoing(f"<clientConfig>{good}</clientConfig>".encode(), ADDRESS, "") == ()


def test_of_many_servers_the_first_are_taken():
    """An endless list is cut."""
    assert len(read(*(server(port=str(port)) for port in range(1000, 1100)))) == MOST


LAUGHS = b"""<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<clientConfig>&c;</clientConfig>"""
FILE = b'<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><clientConfig>&x;</clientConfig>'


@pytest.mark.parametrize(
    "hostile", [LAUGHS, FILE, b'<!DOCTYPE c SYSTEM "http://evil.example/"><clientConfig/>']
)
def test_a_document_type_is_refused(hostile):
    """With it come entities, other files, and documents without end."""
    with pytest.raises(Unreadable, match="document type"):
        outgoing(hostile, ADDRESS, "")
    with pytest.raises(Unreadable, match="document type"):
        outgoing(hostile.decode().encode("utf-16"), ADDRESS, "")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"<html><body>Not found</body></html>", "not an autoconfig"), (b"", "not XML"), (b"\x00\xff", "not XML"),
        (b"<!doctype html><html>", "not XML"), (b"<clientConfig>", "not XML"), (b"<clientConfig>&nbsp;</clientConfig>", "not XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>', "not XML"), (b"<a>" * 5_000, "too deep"),
    ],
)  # fmt: skip
def test_what_is_no_such_document_is_refused(octets, why):
    """In a sentence of ours; nothing of it is repeated."""
    with pytest.raises(Unreadable, match=why):
        outgoing(octets, ADDRESS, "")
