"""Mail through a proxy: what reaches the server, and what it means when the proxy does not lead there."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import attrs
import pytest

from pillarbox import (
    Account,
    Finding,
    Journal,
    Level,
    Network,
    PillarboxError,
    Receipt,
    Secret,
    SendDeferred,
    SignInNeeded,
)
from pillarbox.testing.smtp_server import ScriptedServer
from pillarbox_smtp import Encryption, SmtpTransport
from pillarbox_smtp.check import FINDINGS, STAGES
from pillarbox_smtp.proxies import Proxy
from pillarbox_smtp.tunnel import LARGEST_HEAD, Tunnel
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known, submission
from tests.plugins.smtp.proxying import (
    PROXY_PASSWORD,
    USER,
    ScriptedProxy,
    Speak,
    drips,
    is_silent,
    resets,
    resets_once_spoken_to,
    says,
)

KINDS = ("socks5", "http")
Open = Callable[..., ScriptedProxy]


@pytest.fixture
def proxy() -> Iterator[Open]:
    """Start a scripted proxy; it stops with the test."""
    with ExitStack() as running:

        def start(kind: str, **given: Any) -> ScriptedProxy:
            return running.enter_context(ScriptedProxy(kind, **given))

        yield start


class Secrets(Known):
    """Credentials that hold a password for the proxy as well."""

    def secret(self, name: str) -> str:
        return PROXY_PASSWORD if name == "proxy_password" else super().secret(name)


def by(proxy: ScriptedProxy, **more: Any) -> dict[str, Any]:
    """Return the settings that lead through *proxy*, with its sign-in where it wants one."""
    signs_in = {"proxy_username": USER, "proxy_password": Secret(env="PROXY_PASSWORD")} if proxy.users else {}
    return {"proxy": proxy.url, **signs_in, **more}


def named(transport: SmtpTransport, host: str) -> SmtpTransport:
    """Return *transport* with *host* as the name of its server."""
    transport.settings = attrs.evolve(transport.settings, server=host)
    return transport


def outcome(transport: SmtpTransport) -> Receipt | PillarboxError:
    """Return what came of one message."""
    transport.credentials = Secrets()
    try:
        return transport.send(submission(), Journal())
    except PillarboxError as error:
        return error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("users", [{}, {USER: PROXY_PASSWORD}], ids=["open", "signed in"])
def test_mail_goes_through(
    serve: Serve, connect: Connect, proxy: Open, kind: str, users: dict[str, str]
) -> None:
    """The server gets the message, the greeting that came with the proxy's answer included."""
    server, way = serve(), proxy(kind, users=users)
    assert isinstance(outcome(connect(server, **by(way))), Receipt)
    assert way.asked == [("127.0.0.1", server.port)]
    assert len(server.received) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_looked_up_by_the_proxy(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """A deployer's server may have a name that is known behind the proxy only."""
    server, way = serve(), proxy(kind, leads_to={"mail.inside.example": "127.0.0.1"})
    assert isinstance(outcome(named(connect(server, **by(way)), "mail.inside.example")), Receipt)
    assert way.asked == [("mail.inside.example", server.port)]


@pytest.mark.parametrize("kind", KINDS)
def test_tls_reaches_to_the_server(
    serve: Serve, connect: Connect, proxy: Open, server_tls: ssl.SSLContext, ca_file: str, kind: str
) -> None:
    """The certificate is the server's, and the proxy hears nothing of the mail or the password."""
    server = serve(tls=server_tls, users={ORDERS: PASSWORD})
    way = proxy(kind)
    transport = connect(server, username=ORDERS, encryption=Encryption.STARTTLS, ca_file=ca_file, **by(way))
    assert isinstance(outcome(transport), Receipt)
    assert PASSWORD.encode() not in way.heard


@pytest.mark.parametrize("kind", KINDS)
def test_no_password_in_clear_behind_a_proxy(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """The proxy is on this machine; where it leads to need not be."""
    server, way = serve(users={ORDERS: PASSWORD}), proxy(kind)
    transport = connect(server, username=ORDERS, **by(way))
    error = outcome(transport)
    assert isinstance(error, SendDeferred)
    assert "a password is not sent like that" in error.detail
    assert isinstance(transport.credentials, Known)
    assert transport.credentials.asked == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_a_person_typed_is_looked_up_here(
    serve: Serve, connect: Connect, proxy: Open, kind: str
) -> None:
    """The proxy gets the address that was checked: it can't be led to another machine by a name."""
    server, way = serve(), proxy(kind)
    transport = named(connect(server, **by(way)), "localhost")
    transport.network = Network(trusted=False, private=("127.0.0.0/8",))
    assert isinstance(outcome(transport), Receipt)
    assert way.asked == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["localhost", "169.254.169.254"])
def test_a_person_can_not_look_around_behind_the_proxy(
    serve: Serve, connect: Connect, proxy: Open, kind: str, host: str
) -> None:
    """Inside addresses are refused, though the proxy would lead there, and it is not even asked."""
    way = proxy(kind)
    transport = named(connect(serve(), timeout=0.1, **by(way)), host)
    transport.network = Network(trusted=False)
    error = outcome(transport)
    assert isinstance(error, SendDeferred)
    assert (error.stage, way.asked) == ("connect", [])


SOCKS_NO = {
    b"\x05\x01\x00": "connect-failed-by-proxy",
    b"\x05\x02\x00": "connect-forbidden-by-proxy",
    b"\x05\x05\x00": "connect-failed-by-proxy",
    b"\x05\x08\x00": "connect-failed-by-proxy",
    b"\x05\x63\x00": "proxy-garbage",
    b"\x04\x00\x00": "proxy-garbage",
    b"\x05\x00\x07": "proxy-garbage",
    b"\x05\x00\x00\x09": "proxy-garbage",
    b"\x05\x00\x00\x03\x04\xff\xff\xff\xff\x00\x00": "proxy-garbage",
    b"\x05\x00\x00\x03": "connect-failed-by-proxy",
    b"": "connect-failed-by-proxy",
}
HTTP_NO = {
    b"HTTP/1.1 403 canary\r\n\r\n": "connect-forbidden-by-proxy",
    b"HTTP/1.0 405 No\r\nX: y\r\n\r\n": "connect-forbidden-by-proxy",
    b"HTTP/1.1 502 Bad\r\n\r\n": "connect-failed-by-proxy",
    b"HTTP/1.1 999 \r\n\r\n": "connect-failed-by-proxy",
    b"HTTP/1.1 200": "connect-failed-by-proxy",
    b"": "connect-failed-by-proxy",
    b"220 mail.example ESMTP\r\n\r\n": "proxy-garbage",
    b"HTTP/1.1 two\r\n\r\n": "proxy-garbage",
    b"HTTP/1.1\r\n\r\n": "proxy-garbage",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * LARGEST_HEAD: "proxy-garbage",
    b"\x05\x00": "proxy-garbage",
}
NO = [("socks5", said, code) for said, code in SOCKS_NO.items()] + [("http", *row) for row in HTTP_NO.items()]


@pytest.mark.parametrize(("kind", "said", "code"), NO, ids=[f"{kind}-{said[:24]!r}" for kind, said, _ in NO])
def test_what_the_proxy_says_instead(
    serve: Serve, connect: Connect, proxy: Open, kind: str, said: bytes, code: str
) -> None:
    """Nothing left, it may later; whether the proxy is at fault or the way to the server is told apart."""
    way = proxy(kind, at={"connect": says(said)})
    transport = connect(serve(), timeout=20.0, **by(way))
    error = outcome(transport)
    assert isinstance(error, SendDeferred)
    assert (error.stage, vars(error)["finding"]) == (code.partition("-")[0], code)
    assert error.cure
    assert "canary" not in repr(error)


@pytest.mark.parametrize(
    ("point", "speak", "code"),
    [
        ("begin", says(b""), "proxy-closed"),
        ("begin", resets_once_spoken_to, "proxy-closed"),
        ("methods", says(b"\x05"), "proxy-closed"),
        ("methods", says(b"HTTP/1.1 400 Bad Request\r\n"), "proxy-garbage"),
        ("methods", says(b"\x05\x01"), "proxy-garbage"),
        ("auth", says(b""), "proxy-closed"),
        ("auth", says(b"\x05\x00"), "proxy-garbage"),
        ("connect", resets, "connect-failed-by-proxy"),
    ],
)
def test_a_cut_in_the_handshake(
    serve: Serve, connect: Connect, proxy: Open, point: str, speak: Speak, code: str
) -> None:
    """Wherever it breaks, the stage says how far it had got."""
    users = {USER: PROXY_PASSWORD} if point == "auth" else {}
    error = outcome(connect(serve(), **by(proxy("socks5", users=users, at={point: speak}))))
    assert isinstance(error, SendDeferred)
    assert vars(error)["finding"] == code


@pytest.mark.parametrize(
    ("kind", "start"), [("socks5", b"\x05\x00\x00\x03\xff"), ("http", b"HTTP/1.1 200 OK\r\n")]
)
def test_drips(serve: Serve, connect: Connect, proxy: Open, kind: str, start: bytes) -> None:
    """An octet now and then, which would go on for ten seconds, does not keep us waiting: one deadline counts."""
    over = threading.Event()
    way = proxy(kind, at={"connect": drips(start, over)})
    error = outcome(connect(serve(), timeout=0.4, **by(way)))
    over.set()
    assert isinstance(error, SendDeferred)
    assert "did not answer in time when it was asked for 127.0.0.1:" in error.detail


@pytest.mark.parametrize(
    ("kind", "point", "code"),
    [
        ("socks5", "begin", "proxy-silent"),
        ("socks5", "methods", "proxy-silent"),
        ("socks5", "connect", "connect-failed-by-proxy"),
        ("http", "begin", "connect-failed-by-proxy"),
        ("http", "connect", "connect-failed-by-proxy"),
    ],
)
def test_silence(serve: Serve, connect: Connect, proxy: Open, kind: str, point: str, code: str) -> None:
    """One deadline covers the proxy's part too."""
    over = threading.Event()
    error = outcome(connect(serve(), timeout=0.3, **by(proxy(kind, at={point: is_silent(over)}))))
    over.set()
    assert isinstance(error, SendDeferred)
    assert vars(error)["finding"] == code


@pytest.mark.parametrize("kind", KINDS)
def test_a_sign_in_that_the_proxy_wants(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """Without one, a person has to set it; nothing is tried in its place."""
    way = proxy(kind, users={USER: "another"})
    error = outcome(connect(serve(), proxy=way.url))
    assert isinstance(error, SignInNeeded)
    assert (error.stage, vars(error)["finding"]) == ("proxy", "proxy-sign-in-needed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sign_in_that_the_proxy_refuses(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """It is tried once, the account waits for a person, and the password shows nowhere."""
    way = proxy(kind, users={USER: "another"})
    lines: list[str] = []
    transport = connect(serve(), trace=lines.append, **by(way))
    error = outcome(transport)
    assert isinstance(error, SignInNeeded)
    assert (error.stage, vars(error)["finding"]) == ("proxy", "proxy-sign-in-refused")
    assert way.heard.count(PROXY_PASSWORD.encode()) + way.heard.count(b"Proxy-Authorization") == 1
    encoded = base64.b64encode(f"{USER}:{PROXY_PASSWORD}".encode()).decode()
    shown = repr(error) + repr(vars(error)) + "".join(lines)
    assert PROXY_PASSWORD not in shown
    assert encoded not in shown


def test_a_sign_in_that_is_refused_by_401(serve: Serve, connect: Connect, proxy: Open) -> None:
    """Some proxies answer as a web server would (tinyproxy); it is a sign-in all the same."""
    way = proxy("http", users={USER: PROXY_PASSWORD}, at={"connect": says(b"HTTP/1.1 401 canary\r\n\r\n")})
    error = outcome(connect(serve(), **by(way)))
    assert isinstance(error, SignInNeeded)
    assert vars(error)["finding"] == "proxy-sign-in-refused"
    assert "canary" not in repr(error)


@pytest.mark.parametrize(
    ("kind", "username", "password"),
    [
        ("socks5", "anna", "canary-pässword"),
        ("socks5", "anna", "canary" * 50),
        ("http", "anna", "canary-密码"),
        ("http", "an:na", "canary"),
    ],
)
def test_a_sign_in_that_can_not_be_sent(kind: str, username: str, password: str) -> None:
    """It is refused before any network, and without the library's error, which would hold the password."""
    tunnel = Tunnel(Proxy(kind, "127.0.0.1", 9), username, password)
    with pytest.raises(SignInNeeded, match="can't be sent") as caught:
        tunnel("mail.example", 25, 5.0)
    assert "canary" not in repr(caught.value) + repr(caught.value.__context__)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_not_there(serve: Serve, connect: Connect, kind: str) -> None:
    """It is named, and is not mistaken for the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = outcome(connect(serve(), proxy=f"{kind}://127.0.0.1:{port}"))
    assert isinstance(error, SendDeferred)
    assert (error.stage, vars(error)["finding"]) == ("proxy", "proxy-unreachable")


def _check(connect: Connect, server: ScriptedServer, **given: Any) -> Mapping[str, Finding]:
    transport = connect(server, **given)
    transport.credentials = Secrets()
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    findings = list(transport.check())
    assert {finding.code for finding in findings} <= FINDINGS.keys()
    assert [finding.stage for finding in findings if finding.level is not Level.SKIP] == sorted(
        (finding.stage for finding in findings if finding.level is not Level.SKIP), key=STAGES.index
    )
    return {finding.stage: finding for finding in findings}


@pytest.mark.parametrize("kind", KINDS)
def test_check_tells_of_the_proxy(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """A stage of its own, before the server's."""
    way = proxy(kind, users={USER: PROXY_PASSWORD})
    found = _check(connect, serve(), **by(way))
    assert tuple(sorted(found, key=STAGES.index)) == STAGES
    assert (found["dns"].code, found["proxy"].code) == ("dns-by-proxy", "proxy-answered")
    assert found["proxy"].seen == f"{way.url} answered, signed in as {USER}"
    assert found["reset"].level is Level.OK


@pytest.mark.parametrize("kind", KINDS)
def test_check_tells_a_proxy_that_fails(serve: Serve, connect: Connect, proxy: Open, kind: str) -> None:
    """With a code, a cure and the exit code of a sign-in."""
    found = _check(connect, serve(), proxy=proxy(kind, users={USER: "x"}).url)
    assert (found["proxy"].code, found["proxy"].exit_code) == ("proxy-sign-in-needed", 77)
    assert found["proxy"].cure == "Set proxy_username and proxy_password."
    assert found["connect"].level is Level.SKIP


@pytest.mark.parametrize(("kind", "said"), [("socks5", b"\x05\x05\x00"), ("http", b"HTTP/1.1 500 x\r\n\r\n")])
def test_check_tells_a_proxy_that_does_not_lead_there(
    serve: Serve, connect: Connect, proxy: Open, kind: str, said: bytes
) -> None:
    """The proxy answered; the server did not."""
    found = _check(connect, serve(), **by(proxy(kind, at={"connect": says(said)})))
    assert (found["proxy"].level, found["connect"].level) == (Level.OK, Level.FAIL)
    assert found["connect"].code == "connect-failed-by-proxy"
    assert found["tls"].code == "not-reached"


@pytest.mark.parametrize("host", ["localhost", "mail.unknown.invalid"])
def test_check_tells_a_person_nothing_of_what_was_not_asked(
    serve: Serve, connect: Connect, proxy: Open, host: str
) -> None:
    """A proxy that nobody asked is not said to have answered, and forbidden looks like unknown."""
    way = proxy("socks5")
    transport = named(connect(serve(), timeout=0.1, **by(way)), host)
    transport.network = Network(trusted=False)
    found = {one.stage: one for one in transport.check()}
    assert (found["proxy"].level, found["proxy"].code, way.asked) == (Level.SKIP, "proxy-not-told", [])
    assert found["connect"].level is Level.FAIL


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_is_not_accepted_is_looked_at_through_the_proxy(
    serve: Serve, connect: Connect, proxy: Open, server_tls: ssl.SSLContext, kind: str
) -> None:
    """The second look goes the same way, and signs in to the proxy too."""
    way = proxy(kind, users={USER: PROXY_PASSWORD})
    error = outcome(connect(serve(tls=server_tls), encryption=Encryption.STARTTLS, **by(way)))
    assert isinstance(error, SendDeferred)
    assert "It is for 127.0.0.1, localhost" in error.detail or "fingerprint" in error.detail
    assert len(way.asked) == 2
