"""A client certificate: shown to who asks, its key kept from others, and each refusal told by its reason."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives import serialization

from pillarbox import (
    Account,
    Finding,
    InvalidSettings,
    Journal,
    Level,
    PillarboxError,
    Receipt,
    Secret,
    SendDeferred,
    SettingsError,
    SignInNeeded,
)
from pillarbox.testing.smtp_server import Reply, ScriptedServer
from pillarbox_smtp import Encryption, SmtpTransport
from pillarbox_smtp.check import FINDINGS
from pillarbox_smtp.identity import Identity
from tests import access
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, Known, settings, submission
from tests.plugins.smtp.issuing import DAY, NOW, Issued, issue

PASSPHRASE = "canary-passphrase"
Write = Callable[..., dict[str, Any]]


@attrs.frozen
class Place:
    """Where certificates come from, and the context of a server that believes in them.

    Attributes:
        authority: Issues the server's certificate and the clients'.
        folder: Of the test's files.
    """

    authority: Issued
    folder: Path

    def context(self, *, version: ssl.TLSVersion | None = None, required: bool = True) -> ssl.SSLContext:
        """Return a server's context that asks for a certificate."""
        context = issue(self.authority).context(self.folder)
        context.load_verify_locations(cadata=self.authority.pem.decode())
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    @property
    def ca_file(self) -> str:
        """The authority's own certificate."""
        file = self.folder / "ca.pem"
        file.write_bytes(self.authority.pem)
        return str(file)

    def client(self, **given: Any) -> Issued:
        """Return a client's certificate."""
        return issue(self.authority, names=(), common_name=ORDERS, **given)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An authority of this test's own."""
    return Place(issue(authority=True), tmp_path)


def written(
    folder: Path, client: Issued, *, key: Issued | None = None, passphrase: str = ""
) -> dict[str, Any]:
    """Return the settings that show *client*, from files: its certificate and its key, or another's."""
    sealed = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    octets = (key or client).key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed
    )
    (folder / "client.pem").write_bytes(client.pem)
    (folder / "client.key").write_bytes(octets)
    access.give(folder / "client.key", 0o600)
    return {"client_certificate": str(folder / "client.pem"), "client_key": str(folder / "client.key")}


class Passphrase(Known):
    """Credentials that hold the passphrase of a key."""

    def __init__(self, passphrase: str = PASSPHRASE) -> None:
        super().__init__()
        self._passphrase = passphrase

    def secret(self, name: str) -> str:
        return self._passphrase if name == "client_key_password" else super().secret(name)


@pytest.fixture
def reach(connect: Connect, place: Place) -> Callable[..., SmtpTransport]:
    """Make a transport to a scripted server that trusts the authority, by STARTTLS."""

    def make(server: ScriptedServer, **given: Any) -> SmtpTransport:
        usual = {"encryption": Encryption.STARTTLS, "ca_file": place.ca_file}
        transport = connect(server, **(usual | given))
        transport.credentials = Passphrase()
        return transport

    return make


Reach = Callable[..., SmtpTransport]


def outcome(transport: SmtpTransport) -> Receipt | PillarboxError:
    """Return what came of one message."""
    try:
        return transport.send(submission(), Journal())
    except PillarboxError as error:
        return error


def finding(transport: SmtpTransport, stage: str = "tls") -> Finding:
    """Return the first finding of *stage*, one that the documentation knows."""
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    findings = list(transport.check())
    assert {one.code for one in findings} <= FINDINGS.keys()
    assert PASSPHRASE not in repr(findings)
    return next(one for one in findings if one.stage == stage)


VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_it_is_shown_to_who_asks(
    serve: Serve, reach: Reach, place: Place, version: ssl.TLSVersion, encryption: Encryption
) -> None:
    """A server that takes nobody without one takes the mail."""
    server = serve(tls=place.context(version=version), implicit_tls=encryption is Encryption.TLS)
    transport = reach(server, encryption=encryption, **written(place.folder, place.client()))
    assert isinstance(outcome(transport), Receipt)


def test_a_key_that_is_encrypted(serve: Serve, reach: Reach, place: Place) -> None:
    """Its password is a secret of the account's."""
    given = written(place.folder, place.client(), passphrase=PASSPHRASE)
    transport = reach(serve(tls=place.context()), client_key_password=Secret(env="PASSPHRASE"), **given)
    assert isinstance(outcome(transport), Receipt)


def test_key_and_certificate_in_one_file(serve: Serve, reach: Reach, place: Place) -> None:
    """Then the file is as private as the key."""
    given = written(place.folder, place.client())
    both = place.folder / "both.pem"
    both.write_bytes(Path(given["client_key"]).read_bytes() + Path(given["client_certificate"]).read_bytes())
    access.give(both, 0o600)
    transport = reach(serve(tls=place.context()), client_certificate=str(both))
    assert isinstance(outcome(transport), Receipt)
    access.give(both, 0o640)
    os.utime(both)
    transport.close()
    assert isinstance(outcome(transport), SettingsError)


def test_check_tells_of_it(serve: Serve, reach: Reach, place: Place) -> None:
    """Whose it is, and how long it lasts."""
    told = finding(reach(serve(tls=place.context()), **written(place.folder, place.client())))
    assert (told.level, told.code) == (Level.OK, "tls-client-shown")
    assert told.seen.startswith(f"this side shows the certificate of {ORDERS}, ")


@pytest.mark.parametrize(
    ("given", "code", "seen"),
    [
        ({"not_after": NOW + 3 * DAY}, "tls-client-ends-soon", "days left"),
        ({"not_after": NOW - 2 * DAY, "not_before": NOW - 9 * DAY}, "tls-client-expired", "which expired on"),
        ({"not_before": NOW + 2 * DAY}, "tls-client-not-yet-valid", "valid from"),
    ],
)
def test_check_warns_of_its_dates(
    serve: Serve, reach: Reach, place: Place, given: dict[str, Any], code: str, seen: str
) -> None:
    """Before the server has to."""
    server = serve(tls=place.context(required=False))
    told = finding(reach(server, **written(place.folder, place.client(**given))))
    assert (told.level, told.code) == (Level.WARN, code)
    assert seen in told.seen
    assert told.cure


FILES: dict[str, tuple[Callable[[Path, Place], object], str, str]] = {
    "no certificate": (
        lambda folder, _: (folder / "client.pem").unlink(),
        "tls-client-file",
        "No such file",
    ),
    "nonsense": (
        lambda folder, _: (folder / "client.pem").write_bytes(b"\xff\x00nonsense"),
        "tls-client-file",
        "holds no certificate",
    ),
    "a broken certificate": (
        lambda folder, _: (folder / "client.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n"),
        "tls-client-file",
        "holds no certificate",
    ),
    "an endless certificate": (
        lambda folder, _: (folder / "client.pem").write_bytes(
            b"-----BEGIN CERTIFICATE-----\n" + b"A" * 300_000
        ),
        "tls-client-file",
        "holds no certificate",
    ),
    "no key": (lambda folder, _: (folder / "client.key").unlink(), "tls-client-key", "can't be opened"),
    "a key that is none": (
        lambda folder, _: (folder / "client.key").write_text("nonsense"),
        "tls-client-key",
        "holds no key",
    ),
    "a key that others can read": (
        lambda folder, _: access.give(folder / "client.key", 0o644),
        "tls-client-key",
        "can be read by others",
    ),
    "a key of another": (
        lambda folder, place: written(folder, place.client(), key=place.client()),
        "tls-client-key",
        "does not belong to the client certificate",
    ),
    "a key without its password": (
        lambda folder, place: written(folder, place.client(), passphrase="another"),
        "tls-client-key-password",
        "no password is set for it",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_can_not_be_used(serve: Serve, reach: Reach, place: Place, case: str) -> None:
    """It is said which and why, before TLS begins, as a matter of settings; and nothing is sent."""
    spoil, code, said = FILES[case]
    given = written(place.folder, place.client())
    spoil(place.folder, place)
    server = serve(tls=place.context())
    transport = reach(server, **given)
    error, told = outcome(transport), finding(transport)
    assert isinstance(error, SettingsError)
    assert said in str(error)
    assert (told.level, told.code, told.exit_code) == (Level.FAIL, code, 78)
    assert told.cure
    assert not any(connection.tls for connection in server.connections)


def test_a_wrong_password_for_the_key(serve: Serve, reach: Reach, place: Place) -> None:
    """It is said, and not shown."""
    given = written(place.folder, place.client(), passphrase="the right one")
    transport = reach(serve(tls=place.context()), client_key_password=Secret(env="PASSPHRASE"), **given)
    error = outcome(transport)
    assert isinstance(error, SettingsError)
    assert "does not open it" in str(error)
    assert finding(transport).code == "tls-client-key-password"
    assert PASSPHRASE not in repr(error) + repr(vars(error)) + repr(error.__context__)
    assert PASSPHRASE not in repr(Identity("a", "b", PASSPHRASE))


def test_files_that_are_replaced_are_read_again(serve: Serve, reach: Reach, place: Place) -> None:
    """A renewed certificate counts from the next connection on, without a restart."""
    transport = reach(serve(tls=place.context()), **written(place.folder, issue(names=())))
    refused = outcome(transport)
    written(place.folder, place.client())
    assert isinstance(refused, SendDeferred)
    assert isinstance(outcome(transport), Receipt)


def strangers(place: Place) -> dict[str, Issued | None]:
    """Return clients that the server refuses, by the words of the refusal."""
    return {
        "wants a client certificate": None,
        "does not know the authority of our client certificate": issue(issue(authority=True), names=()),
        "says that our client certificate has expired": place.client(
            not_before=NOW - 9 * DAY, not_after=NOW - 2 * DAY
        ),
    }


@pytest.mark.parametrize("number", range(3))
def test_the_server_refuses_it(serve: Serve, reach: Reach, place: Place, number: int) -> None:
    """Under TLS 1.3 by an alert in the place of its first reply: it may later, and whom to ask is said."""
    said, client = list(strangers(place).items())[number]
    given = written(place.folder, client) if client else {}
    server = serve(tls=place.context(version=ssl.TLSVersion.TLSv1_3))
    error = outcome(reach(server, **given))
    assert isinstance(error, SendDeferred)
    assert (error.stage, said in error.detail) == ("tls", True)
    assert error.cure
    assert vars(error)["finding"] == ("tls-client-refused" if client else "tls-client-required")
    assert server.received == []


@pytest.mark.parametrize("number", range(1, 3))
def test_the_server_refuses_it_in_the_handshake(
    serve: Serve, reach: Reach, place: Place, number: int
) -> None:
    """Under TLS 1.2 it is told in the handshake, in the same words."""
    said, client = list(strangers(place).items())[number]
    assert client is not None
    server = serve(tls=place.context(version=ssl.TLSVersion.TLSv1_2))
    error = outcome(reach(server, **written(place.folder, client)))
    assert isinstance(error, SendDeferred)
    assert (error.stage, said in error.detail) == ("tls", True)


def test_it_signs_in_without_a_password(serve: Serve, reach: Reach, place: Place) -> None:
    """By EXTERNAL, as the user name; nothing secret is asked for."""
    script = {"auth": Reply(235, "2.7.0 welcome")}
    server = serve(tls=place.context(), mechanisms=("PLAIN", "EXTERNAL"), users={ORDERS: "x"}, at=script)
    transport = reach(
        server, authenticate=True, username=ORDERS, password=None, **written(place.folder, place.client())
    )
    assert isinstance(outcome(transport), Receipt)
    assert server.heard("auth")[0] == b"AUTH EXTERNAL " + base64.b64encode(ORDERS.encode()) + b"\r\n"
    assert transport.credentials.asked == []  # type: ignore[union-attr]


def test_a_certificate_that_is_not_this_user_s(serve: Serve, reach: Reach, place: Place) -> None:
    """The cure is not a password's."""
    server = serve(
        tls=place.context(),
        mechanisms=("EXTERNAL",),
        users={ORDERS: "x"},
        at={"auth": Reply(535, "5.7.8 no")},
    )
    given = written(place.folder, place.client())
    transport = reach(server, authenticate=True, username=ORDERS, password=None, **given)
    error = outcome(transport)
    assert isinstance(error, SignInNeeded)
    assert (
        error.cure
        == f"Have the server's administrator map the certificate in client_certificate to {ORDERS}."
    )
    assert finding(transport, "sign-in").code == "sign-in-certificate-refused"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"client_certificate": "c.pem"}, "is shown under encryption only"),
        ({"client_key": "k.pem", "encryption": Encryption.TLS}, "client_key: needs a client_certificate"),
        ({"client_key_password": Secret(env="X")}, "client_key_password: needs a client_certificate"),
        (
            {"authenticate": True, "username": ORDERS, "sasl": ("EXTERNAL",), "password": Secret(env="X")},
            "EXTERNAL needs a client certificate",
        ),
    ],
)
def test_settings_that_show_none(given: dict[str, Any], said: str) -> None:
    """A half of it is a problem of the settings."""
    with pytest.raises((ValueError, InvalidSettings), match=said):
        settings(**given)
