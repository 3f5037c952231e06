"""Diagnosis tells each stage, in words and in codes that are listed, and sends nothing."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import attrs
import pytest

from pillarbox import (
    Account,
    Company,
    Finding,
    Level,
    Mailer,
    MemoryDirectory,
    Network,
    SettingsError,
    SignInNeeded,
    User,
)
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    Cut,
    Garbage,
    Offer,
    Raw,
    Reply,
    ScriptedServer,
    Silence,
    Turn,
    every_fault,
)
from pillarbox_smtp import Encryption, SmtpTransport
from pillarbox_smtp.check import FINDINGS, STAGES
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known, signing_in
from tests.plugins.smtp.issuing import DAY, NOW, issue

DIRECT = tuple(stage for stage in STAGES if stage != "proxy")
"""The stages without a proxy."""


def _check(connect: Connect, server: ScriptedServer, **given: Any) -> list[Finding]:
    transport = connect(server, **given)
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    findings = list(transport.check())
    server.drain()
    assert server.received == []
    assert {finding.code for finding in findings} <= FINDINGS.keys()
    assert sorted(finding.stage for finding in findings) == sorted(DIRECT)
    assert PASSWORD not in repr(findings)
    return findings


def _told(findings: list[Finding]) -> dict[str, str]:
    return {finding.stage: finding.code for finding in findings}


def _failed(findings: list[Finding]) -> Finding:
    [failed] = [finding for finding in findings if finding.level is Level.FAIL]
    behind = findings[findings.index(failed) + 1 :]
    assert {finding.code for finding in behind} <= {"not-reached"}
    return failed


def _only_own(turn: Turn) -> Reply | None:
    return None if ORDERS in turn.address else Reply(553, "5.7.1 Sender address rejected: not owned by user")


def test_the_sender_is_the_one_that_the_users_mail_has(serve: Serve) -> None:
    """A server that takes the company's own address and not Anna's is found out before she writes (rule 10)."""
    server = serve(at={"mail": _only_own})
    account = {"server": server.host, "port": server.port, "encryption": "none", "authenticate": False}
    company = Company(address=ORDERS, method="smtp", methods={"smtp": account}, typed_by="deployer")
    with Mailer(MemoryDirectory(company, [User(id="anna", address="anna@acme.example")])) as mailer:
        [mine] = [one for one in mailer.check() if one.stage == "sender"]
        [hers] = [one for one in mailer.check("anna") if one.stage == "sender"]
    assert (mine.level, mine.seen) == (Level.OK, f"mail from {ORDERS} is taken")
    assert (hers.level, hers.code) == (Level.FAIL, "sender-not-allowed")


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_everything_works(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path, encryption: Encryption
) -> None:
    """Each stage is told in order with what was seen, the transaction is reset, and nothing was sent."""
    authority = issue(authority=True, names=(), common_name="Acme private authority")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    server = serve(
        tls=issue(authority).context(tmp_path), users=users, implicit_tls=encryption is Encryption.TLS
    )
    findings = _check(
        connect, server, username=ORDERS, encryption=encryption, ca_file=str(tmp_path / "ca.pem")
    )
    assert [finding.stage for finding in findings] == list(DIRECT)
    assert {finding.level for finding in findings} == {Level.OK}
    assert [finding.seen for finding in findings] == [
        "127.0.0.1 is 127.0.0.1",
        f"port {server.port} answered",
        "1.3, certificate for 127.0.0.1, 89 days left",
        "PIPELINING, SIZE 35 MB, 8BITMIME, SMTPUTF8, CHUNKING, DSN",
        f"PLAIN as {ORDERS}",
        f"mail from {ORDERS} is taken",
        f"mail to {ORDERS} is taken",
        "nothing was sent",
    ]
    assert server.reached("rset") == server.reached("quit") == 1
    assert all(finding.seconds >= 0 for finding in findings)


def test_without_encryption_and_sign_in(serve: Serve, connect: Connect) -> None:
    """Stages that the settings leave out are told as that."""
    told = _told(_check(connect, serve()))
    assert (told["tls"], told["sign-in"], told["reset"]) == ("tls-none", "sign-in-none", "reset-done")


def test_in_clear_to_another_machine() -> None:
    """A connection in clear that leaves the machine is warned of."""
    from pillarbox_smtp.check import _in_clear
    from tests.plugins.smtp.givens import settings

    assert _in_clear(settings(server="mail.acme.example")).level is Level.WARN


def test_basic_authentication_is_off(serve: Serve, connect: Connect, users: dict[str, str]) -> None:
    """Microsoft's 535 5.7.139 is told as what it means, with the way out, and the rest as not reached."""
    said = "5.7.139 Authentication unsuccessful, basic authentication is disabled."
    findings = _check(connect, serve(users=users, at={"auth": Reply(535, said)}), username=ORDERS)
    failed = _failed(findings)
    assert (failed.stage, failed.code) == ("sign-in", "smtp-basic-auth-off")
    assert failed.seen == "535 5.7.139: Microsoft 365 takes no passwords here any more"
    assert failed.cure.startswith("The password may be right. Use Microsoft 365 instead")
    assert failed.exit_code == SignInNeeded.exit_code
    assert _told(findings)["sender"] == _told(findings)["reset"] == "not-reached"


@pytest.mark.parametrize(
    ("point", "reply", "stage", "code", "seen"),
    [
        ("greeting", Reply(554, "5.7.1 blocked"), "greeting", "greeting-refused", "554 5.7.1"),
        ("mail", Reply(550, "5.7.60 may not send as"), "sender", "sender-not-allowed", "550 5.7.60"),
        (
            "rcpt",
            Reply(553, "5.7.1 Sender address rejected: not owned by user x"),
            "recipient",
            "sender-not-allowed",
            "553 5.7.1",
        ),
        ("rcpt", Reply(554, "5.7.1 Relay access denied"), "recipient", "relay-denied", "554 5.7.1"),
        ("rcpt", Reply(550, "5.1.1 no such user"), "recipient", "recipient-refused", "no such user"),
        ("rset", Reply(500, "what?"), "reset", "reset-refused", "what?"),
    ],
)
def test_refusals(
    serve: Serve, connect: Connect, point: str, reply: Reply, stage: str, code: str, seen: str
) -> None:
    """A refusal is told at its stage, with a code of its own and the server's code or words."""
    failed = _failed(_check(connect, serve(at={point: reply})))
    assert (failed.stage, failed.code) == (stage, code)
    assert seen in failed.seen


@pytest.mark.parametrize("speaks", [Silence(), Cut(), Garbage(), Raw(b"\x15\x03\x01\x00\x02\x02\x0a")])
def test_port_that_speaks_tls(
    serve: Serve, connect: Connect, server_tls: ssl.SSLContext, speaks: object
) -> None:
    """A port that speaks TLS from the first octet is found out, and named as the cause."""
    server = serve(tls=server_tls, implicit_tls=True)
    failed = _failed(_check(connect, server, timeout=0.3))
    assert (failed.stage, failed.code) == ("greeting", "greeting-tls-port")
    assert "encryption = tls" in failed.cure
    other = _failed(_check(connect, serve(at={"greeting": speaks}), timeout=0.3))
    assert other.code in {"greeting-silent", "greeting-closed", "greeting-garbage"}


def test_port_that_speaks_in_clear(serve: Serve, connect: Connect) -> None:
    """TLS begun at a port that speaks in clear is told as that."""
    failed = _failed(_check(connect, serve(), encryption=Encryption.TLS, timeout=1.0))
    assert (failed.stage, failed.code) == ("tls", "tls-plain-port")


def test_certificate_that_ends_soon(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """A good certificate that ends within two weeks is warned of, and the check goes on."""
    authority = issue(authority=True, names=(), common_name="Acme private authority")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    server = serve(tls=issue(authority, not_after=NOW + 5 * DAY).context(tmp_path))
    findings = _check(connect, server, encryption=Encryption.STARTTLS, ca_file=str(tmp_path / "ca.pem"))
    assert (findings[2].level, findings[2].code, findings[-1].code) == (
        Level.WARN,
        "tls-ends-soon",
        "reset-done",
    )


def test_certificate_that_is_not_accepted(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """A bad certificate is told with its names."""
    server = serve(tls=issue(names=("other.example",)).context(tmp_path))
    failed = _failed(_check(connect, server, encryption=Encryption.STARTTLS))
    assert (failed.stage, failed.code) == ("tls", "tls-self-signed")
    assert "other.example" in failed.seen


def test_pinned_certificate(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """A pinned certificate is told as pinned."""
    shown = issue(names=("other.example",))
    findings = _check(
        connect,
        serve(tls=shown.context(tmp_path)),
        encryption=Encryption.STARTTLS,
        fingerprint=shown.fingerprint,
    )
    assert findings[2].code == "tls-pinned"


def test_nobody_listens(serve: Serve, connect: Connect) -> None:
    """A closed port fails at connecting."""
    server = serve()
    server.stop()
    failed = _failed(_check(connect, server))
    assert (failed.stage, failed.code) == ("connect", "connect-failed")


def test_name_without_an_address(serve: Serve, connect: Connect) -> None:
    """A name that has no address fails at once."""

    class Nameless(Network):
        def resolve(self, host: str, port: int) -> list[str]:
            return Network().resolve("no such host", port)

    transport = connect(serve())
    transport.network = Nameless()
    failed = _failed(list(transport.check()))
    assert (failed.stage, failed.code) == ("dns", "dns-no-address")


def test_host_that_a_person_typed(serve: Serve, connect: Connect) -> None:
    """Of a host that a person typed neither addresses nor reasons are told (rule 38)."""
    transport = connect(serve(), timeout=0.2)
    transport.network = Network(trusted=False)
    findings = list(transport.check())
    assert [finding.code for finding in findings[:2]] == ["dns-not-told", "connect-failed"]
    assert "can't be reached" in findings[1].seen


def test_account_without_an_address(serve: Serve, connect: Connect) -> None:
    """Where there is no address to try, the sender is not tried."""
    told = {finding.stage: finding.code for finding in connect(serve()).check()}
    assert (told["sender"], told["recipient"], told["reset"]) == (
        "sender-unknown",
        "sender-unknown",
        "reset-done",
    )


def test_no_extensions(serve: Serve, connect: Connect) -> None:
    """A server that offers nothing, or a small size, is told as that."""
    assert _check(connect, serve(at={"ehlo": Offer()}))[3].seen == "no extensions"
    assert _check(connect, serve(at={"ehlo": Offer("SIZE 10000", "X-OWN")}))[3].seen == "SIZE 10,000 octets"


class _Missing(Known):
    def secret(self, name: str) -> str:
        raise SettingsError(f"The environment variable for {name} is not set.", cure="Set it.")


def test_credential_that_can_not_be_read(serve: Serve, users: dict[str, str]) -> None:
    """A problem of the settings is told at the stage that met it, with its own exit code."""
    with SmtpTransport(signing_in(port=serve(users=users).port), _Missing()) as transport:
        failed = _failed(list(transport.check()))
    assert (failed.stage, failed.code, failed.exit_code) == ("sign-in", "sign-in-failed", 78)


def test_a_check_that_nobody_goes_on_with(serve: Serve, connect: Connect) -> None:
    """Leaving a check early closes its connection."""
    server = serve()
    findings = connect(server).check()
    assert [next(findings).stage for _ in range(4)] == list(DIRECT[:4])
    findings.close()  # type: ignore[attr-defined]
    server.drain()
    assert server.connections[0].ended == "quit"


@pytest.mark.parametrize(
    "fault",
    [fault for fault in every_fault(pace=0.02) if fault.point not in {"data", "body", "dot", "quit"}],
    ids=str,
)
def test_every_fault_is_told(
    serve: Serve, connect: Connect, server_tls: ssl.SSLContext, ca_file: str, fault: Any
) -> None:
    """Whatever goes wrong, exactly one stage fails, with a code that is listed and words for it."""
    users = {ORDERS: PASSWORD} if fault.needs_users else {}
    server = serve(
        at=fault.at,
        tls=server_tls if fault.needs_tls else None,
        users=users,
        mechanisms=fault.mechanisms,
        capabilities=CAPABILITIES,
    )
    failed = _failed(
        _check(
            connect,
            server,
            timeout=0.2 if fault.kind in {"silence", "drip"} else 2.0,
            encryption=Encryption.STARTTLS if fault.needs_tls else Encryption.NONE,
            ca_file=ca_file if fault.needs_tls else "",
            **({"username": ORDERS} if fault.needs_users else {}),
        )
    )
    assert failed.seen
    assert not any(ord(character) < 32 for character in failed.seen)


class Here(Network):
    """Leads to this machine, whatever the server is called."""

    def resolve(self, host: str, port: int) -> list[str]:
        return ["127.0.0.1"]


def _of_provider(server: ScriptedServer, name: str) -> dict[str, Finding]:
    """Return what is found at *server*, taken for the provider's called *name*."""
    with SmtpTransport(attrs.evolve(signing_in(port=server.port), server=name), Known()) as transport:
        transport.network = Here()
        return {one.stage: one for one in transport.check()}


def test_a_password_whose_days_are_counted(serve: Serve, users: dict[str, str]) -> None:
    """Microsoft has said until when it takes passwords for SMTP; the sign-in works, and is warned of."""
    found = _of_provider(serve(users=users), "smtp.office365.com")["sign-in"]
    assert (found.level, found.code) == (Level.WARN, "sign-in-password-ends")
    assert "December 2026" in found.seen
    assert "sign_in = m365" in found.cure
    assert _of_provider(serve(users=users), "smtp.acme.example")["sign-in"].code == "sign-in-accepted"


@pytest.mark.parametrize(
    "name", ["smtp.gmail.com", "smtp.mail.yahoo.com", "smtp.aol.com", "smtp.mail.me.com", "smtp.fastmail.com"]
)
def test_a_password_that_should_be_an_app_password(serve: Serve, name: str) -> None:
    """Where a provider takes no other, a refused one is told as that, with the page where one is made."""
    found = _of_provider(serve(users={ORDERS: "another"}), name)["sign-in"]
    assert (found.level, found.code, found.exit_code) == (Level.FAIL, "sign-in-app-password", 77)
    assert "app password" in found.seen
    assert "https://" in found.cure
    other = _of_provider(serve(users={ORDERS: "another"}), "smtp.acme.example")["sign-in"]
    assert other.code == "sign-in-wrong"


def test_the_date_in_a_greeting_tells_the_clock(serve: Serve, connect: Connect) -> None:
    """Exim and Exchange put one there; where there is none nothing is known."""
    transport = connect(
        serve(at={"greeting": Reply(220, "mx.acme.example Exim Thu, 01 Jan 2026 10:00:00 +0000")})
    )
    assert {one.level for one in transport.check()} <= {Level.OK, Level.WARN, Level.SKIP}
    assert transport.clock_skew is not None
    assert transport.clock_skew.days < 0
    silent = connect(serve())
    list(silent.check())
    assert silent.clock_skew is None
