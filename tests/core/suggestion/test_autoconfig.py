"""The web site of a domain, friendly and hostile, by real https on loopback."""

from __future__ import annotations

import ssl
import time

import pytest

from pillarbox._suggestion.autoconfig import MOST_OCTETS, NoDocument, Web, places

from .site import DOMAIN, GOOD, Elsewhere, Site, answer, drip, flood, here, trusting

HOST = f"autoconfig.{DOMAIN}"


def fetched(site: Site, *, timeout: float = 5.0) -> bytes:
    return here(site).fetch(HOST, "/mail/config-v1.1.xml", timeout=timeout)


def test_a_document_is_fetched_and_the_address_is_not_told():
    """Whoever runs the site learns the domain alone."""
    with Site(answer(GOOD)) as site:
        assert fetched(site) == GOOD
    assert site.asked[0].splitlines()[:2] == ["GET /mail/config-v1.1.xml HTTP/1.0", f"Host: {HOST}"]
    assert "@" not in site.asked[0]


def test_the_places_are_those_of_the_domain():
    """By https, at two hosts."""
    assert [host for host, _ in places(DOMAIN)] == [HOST, DOMAIN]


def test_a_document_in_chunks_or_without_a_length_is_read():
    """Some answer so although HTTP/1.0 was spoken."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<a/> \r\n0\r\n\r\n"
    for octets, body in ((chunked, b"<a/> "), (b"HTTP/1.0 200 OK\r\n\r\n<a/>", b"<a/>")):
        with Site(octets) as site:
            assert fetched(site) == body


@pytest.mark.parametrize(
    "octets",
    [
        answer(b"", "301 Moved", "Location: http://autoconfig.acme.example/"),
        answer(b"", "302 Found", "Location: https://127.0.0.1/"),
        answer(b"", "302 Found", "Location: https://autoconfig.acme.example/other"),
        answer(b"", "404 Not Found"),
        answer(b"x" * (MOST_OCTETS + 1)),
        answer(b"x" * 10_000_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
    ids=["to-http", "to-loopback", "to-itself", "404", "64k", "10mb", "chunk", "cut", "headers", "ssh", "nothing"],
)  # fmt: skip
def test_what_is_no_document_is_none(octets):
    """Redirects are not followed, and nothing more is read than a document may have."""
    with Site(octets) as site, pytest.raises(NoDocument):
        fetched(site)
    assert len(site.asked) == 1


def test_a_site_that_trickles_is_left_in_time():
    """The limit is for all of the answer, not for each octet."""
    started = time.monotonic()
    with Site(talk=drip) as site, pytest.raises(NoDocument):
        fetched(site, timeout=0.5)
    assert time.monotonic() - started < 1.5


def test_an_answer_without_end_is_left_once_it_is_too_large():
    """Long before the time is over."""
    started = time.monotonic()
    with Site(talk=flood) as site, pytest.raises(NoDocument):
        fetched(site, timeout=20)
    assert time.monotonic() - started < 5


def test_a_certificate_of_another_is_not_taken():
    """Neither one by an authority that nobody knows, nor one for another name."""
    with Site(answer(GOOD)) as site:
        for web, host in (
            (Web(here(site).network, port=site.port), HOST),
            (here(site), "autoconfig.other.example"),
        ):
            with pytest.raises(NoDocument):
                web.fetch(host, "/", timeout=5)
    assert site.asked == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_never_connected(address):
    """The address that would be connected is looked at (rule 38); the time is that of any other failure."""
    with Site(answer(GOOD)) as site:
        web = Web(Elsewhere(trusted=False, address=address), trusting, site.port)
        started = time.monotonic()
        with pytest.raises(NoDocument):
            web.fetch(HOST, "/", timeout=0.5)
        assert 0.4 < time.monotonic() - started < 1.5
    assert site.asked == []


def test_http_is_not_spoken():
    """A site that speaks clear text on the port is none."""
    assert isinstance(Web().trust(), ssl.SSLContext)
    assert Web().port == 443
