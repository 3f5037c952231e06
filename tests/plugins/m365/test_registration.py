"""Diagnosis of the registration."""

from __future__ import annotations

import datetime as dt
import json
import ssl
from pathlib import Path

import pytest
import trustme

from pillarbox import App, Finding, Level, Secret, SendDeferred
from pillarbox_m365 import M365App, M365Connector, findings
from tests.core.exchange.peer import Peer, answer

GUID = "11111111-0000-4000-8000-000000000001"
KNOWN = answer("200 OK", json.dumps({"issuer": "https://x"}).encode())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Known to nobody else."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def found(
    ca: trustme.CA,
    folder: Path,
    says: bytes = KNOWN,
    **app: object,
) -> dict[str, Finding]:
    """Return the findings by code, of a registration at a server that *says* something."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    with Peer(says, tls=context) as peer:
        given = {
            "client_id": GUID,
            "tenant": "acme.example",
            "authority": peer.url,
            "ca_file": str(folder / "ca.pem"),
        }
        made = list(M365Connector().check(App(M365App(**{**given, **app})), None))
    assert {one.code for one in made} <= findings.finding_codes().keys()
    return {one.code.removeprefix("registration-"): one for one in made}


def certificate(authority: trustme.CA, folder: Path, days: int) -> Secret:
    """Return a file with a key and a certificate that ends in *days*."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=1)
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=400)
    made = authority.issue_cert("a.example", not_before=start, not_after=end)
    file = folder / "app.pem"
    file.write_bytes(made.private_key_pem.bytes() + made.cert_chain_pems[0].bytes())
    file.chmod(0o600)
    return Secret(file=str(file))


def test_a_tenant_that_is_known(authority: trustme.CA, tmp_path: Path) -> None:
    """And an application without a secret, which is no fault."""
    assert {code: one.level for code, one in found(authority, tmp_path).items()} == {
        "tenant": Level.OK,
        "public": Level.OK,
    }


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (answer("400 Bad", b'{"error": "invalid_tenant"}'), "tenant-unknown"),
        (answer("404 Not Found"), "tenant-unknown"),
        (answer("500 Error"), "unreachable"),
        (answer("200 OK", b"no JSON"), "unreachable"),
        (answer("200 OK", b"[]"), "unreachable"),
        (b"no HTTP\r\n\r\n", "unreachable"),
    ],
)
def test_a_tenant_that_is_not(authority: trustme.CA, tmp_path: Path, says: bytes, code: str) -> None:
    """Or that nobody tells of."""
    told = found(authority, tmp_path, says)
    assert told[code].level is Level.FAIL
    assert told[code].cure


def test_nobody_is_there(authority: trustme.CA, tmp_path: Path) -> None:
    """The authority can't be reached, which is no fault of the settings: a command ends as for a server that is away."""
    told = found(authority, tmp_path, authority="https://127.0.0.1:1")
    assert told["unreachable"].exit_code == SendDeferred.exit_code


def test_an_id_that_entra_does_not_give(authority: trustme.CA, tmp_path: Path) -> None:
    """It is warned of: it may be the name, or the secret's ID."""
    assert found(authority, tmp_path, client_id="pillarbox")["client-id"].level is Level.WARN


def test_a_tenant_of_everybody(authority: trustme.CA, tmp_path: Path) -> None:
    """It is warned of as well."""
    assert found(authority, tmp_path, tenant="common")["shared-tenant"].level is Level.WARN


def test_a_secret(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, or it can't be read."""
    monkeypatch.setenv("M365_SECRET", "x")
    assert "secret" in found(authority, tmp_path, client_secret=Secret(env="M365_SECRET"))
    assert found(authority, tmp_path, client_secret=Secret(env="M365_NONE"))["unreadable"].level is Level.FAIL


@pytest.mark.parametrize(
    ("days", "code", "level"),
    [
        (200, "certificate", Level.OK),
        (10, "certificate-ends-soon", Level.WARN),
        (-2, "certificate-expired", Level.FAIL),
    ],
)
def test_a_certificate(authority: trustme.CA, tmp_path: Path, days: int, code: str, level: Level) -> None:
    """And until when it is good."""
    told = found(authority, tmp_path, certificate=certificate(authority, tmp_path, days))
    assert told[code].level is level


@pytest.mark.parametrize(
    "text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"]
)
def test_a_file_that_holds_no_certificate(authority: trustme.CA, tmp_path: Path, text: str) -> None:
    """With its key."""
    file = tmp_path / "app.pem"
    file.write_text(text)
    file.chmod(0o600)
    assert found(authority, tmp_path, certificate=Secret(file=str(file)))["unreadable"].level is Level.FAIL
