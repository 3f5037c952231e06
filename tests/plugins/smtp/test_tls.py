"""Which certificates are accepted, and what is said of the others."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from pillarbox import Journal, SendDeferred, SettingsError
from pillarbox.testing.smtp_server import Raw, ScriptedServer
from pillarbox_smtp import Encryption
from pillarbox_smtp.judgement import finding_of
from pillarbox_smtp.tls import Trust, context_for
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import PASSWORD, submission
from tests.plugins.smtp.issuing import DAY, NOW, Issued, issue

BOTH = pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> tuple[Issued, str]:
    """A private authority, and its file."""
    authority = issue(authority=True, names=(), common_name="Acme private authority")
    file = tmp_path_factory.mktemp("private") / "ca.pem"
    file.write_bytes(authority.pem)
    return authority, str(file)


def _server(
    serve: Serve, users: dict[str, str], shown: Issued, folder: Path, encryption: Encryption
) -> ScriptedServer:
    return serve(tls=shown.context(folder), users=users, implicit_tls=encryption is Encryption.TLS)


def _failure(connect: Connect, server: ScriptedServer, **given: Any) -> SendDeferred:
    with pytest.raises(SendDeferred) as caught:
        connect(server, username="orders@acme.example", **given).send(submission(), Journal())
    assert PASSWORD.encode() not in b"".join(heard.octets for heard in server.log)
    assert server.heard("mail") == server.heard("auth") == []
    assert (caught.value.stage, finding_of(caught.value, "")[:4]) == ("tls", "tls-")
    return caught.value


@BOTH
def test_private_authority(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    private: tuple[Issued, str],
    tmp_path: Path,
    encryption: Encryption,
) -> None:
    """A certificate of the authority in ca_file is accepted; the receipt says what protected the message."""
    server = _server(serve, users, issue(private[0]), tmp_path, encryption)
    transport = connect(server, encryption=encryption, username="orders@acme.example", ca_file=private[1])
    receipt = transport.send(submission(), Journal())
    assert receipt.reference == "scripted-1"
    assert re.fullmatch(r"TLS 1\.[23], [A-Z0-9_-]+, certificate verified", receipt.security)
    assert server.clear.startswith(b"EHLO" if encryption is Encryption.STARTTLS else b"")
    assert [message.tls for message in server.accepted] == [True]


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "expired": (
        {"not_before": NOW - 9 * DAY, "not_after": NOW - 2 * DAY},
        "tls-expired",
        f"It expired on {NOW - 2 * DAY:%Y-%m-%d}",
    ),
    "future": (
        {"not_before": NOW + 2 * DAY},
        "tls-not-yet-valid",
        f"It is valid from {NOW + 2 * DAY:%Y-%m-%d}",
    ),
    "wrong host": (
        {"names": ("mail.acme.example", "192.0.2.7")},
        "tls-wrong-name",
        "It is for mail.acme.example, 192.0.2.7.",
    ),
    "common name only": ({"names": (), "common_name": "127.0.0.1"}, "tls-wrong-name", "It is for 127.0.0.1."),
}


@BOTH
@pytest.mark.parametrize("case", CASES)
def test_bad_certificate_of_a_trusted_authority(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    private: tuple[Issued, str],
    tmp_path: Path,
    encryption: Encryption,
    case: str,
) -> None:
    """It is refused, and the reason is named with what the certificate says."""
    given, finding, said = CASES[case]
    server = _server(serve, users, issue(private[0], **given), tmp_path, encryption)
    error = _failure(connect, server, encryption=encryption, ca_file=private[1])
    assert (finding_of(error, ""), said in error.detail) == (finding, True), error.detail
    assert error.cure


@BOTH
def test_self_signed(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path, encryption: Encryption
) -> None:
    """A self-signed certificate is refused; its fingerprint is shown to be compared."""
    shown = issue()
    error = _failure(connect, _server(serve, users, shown, tmp_path, encryption), encryption=encryption)
    assert finding_of(error, "") == "tls-self-signed"
    assert shown.fingerprint in error.detail
    assert "ca_file" in error.cure


@BOTH
def test_unknown_authority(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    private: tuple[Issued, str],
    tmp_path: Path,
    encryption: Encryption,
) -> None:
    """A certificate of an authority that is not trusted here is refused."""
    server = _server(serve, users, issue(private[0]), tmp_path, encryption)
    assert finding_of(_failure(connect, server, encryption=encryption), "") == "tls-unknown-authority"


@BOTH
@pytest.mark.parametrize(
    "written", [str.lower, lambda text: ":".join(text[i : i + 2] for i in range(0, 64, 2)).upper()]
)
def test_pinned(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    tmp_path: Path,
    encryption: Encryption,
    written: Any,
) -> None:
    """The pinned certificate is accepted, self-signed, expired and for another name as it is."""
    shown = issue(names=("elsewhere.example",), not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    server = _server(serve, users, shown, tmp_path, encryption)
    pinned = written(shown.fingerprint)
    transport = connect(server, encryption=encryption, username="orders@acme.example", fingerprint=pinned)
    assert transport.send(submission(), Journal()).security.endswith(", certificate as pinned")


@BOTH
def test_other_than_the_pinned(
    serve: Serve,
    connect: Connect,
    users: dict[str, str],
    private: tuple[Issued, str],
    tmp_path: Path,
    encryption: Encryption,
) -> None:
    """Any other certificate is refused before a word, even one that the CA file would have let pass."""
    shown = issue(private[0])
    server = _server(serve, users, shown, tmp_path, encryption)
    error = _failure(connect, server, encryption=encryption, fingerprint="0" * 64, ca_file=private[1])
    assert finding_of(error, "") == "tls-wrong-fingerprint"
    assert shown.fingerprint in error.detail


def test_old_versions_of_tls(serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path) -> None:
    """A server that speaks TLS 1.1 at best is refused."""
    shown = issue()
    context = shown.context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve(tls=context, users=users)
    error = _failure(connect, server, encryption=Encryption.STARTTLS, fingerprint=shown.fingerprint)
    assert finding_of(error, "") == "tls-old"


def test_words_behind_the_answer_to_starttls(
    serve: Serve, connect: Connect, users: dict[str, str], server_tls: ssl.SSLContext, ca_file: str
) -> None:
    """Octets in clear behind 220 are somebody's in the middle: the line is dropped, nothing goes through it."""
    injected = Raw(b"220 go ahead\r\n250-mail.example\r\n250 AUTH PLAIN\r\n")
    server = serve(tls=server_tls, users=users, at={"starttls": injected})
    error = _failure(connect, server, encryption=Encryption.STARTTLS, ca_file=ca_file)
    assert finding_of(error, "") == "tls-injected"
    assert server.connections[0].tls == ""


def test_one_context_a_process(ca_file: str, tmp_path: Path) -> None:
    """A context is made once for each trust, and again when the CA file is replaced."""
    copy = tmp_path / "ca.pem"
    copy.write_bytes(Path(ca_file).read_bytes())
    first = context_for(Trust(str(copy)))
    assert context_for(Trust(str(copy))) is first
    os.utime(copy, (1, 1))
    assert context_for(Trust(str(copy))) is not first


def test_contexts_check() -> None:
    """TLS 1.2 at least, a certificate required, its name checked."""
    context = context_for(Trust())
    assert (context.minimum_version, context.verify_mode, context.check_hostname) == (
        ssl.TLSVersion.TLSv1_2,
        ssl.CERT_REQUIRED,
        True,
    )


@pytest.mark.parametrize(
    ("content", "said"), [(None, r"No such file|File not found"), (b"no certificate\n", "no certificate")]
)
def test_ca_file_that_can_not_be_used(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A CA file that is missing or empty is a problem of the settings."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        context_for(Trust(str(file)))
