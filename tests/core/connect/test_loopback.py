"""The redirect to this computer: who is let through, once, and what the browser is shown."""

from __future__ import annotations

import contextlib
import http.server
import logging
import socket
import threading

import pytest

from pillarbox import Connection, Pending, Refused, RefusedReason, SettingsError
from pillarbox._connect.loopback import Listener, _Server, _servers, sentence
from tests.core.doubles import DEPLOYER
from tests.core.signing_in import ADMIN, ORDERS, Provider, office

STATE = "canary-state"
LEARNED = Connection(issuer="i", subject="1", address=ORDERS)


@pytest.fixture
def listener():
    with Listener() as found:
        found.expect(STATE)
        yield found


def asked(listener, target="/", *, method="GET", host=None, address="127.0.0.1", more=""):
    """Return what the listener answers, all of it; "" where it says nothing."""
    host = f"localhost:{listener.port}" if host is None else host
    with socket.create_connection((address, listener.port), timeout=20) as line:
        line.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        with line.makefile("rb") as answer:
            return answer.read().decode()


def unanswered(listener):
    """Return whether the connection is ended without a word."""
    try:
        return asked(listener, GOOD) == ""
    except ConnectionError:
        return True


class Browser(threading.Thread):
    """Follows a redirect, and keeps what it was shown."""

    def __init__(self, listener, target, **more):
        super().__init__(daemon=True)
        self.job = lambda: asked(listener, target, **more)
        self.shown = ""
        self.start()

    def run(self):
        self.shown = self.job()

    def page(self):
        self.join(30)
        return self.shown


GOOD = f"/?code=canary-code&state={STATE}"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_redirect_comes_on_either_address(listener, address):
    """A browser takes localhost for one of them; its parameters are handed on, and it is told what came of them."""
    if address == "::1" and len(listener._servers) == 1:
        pytest.skip("this machine has no IPv6")
    browser, given = Browser(listener, GOOD, address=address), []
    assert listener.wait(lambda found: given.append(found) or LEARNED, 30) is LEARNED
    assert given == [{"code": "canary-code", "state": STATE}]
    assert browser.page().startswith("HTTP/1.0 200 ")
    assert f"Connected as {ORDERS}. You can close this window." in browser.page()


def test_it_is_let_through_once(listener):
    """Whoever comes after it with the same state gets nothing."""
    browser = Browser(listener, GOOD)
    listener.wait(lambda _: LEARNED, 30)
    browser.page()
    assert asked(listener, GOOD).startswith("HTTP/1.0 404 ")


@pytest.mark.parametrize(
    "target",
    [
        "/?code=x&state=other",
        "/?code=x",
        "/",
        "/favicon.ico",
        f"/elsewhere?code=x&state={STATE}",
        f"/?state={STATE}&state={STATE}",
        f"/?code=x&state={STATE}&code=y",
        "/?state=%ff%00&x=%0d%0a",
        "//[",
    ],
)
def test_what_is_not_the_redirect_gets_nothing(listener, target):
    """And keeps it from nobody."""
    assert asked(listener, target).startswith("HTTP/1.0 404 ")
    browser = Browser(listener, GOOD)
    assert listener.wait(lambda _: LEARNED, 30) is LEARNED
    assert "Connected" in browser.page()


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "localhost", "localhost:1", "", "localhost:{port}, evil"]
)
def test_a_name_that_was_pointed_here_gets_nothing(listener, host):
    """A page in the browser reads no answer of ours by a name of its own."""
    assert asked(listener, GOOD, host=host.format(port=listener.port)).startswith("HTTP/1.0 404 ")


def test_two_names_are_none(listener):
    """As a proxy and a server might read them differently."""
    second = f"Host: localhost:{listener.port}\r\n"
    assert asked(listener, GOOD, more=second).startswith("HTTP/1.0 404 ")


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT"])
def test_only_a_get_is_answered(listener, method):
    """With nothing of what came."""
    answer = asked(listener, GOOD, method=method)
    assert answer.startswith("HTTP/1.0 501 ")
    assert "canary" not in answer


def test_nothing_is_expected_before_it_is_said():
    """The state of nobody is nobody's."""
    with Listener() as found:
        assert asked(found, "/?state=&code=x").startswith("HTTP/1.0 404 ")


def test_connections_that_say_nothing_keep_nobody_waiting(listener):
    """Browsers open some in case they need them."""
    idle = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(5)]
    browser = Browser(listener, GOOD)
    assert listener.wait(lambda _: LEARNED, 30) is LEARNED
    assert "Connected" in browser.page()
    for one in idle:
        one.close()


def test_a_crowd_is_let_go(listener):
    """So that nobody makes a thread for each of a million."""
    room = listener._servers[0]._room
    while room.acquire(blocking=False):
        pass
    assert unanswered(listener)
    room.release()
    browser = Browser(listener, GOOD)
    assert listener.wait(lambda _: LEARNED, 30) is LEARNED
    assert "Connected" in browser.page()


@pytest.mark.parametrize(
    "request_", [b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02" * 4 + b"\r\n\r\n"]
)
def test_what_is_no_request_is_refused(listener, request_):
    """A line without end, or TLS; the next is answered."""
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection(("127.0.0.1", listener.port), 20) as line,
    ):
        line.sendall(request_)
        with line.makefile("rb") as answer:
            assert b"200" not in answer.read()
    assert asked(listener, "/").startswith("HTTP/1.0 404 ")


def test_nobody_comes(listener):
    """It ends, and what comes later is not waited for."""
    assert listener.wait(lambda _: LEARNED, 0.01) == Pending()
    assert asked(listener, GOOD).startswith("HTTP/1.0 404 ")


def test_what_went_wrong_is_told_to_both(listener):
    """The caller gets the error; the browser a page without its text."""

    def broken(_):
        raise SettingsError("canary <b>words</b>")

    browser = Browser(listener, GOOD)
    with pytest.raises(SettingsError):
        listener.wait(broken, 30)
    assert "That did not work" in browser.page()
    assert "canary" not in browser.page()


def test_a_page_shows_text_as_text(listener):
    """A provider's words, or an address, open no tag; and no other page frames or reads it."""
    refused = Refused(reason=RefusedReason.FAILED, detail="<script>alert(1)</script>", cure='"&')
    browser = Browser(listener, GOOD)
    listener.wait(lambda _: refused, 30)
    page = browser.page()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "Content-Security-Policy: default-src 'none'" in page
    assert "Referrer-Policy: no-referrer" in page


def test_nothing_is_logged(listener, capfd, caplog):
    """The path holds the code."""
    caplog.set_level(logging.DEBUG)
    browser = Browser(listener, GOOD)
    listener.wait(lambda _: LEARNED, 30)
    browser.page()
    asked(listener, "/?code=canary")
    out, err = capfd.readouterr()
    assert "canary" not in out + err + caplog.text


def test_a_port_that_another_program_has_on_one_address_is_given_up(monkeypatch):
    """It would get what is meant for us."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    made, taken = [], socket.socket(socket.AF_INET6)

    class First(_Server):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)
            if len(made) == 1:
                taken.bind(("::1", self.server_address[1]))

    monkeypatch.setattr("pillarbox._connect.loopback._Server", First)
    with taken:
        found = _servers(http.server.BaseHTTPRequestHandler)
        for one in found:
            one.server_close()
    assert found[0] is made[1]


def test_what_is_not_finished_is_told_too():
    """For a page that polls."""
    assert sentence(Pending()) == "Not finished yet."


def test_a_desktop_signs_in_through_its_browser():
    """From the page to the row in the vault; the browser may be back before anybody waits for it."""
    provider = Provider()
    mailer, pages = office(provider), []

    def show(url):
        back = provider.page(url)
        port = int(back.partition("localhost:")[2].partition("?")[0])
        fake = type("Known", (), {"port": port})
        pages.append(Browser(fake, "/?" + back.partition("?")[2]))

    found = mailer.connect_here(by=ADMIN, show=show, timeout=30)
    assert (found.address, "Connected" in pages[0].page()) == (ORDERS, True)


def test_a_desktop_where_nobody_signs_in():
    """Time passes, and that is told."""
    found = office(Provider()).connect_here(by=ADMIN, show=lambda _: None, timeout=0.01)
    assert found.reason is RefusedReason.EXPIRED


def test_a_desktop_where_nobody_has_anything_to_do():
    """No browser is opened."""
    mailer = office(Provider(), app={"client_id": "x", "tenant": "ambient"})
    assert mailer.connect_here(by=DEPLOYER, show=lambda _: pytest.fail("opened")).address == ORDERS
