"""Opening a line: nothing is said in clear that was not to be, and no credential goes by a weaker way than allowed."""

from __future__ import annotations

import base64
import socket
import ssl
from typing import Any

import attrs
import pytest

from pillarbox import Journal, Network, SendDeferred, SendError, SettingsError, SignInNeeded
from pillarbox.testing.smtp_server import Behaviour, Nth, Raw, Reply, ScriptedServer, Turn, Without
from pillarbox_smtp import Encryption, SmtpTransport
from pillarbox_smtp.judgement import finding_of
from pillarbox_smtp.line import Line, is_loopback, literal
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, TOKEN, Known, signing_in, submission


def _refusal(transport: SmtpTransport) -> SendError:
    with pytest.raises(SendError) as caught:
        transport.send(submission(), Journal())
    return caught.value


def _nothing_secret(server: ScriptedServer) -> bool:
    said = b"".join(heard.octets for heard in server.log)
    return not server.heard("mail") and not server.heard("auth") and PASSWORD.encode() not in said


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_signs_in_under_tls(
    serve: Serve,
    connect: Connect,
    server_tls: ssl.SSLContext,
    ca_file: str,
    users: dict[str, str],
    encryption: Encryption,
) -> None:
    """The credential goes under TLS only, and the message as the one who signed in."""
    server = serve(tls=server_tls, users=users, implicit_tls=encryption is Encryption.TLS)
    connect(server, username=ORDERS, encryption=encryption, ca_file=ca_file).send(submission(), Journal())
    assert [(message.tls, message.authenticated_as) for message in server.accepted] == [(True, ORDERS)]
    assert server.clear in {b"", b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n"}


def test_starttls_that_vanished(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """STARTTLS chosen and not offered: no credential, no MAIL, not a word more, and the cure."""
    server = serve(users=users)
    error = _refusal(connect(server, username=ORDERS, encryption=Encryption.STARTTLS))
    assert (type(error), error.stage, finding_of(error, "")) == (SendDeferred, "tls", "tls-not-offered")
    assert "encryption = tls" in error.cure
    assert server.clear == b"EHLO [127.0.0.1]\r\n"


def test_offer_in_clear_is_forgotten(
    serve: Serve, connect: Connect, server_tls: ssl.SSLContext, ca_file: str, users: dict[str, str]
) -> None:
    """What was offered before TLS and not again under it does not count (RFC 3207 4.2)."""
    before = Reply(250, "mail.example", "AUTH PLAIN", "STARTTLS")
    server = serve(tls=server_tls, users=users, at={"ehlo": before, "ehlo-after-tls": Without("AUTH")})
    error = _refusal(connect(server, username=ORDERS, encryption=Encryption.STARTTLS, ca_file=ca_file))
    assert (type(error), finding_of(error, "")) == (SendDeferred, "sign-in-not-offered")
    assert _nothing_secret(server)


def test_no_mail_without_the_sign_in_that_was_asked_for(serve: Serve, connect: Connect) -> None:
    """A server that offers no AUTH gets no mail from an account that authenticates."""
    server = serve()
    error = _refusal(connect(server, username=ORDERS))
    assert (type(error), finding_of(error, "")) == (SendDeferred, "sign-in-not-offered")
    assert _nothing_secret(server)


def test_in_clear_to_this_machine_alone(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """Over loopback the password may go in clear."""
    server = serve(users=users)
    connect(server, username=ORDERS).send(submission(), Journal())
    assert server.accepted[0].authenticated_as == ORDERS


class _Far(socket.socket):
    """A connection to this machine that looks like one to another."""

    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.1", 25)


class _FarAway(Network):
    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        return _Far(fileno=super().connect(host, port, timeout=timeout).detach())


def test_in_clear_to_another_machine(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """By the address that is connected, not by its name: to any other machine no password goes in clear."""
    server = serve(users=users)
    transport = connect(server, username=ORDERS)
    transport.network = _FarAway()
    error = _refusal(transport)
    assert (type(error), finding_of(error, "")) == (SendDeferred, "sign-in-in-clear")
    assert _nothing_secret(server)
    assert isinstance(transport.credentials, Known)
    assert transport.credentials.asked == []


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_loopback(address: str, loopback: bool) -> None:
    """Which numeric addresses are this machine."""
    assert is_loopback(address) is loopback


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_address_literals(address: str, written: str) -> None:
    """How an address stands in EHLO (RFC 5321 4.1.3)."""
    assert literal(address) == written


@pytest.mark.parametrize(
    ("sasl", "offered", "used"),
    [
        ((), ("LOGIN", "PLAIN"), "PLAIN"),
        ((), ("LOGIN",), "LOGIN"),
        (("LOGIN", "PLAIN"), ("PLAIN", "LOGIN"), "LOGIN"),
        ((), ("CRAM-MD5",), None),
        (("SCRAM-SHA-256",), ("PLAIN", "LOGIN"), None),
        (("CRAM-MD5",), ("PLAIN", "LOGIN"), None),
        ((), ("XOAUTH2",), None),
        ((), ("EXTERNAL", "GSSAPI"), None),
    ],
)
def test_choice_of_the_mechanism(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    sasl: tuple[str, ...],
    offered: tuple[str, ...],
    used: str | None,
) -> None:
    """The first allowed one that is offered; never another, however much it is offered."""
    server = serve(users=users, mechanisms=offered)
    transport = connect(server, username=ORDERS, sasl=sasl)
    if used is None:
        error = _refusal(transport)
        assert (type(error), finding_of(error, "")) == (SendDeferred, "sign-in-mechanism")
        assert _nothing_secret(server)
    else:
        transport.send(submission(), Journal())
        assert server.heard("auth")[0].split()[1].decode() == used


def test_no_second_mechanism(serve: Serve, connect: Connect) -> None:
    """A refused sign-in is not tried again by another mechanism, which might be a weaker one."""
    server = serve(users={ORDERS: "another"}, mechanisms=("PLAIN", "LOGIN"))
    error = _refusal(connect(server, username=ORDERS))
    assert type(error) is SignInNeeded
    assert len(server.heard("auth")) == len(server.connections) == 1


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("XOAUTH2", f"user={ORDERS}\1auth=Bearer {TOKEN}\1\1"),
        ("OAUTHBEARER", f"n,a={ORDERS},\1auth=Bearer {TOKEN}\1\1"),
    ],
)
def test_sign_in_with_a_token(serve: Serve, connect: Connect, name: str, first: str) -> None:
    """An account with a connector signs in with the token for the purpose smtp, and never with a password."""
    server = serve(users={ORDERS: "x"}, mechanisms=("PLAIN", name), at={"auth": Reply(235, "2.7.0 ok")})
    transport = connect(server, username=ORDERS, password=None, sign_in="m365")
    transport.send(submission(), Journal())
    [command] = server.heard("auth")
    assert (command.split()[1].decode(), base64.b64decode(command.split()[2]).decode()) == (name, first)
    assert isinstance(transport.credentials, Known)
    assert transport.credentials.asked == ["smtp"]


def test_token_is_never_sent_as_a_password(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """Where only PLAIN is offered, an account with a connector does not sign in."""
    server = serve(users=users)
    error = _refusal(connect(server, username=ORDERS, password=None, sign_in="m365"))
    assert (type(error), _nothing_secret(server)) == (SendDeferred, True)


def test_refused_token(serve: Serve, connect: Connect) -> None:
    """The error challenge of XOAUTH2 is answered, and the refusal behind it asks for another sign-in."""
    told = base64.b64encode(b'{"status":"401","schemes":"Bearer"}').decode()
    script = {"auth": Reply(334, told), "auth-continue": Reply(535, "5.7.3 Authentication unsuccessful")}
    server = serve(users={ORDERS: "x"}, mechanisms=("XOAUTH2",), at=script)
    error = _refusal(connect(server, username=ORDERS, password=None, sign_in="m365"))
    assert (type(error), error.code) == (SignInNeeded, "535 5.7.3")
    assert server.heard("auth-continue") == [b"\r\n"]


def _cram(turn: Turn) -> Behaviour:
    return Reply(334, base64.b64encode(b"<1@mail.example>").decode())


def test_cram_md5_when_it_is_named(serve: Serve, connect: Connect) -> None:
    """Named in the settings, CRAM-MD5 is used."""
    server = serve(
        users={ORDERS: "x"},
        mechanisms=("CRAM-MD5",),
        at={"auth": _cram, "auth-continue": Reply(235, "2.7.0 ok")},
    )
    connect(server, username=ORDERS, sasl=("CRAM-MD5",)).send(submission(), Journal())
    assert base64.b64decode(server.heard("auth-continue")[0]).startswith(ORDERS.encode() + b" ")


@pytest.mark.parametrize("secret", ["with\0nul", "with\x01separator"])
def test_password_that_can_not_be_sent(serve: Serve, users: dict[str, str], secret: str) -> None:
    """A secret that would break the mechanism's form is refused before AUTH, without being shown."""
    server = serve(users=users)
    with SmtpTransport(signing_in(port=server.port), Known(secret)) as transport:
        error = _refusal(transport)
    assert (type(error), error.stage) == (SignInNeeded, "sign-in")
    assert secret not in str(error)


def test_no_credentials_at_all(serve: Serve, users: dict[str, str]) -> None:
    """A transport without credentials asks for some."""
    server = serve(users=users)
    with SmtpTransport(signing_in(port=server.port)) as transport:
        assert type(_refusal(transport)) is SignInNeeded


class _Missing(Known):
    def secret(self, name: str) -> str:
        raise SettingsError(f"The environment variable for {name} is not set.")


def test_credentials_that_can_not_be_read(serve: Serve, users: dict[str, str]) -> None:
    """What the credentials raise is passed on, and the connection is closed."""
    server = serve(users=users)
    with SmtpTransport(signing_in(port=server.port), _Missing()) as transport, pytest.raises(SettingsError):
        transport.send(submission(), Journal())
    server.drain()
    assert [connection.ended for connection in server.connections] == ["the client left"]


def test_server_without_ehlo(serve: Serve, connect: Connect) -> None:
    """HELO does for a server that takes mail without encryption and sign-in."""
    server = serve(at={"ehlo": Reply(502, "5.5.1 what?")})
    connect(server).send(submission(), Journal())
    assert server.accepted[0].sender.parameters == {}


@pytest.mark.parametrize("point", ["greeting", "ehlo"])
def test_tls_port_spoken_to_in_clear(serve: Serve, connect: Connect, point: str) -> None:
    """A TLS alert in the place of a reply brings the hint to the encryption."""
    error = _refusal(connect(serve(at={point: Raw(b"\x15\x03\x01\x00\x02\x02\x0a")}), timeout=1.0))
    assert "encryption = tls" in error.cure


def test_plain_port_spoken_to_in_tls(serve: Serve, connect: Connect) -> None:
    """A greeting in clear in the place of a handshake is told as what it is."""
    error = _refusal(connect(serve(), encryption=Encryption.TLS, timeout=1.0))
    assert (error.stage, finding_of(error, "")) == ("tls", "tls-plain-port")


def test_host_that_a_person_typed(serve: Serve, connect: Connect) -> None:
    """The egress rule is the network's: a loopback address that a person typed is not reached."""
    server = serve()
    transport = connect(server, timeout=0.2)
    transport.network = Network(trusted=False)
    error = _refusal(transport)
    assert (error.stage, server.connections) == ("connect", [])


def test_stages_by_encryption() -> None:
    """Which stages open a line, in order."""

    def stages(**given: Any) -> list[str]:
        line = Line(attrs.evolve(signing_in(), **given), Network(), None)
        return [stage for stage, _ in line.stages()]

    assert stages(encryption=Encryption.STARTTLS) == ["connect", "tls", "greeting", "sign-in"]
    assert stages(encryption=Encryption.TLS) == ["connect", "tls", "greeting", "sign-in"]
    assert stages(authenticate=False) == ["connect", "greeting"]


def test_temporary_refusals_of_the_sign_in(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """454 says nothing of the credential: the next try may do."""
    server = serve(users=users, at={"auth": Nth(1, Reply(454, "4.7.0 Too many login attempts"))})
    transport = connect(server, username=ORDERS)
    error = _refusal(transport)
    assert (type(error), error.code, finding_of(error, "")) == (
        SendDeferred,
        "454 4.7.0",
        "sign-in-too-often",
    )
    assert transport.send(submission(), Journal()).reference == "scripted-1"
