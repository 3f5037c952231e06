"""The SMTP transport through real proxies to a real server, and what it makes of each one's refusals."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from pillarbox import Account, Finding, Journal, Level, PillarboxError, Receipt, SendDeferred, SignInNeeded
from pillarbox.settings import Secret
from pillarbox_smtp import Encryption, SmtpTransport
from tests.services._client import CUSTOMER, LETTER, ORDERS
from tests.services._proxy import PROXY_PASSWORD, PROXY_USER, Dante, Microsocks, RealProxy, Tinyproxy, leading
from tests.services._smtp import Password, submission, transport_to
from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Postfix

pytestmark = pytest.mark.services
Connect = Callable[..., SmtpTransport]


class Passwords(Password):
    """Credentials with a password for the server, and one for the proxy."""

    def __init__(self, of_proxy: str) -> None:
        super().__init__(LOGINS[ORDERS])
        self._of_proxy = of_proxy

    def secret(self, name: str) -> str:
        return self._of_proxy if name == "proxy_password" else super().secret(name)


@pytest.fixture(scope="module", params=[Dante, Microsocks, Tinyproxy], ids=lambda kind: kind.name)
def proxy(request: pytest.FixtureRequest, postfix: Postfix) -> Iterator[RealProxy]:
    """Each proxy, leading to Postfix's STARTTLS port."""
    with leading(request.param(postfix.starttls_port)) as started:
        yield started


@pytest.fixture
def connect(postfix: Postfix, authority: Authority, proxy: RealProxy) -> Iterator[Connect]:
    """Make a transport through the proxy, with further settings; it is closed with the test."""
    with ExitStack() as running:

        def make(of_proxy: str = PROXY_PASSWORD, **given: Any) -> SmtpTransport:
            signs_in = {"proxy_username": PROXY_USER, "proxy_password": Secret(env="PROXY")}
            through = {"proxy": proxy.url} | (signs_in if proxy.signs_in else {})
            transport = transport_to(postfix, authority, **(through | given))
            transport.credentials = Passwords(of_proxy)
            running.callback(transport.close)
            return transport

        yield make


def _outcome(transport: SmtpTransport) -> Receipt | PillarboxError:
    try:
        return transport.send(submission(), Journal())
    except PillarboxError as error:
        return error


def _found(transport: SmtpTransport) -> Mapping[str, Finding]:
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    return {finding.stage: finding for finding in transport.check()}


def test_octets_arrive_as_they_are(connect: Connect, postfix: Postfix) -> None:
    """Under TLS to the server itself, whose certificate is verified, and signed in there."""
    transport = connect()
    assert isinstance(_outcome(transport), Receipt)
    assert isinstance(_outcome(transport), Receipt)
    assert [mail.sent for mail in postfix.inbox(CUSTOMER, at_least=2)] == [LETTER] * 2


def test_check_tells_of_it(connect: Connect, proxy: RealProxy) -> None:
    """A stage of its own, and all those of the server behind it."""
    found = _found(connect())
    signed_in = f", signed in as {PROXY_USER}" if proxy.signs_in else ""
    assert found["proxy"].seen == f"{proxy.url} answered{signed_in}"
    assert {one.level for stage, one in found.items() if stage != "dns"} == {Level.OK}


def test_what_the_proxy_sees(connect: Connect, proxy: RealProxy) -> None:
    """Neither its log nor the transcript holds a password, the server's or the proxy's own."""
    lines: list[str] = []
    transport = connect()
    transport.trace = lines.append
    _outcome(transport)
    basic = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode()).decode()
    for secret in (PROXY_PASSWORD, basic, LOGINS[ORDERS]):
        assert secret not in "\n".join(lines)
        assert secret not in proxy.log()


def test_a_port_that_it_may_not_lead_to(connect: Connect, postfix: Postfix, proxy: RealProxy) -> None:
    """The proxy answered; its rules are what is told, with whom to ask."""
    if not proxy.forbids:
        assert isinstance(_outcome(connect(port=postfix.tls_port, encryption=Encryption.TLS)), Receipt)
        return
    found = _found(connect(port=postfix.tls_port, encryption=Encryption.TLS))
    assert (found["proxy"].code, found["connect"].code) == ("proxy-answered", "connect-forbidden-by-proxy")
    assert "Have the proxy allow" in found["connect"].cure


def test_nobody_answers_behind_it(postfix: Postfix, authority: Authority, proxy: RealProxy) -> None:
    """Nothing left; it may later."""
    with socket.socket() as probe, leading(type(proxy)(_free(probe))) as elsewhere:
        probe.close()
        transport = transport_to(postfix, authority, proxy=elsewhere.url, port=elsewhere.allowed)
        if proxy.signs_in:
            signs_in = {"proxy_username": PROXY_USER, "proxy_password": Secret(env="PROXY")}
            transport.settings = attrs.evolve(transport.settings, **signs_in)
        transport.credentials = Passwords(PROXY_PASSWORD)
        error = _outcome(transport)
    assert isinstance(error, SendDeferred)
    assert vars(error)["finding"] == "connect-failed-by-proxy"


def _free(probe: socket.socket) -> int:
    probe.bind(("127.0.0.1", 0))
    return int(probe.getsockname()[1])


def test_a_name_that_it_does_not_know(connect: Connect) -> None:
    """The proxy looks names up, and says so in whatever words."""
    transport = connect()
    transport.settings = attrs.evolve(transport.settings, server="mail.unknown.invalid")
    error = _outcome(transport)
    assert isinstance(error, SendDeferred)
    assert vars(error)["finding"] in {"connect-failed-by-proxy", "connect-forbidden-by-proxy"}


def test_a_sign_in_that_is_wrong_or_missing(connect: Connect, proxy: RealProxy) -> None:
    """A person has to mend it: it is not tried again, and no message fails for it."""
    if not proxy.signs_in:
        with_one = connect(proxy_username=PROXY_USER, proxy_password=Secret(env="PROXY"))
        assert isinstance(_outcome(with_one), Receipt), "a sign-in that nobody asks for does no harm"
        return
    wrong = _outcome(connect("wrong"))
    missing = _outcome(connect(proxy_username="", proxy_password=None))
    assert isinstance(wrong, SignInNeeded)
    assert isinstance(missing, SignInNeeded)
    codes = (vars(wrong)["finding"], vars(missing)["finding"])
    assert codes == ("proxy-sign-in-refused", "proxy-sign-in-needed")
