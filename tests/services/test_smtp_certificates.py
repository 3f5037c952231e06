"""Client certificates at real servers: Postfix lets one send, Dovecot signs one in, and each says no in its own way."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from pillarbox import (
    Account,
    Finding,
    Journal,
    Level,
    PillarboxError,
    Receipt,
    SendDeferred,
    SettingsError,
    SignInNeeded,
)
from pillarbox.settings import Secret
from pillarbox_smtp import Encryption, SmtpTransport
from tests.services._authority import issue_client, write_client_files
from tests.services._client import CUSTOMER, LETTER, ORDERS, OTTO
from tests.services._smtp import Password, submission, transport_to
from tests.services.servers import CertifyingDovecot, running

if TYPE_CHECKING:
    from tests.services.servers import Authority, Postfix, Server

pytestmark = pytest.mark.services
Connect = Callable[..., SmtpTransport]
PASSPHRASE = "canary-passphrase"


@pytest.fixture(scope="module")
def certifying(authority: Authority, started_servers: list[Server]) -> Iterator[CertifyingDovecot]:
    """A running Dovecot that signs in by certificates."""
    with running(lambda: CertifyingDovecot(authority)) as server:
        started_servers.append(server)
        yield server
        started_servers.remove(server)


@pytest.fixture
def connect(authority: Authority) -> Iterator[Connect]:
    """Make a transport for a server, with further settings; it is closed with the test."""
    with ExitStack() as running_:

        def make(server: Server, **given: Any) -> SmtpTransport:
            usual: dict[str, Any] = {"password": None}
            transport = transport_to(server, authority, **(usual | given))
            transport.credentials = Password(PASSPHRASE)
            running_.callback(transport.close)
            return transport

        yield make


def shown(folder: Path, certificate: trustme.LeafCert) -> dict[str, Any]:
    """Return the settings by which *certificate* is shown, from files in *folder*."""
    chain, key = write_client_files(folder, certificate)
    return {"client_certificate": chain, "client_key": key}


def outcome(transport: SmtpTransport) -> Receipt | PillarboxError:
    """Return what came of one message."""
    try:
        return transport.send(submission(), Journal())
    except PillarboxError as error:
        return error


def findings(transport: SmtpTransport) -> list[Finding]:
    """Return what a check finds."""
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    return list(transport.check())


def found(transport: SmtpTransport) -> Mapping[str, Finding]:
    """Return the last finding of each stage."""
    return {finding.stage: finding for finding in findings(transport)}


def to_postfix(connect: Connect, postfix: Postfix, **given: Any) -> SmtpTransport:
    """Return a transport to the port that wants a certificate and knows no passwords."""
    return connect(postfix, port=postfix.certified_port, authenticate=False, username="", **given)


def test_postfix_takes_mail_of_a_client_that_it_knows(
    connect: Connect, postfix: Postfix, authority: Authority, tmp_path: Path
) -> None:
    """By its fingerprint (permit_tls_clientcerts), without a password."""
    transport = to_postfix(connect, postfix, **shown(tmp_path, authority.client))
    assert isinstance(outcome(transport), Receipt)
    assert postfix.inbox(CUSTOMER, at_least=1)[0].sent == LETTER
    assert {one.level for one in found(transport).values()} == {Level.OK}


def test_postfix_does_not_know_the_client(
    connect: Connect, postfix: Postfix, authority: Authority, tmp_path: Path
) -> None:
    """Of the same authority: the connection stands, the mail is refused in Postfix's words."""
    error = outcome(to_postfix(connect, postfix, **shown(tmp_path, issue_client(authority.ca, OTTO))))
    assert isinstance(error, PillarboxError)
    assert (error.code, error.stage) == ("554 5.7.1", "recipient")


def test_postfix_wants_a_certificate(connect: Connect, postfix: Postfix) -> None:
    """It ends the handshake and says so in SMTP; the finding is that of a server that ends it by an alert."""
    transport = to_postfix(connect, postfix)
    error = outcome(transport)
    assert isinstance(error, SendDeferred)
    assert "No client certificate presented" in error.detail
    assert found(transport)["greeting"].code == "tls-client-required"
    assert "Set client_certificate" in found(transport)["greeting"].cure


def test_postfix_does_not_trust_the_certificate(connect: Connect, postfix: Postfix, tmp_path: Path) -> None:
    """Another authority's."""
    transport = to_postfix(connect, postfix, **shown(tmp_path, issue_client(trustme.CA())))
    assert isinstance(outcome(transport), SendDeferred)
    assert found(transport)["greeting"].code == "tls-client-refused"


def test_postfix_sees_that_it_has_expired(
    connect: Connect, postfix: Postfix, authority: Authority, tmp_path: Path
) -> None:
    """We warn of it a stage earlier."""
    expired = issue_client(authority.ca, not_before=_days(-9), not_after=_days(-2))
    transport = to_postfix(connect, postfix, **shown(tmp_path, expired))
    assert isinstance(outcome(transport), SendDeferred)
    codes = [one.code for one in findings(transport)]
    assert codes[2:5] == ["tls-client-expired", "tls-verified", "tls-client-refused"]


def test_dovecot_signs_in(
    connect: Connect, certifying: CertifyingDovecot, authority: Authority, tmp_path: Path
) -> None:
    """By EXTERNAL: the common name is who it is, and no password is kept or asked for."""
    transport = connect(certifying, **shown(tmp_path, authority.client))
    assert isinstance(outcome(transport), Receipt)
    assert certifying.inbox(CUSTOMER, at_least=1)[0].sent == LETTER
    assert found(transport)["sign-in"].seen == f"EXTERNAL as {ORDERS}"


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_a_key_that_is_encrypted(
    connect: Connect,
    certifying: CertifyingDovecot,
    authority: Authority,
    tmp_path: Path,
    encryption: Encryption,
) -> None:
    """As openssl writes one."""
    given = shown(tmp_path, authority.client)
    sealed = tmp_path / "sealed.key"
    subprocess.run(
        [
            "openssl",
            "pkey",
            "-in",
            given["client_key"],
            "-aes256",
            "-passout",
            f"pass:{PASSPHRASE}",
            "-out",
            sealed,
        ],
        check=True,
    )
    sealed.chmod(0o600)
    port = certifying.tls_port if encryption is Encryption.TLS else certifying.starttls_port
    given |= {"client_key": str(sealed), "encryption": encryption, "port": port}
    transport = connect(certifying, client_key_password=Secret(env="PASSPHRASE"), **given)
    assert isinstance(outcome(transport), Receipt)
    transport.close()
    transport.credentials = Password("wrong")
    assert isinstance(outcome(transport), SettingsError)


@pytest.mark.parametrize("trusted", [True, False])
def test_dovecot_does_not_sign_in_another(
    connect: Connect, certifying: CertifyingDovecot, authority: Authority, tmp_path: Path, trusted: bool
) -> None:
    """Otto's certificate is not the company's, nor is one in its name of an authority that nobody knows."""
    other = issue_client(authority.ca, OTTO) if trusted else issue_client(trustme.CA())
    transport = connect(certifying, **shown(tmp_path, other))
    error = outcome(transport)
    assert isinstance(error, SignInNeeded | SendDeferred)
    assert "client_certificate" in error.cure
    assert certifying.mails() == []


def _days(count: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=count)
