"""The settings: what goes with what, what is refused in a sentence, and what a secret is bound to."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pillarbox import Company, InvalidSettings, Role, Secret
from pillarbox.settings import destination, form, structure, unstructure
from pillarbox_smtp import Encryption, SmtpSettings, SmtpTransport
from tests.plugins.smtp.givens import ORDERS, settings, signing_in

_FULL = {"server": "smtp.acme.example", "username": ORDERS, "password": {"env": "ACME_SMTP_PASSWORD"}}


def _structured(**given: Any) -> SmtpSettings:
    return structure(SmtpSettings, _FULL | given, "company.smtp")


def _problems(**given: Any) -> str:
    with pytest.raises(InvalidSettings) as caught:
        structure(
            SmtpSettings,
            {name: value for name, value in (_FULL | given).items() if value != "absent"},
            "company.smtp",
        )
    return "\n".join(" ".join(problem.split()) for problem in caught.value.problems)


@pytest.mark.parametrize(("encryption", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_encryption_sets_the_port(encryption: str, port: int) -> None:
    """Choosing the encryption sets the port, unless the person has set it."""
    assert _structured(encryption=encryption).port == port
    assert _structured(encryption=encryption, port=2525).port == 2525


def test_defaults() -> None:
    """STARTTLS, a sign-in, and the time limits of the RFC."""
    given = _structured()
    assert (given.encryption, given.authenticate, given.connections) == (Encryption.STARTTLS, True, 2)
    assert (given.timeout, given.final_timeout) == (30.0, 600.0)
    assert unstructure(given) == _FULL


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"server": "absent"}, "company.smtp.server is required"),
        ({"server": ""}, "must name the mail server"),
        ({"server": "smtp.acme.example\r\nQUIT"}, "must be a server's name"),
        ({"server": "smtp acme"}, "must be a server's name"),
        ({"server": "https://smtp.acme.example"}, "must be a server's name"),
        ({"port": 99999}, "company.smtp.port must be between 1 and 65535, not 99999"),
        ({"encryption": "ssl"}, "must be one of none, starttls, tls"),
        ({"password": "secret"}, "can't stand in the settings in clear"),
        ({"username": "absent"}, "username is required"),
        ({"password": "absent"}, "password is required"),
        ({"sign_in": "m365"}, "company.smtp.sign_in can't stand beside a password"),
        ({"username": "a\r\nb"}, "company.smtp.username must not hold control characters"),
        ({"sasl": ["PLAIN", "NTLM"]}, "'NTLM' is none of them"),
        ({"sasl": ["XOAUTH2"]}, "company.smtp.sasl XOAUTH2 needs a connector"),
        (
            {"password": "absent", "sign_in": "m365", "sasl": ["PLAIN"]},
            "company.smtp.sasl PLAIN needs a password",
        ),
        ({"fingerprint": "abc"}, "64 hexadecimal digits"),
        ({"local_hostname": "erp acme"}, "must be this machine's name"),
        ({"timeout": 0}, "company.smtp.timeout must be between"),
        ({"connections": 0}, "company.smtp.connections must be between"),
        ({"sever": "x"}, "did you mean server?"),
        ({"proxi": "x"}, "company.smtp.proxi is not a setting"),
    ],
)
def test_problems(given: dict[str, Any], said: str) -> None:
    """Each problem is a sentence behind its place."""
    assert said in _problems(**given)


def test_all_that_a_sign_in_lacks() -> None:
    """User name and password are missed at once."""
    said = _problems(username="absent", password="absent")
    assert "username is required" in said
    assert "password is required" in said


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" SMTP.Acme.Example. ", "smtp.acme.example"),
        ("käufer.example", "xn--kufer-gra.example"),
        ("[::1]", "::1"),
        ("192.0.2.1", "192.0.2.1"),
        ("mail_relay", "mail_relay"),
    ],
)
def test_spelling_of_the_server(written: str, kept: str) -> None:
    """One server has one spelling, so that a bound secret is not lost over capitals."""
    assert settings(server=written).server == kept


def test_without_authentication_nothing_is_kept() -> None:
    """Rule 16: without authentication neither name nor password stays, to be sent or written back."""
    given = _structured(authenticate=False, sasl=["PLAIN"], username_differs=True)
    assert (given.username, given.password, given.sasl, given.username_differs) == ("", None, (), False)
    assert unstructure(given) == {"server": "smtp.acme.example", "authenticate": False}


def test_mechanisms() -> None:
    """With a password SCRAM first and CRAM-MD5 only by name; with a connector tokens only."""
    assert signing_in().mechanisms == ("SCRAM-SHA-256", "PLAIN", "LOGIN")
    assert signing_in(sasl=("login", "cram-md5")).mechanisms == ("LOGIN", "CRAM-MD5")
    assert signing_in(password=None, sign_in="m365").mechanisms == ("XOAUTH2", "OAUTHBEARER")


def test_fingerprint_may_have_colons() -> None:
    """A fingerprint is taken as openssl prints it."""
    assert settings(fingerprint=":".join(["AB"] * 32)).fingerprint == "ab" * 32


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": 465, "encryption": Encryption.STARTTLS}, "Port 465"),
        ({"port": 587, "encryption": Encryption.TLS}, "Port 587"),
        ({"server": "mail.acme.example"}, "in clear"),
        (
            {"server": "mail.acme.example", "username": ORDERS, "password": Secret(env="X")},
            "a password is not sent like that",
        ),
    ],
)
def test_warnings(given: dict[str, Any], said: str) -> None:
    """What is valid and doubtful is told, with its cure."""
    [warning] = SmtpTransport.warnings(settings(**given))
    assert said in warning


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"server": "localhost"},
        {"server": "::1"},
        {"server": "mail.acme.example", "encryption": Encryption.STARTTLS},
        {"server": "mail.acme.example", "encryption": Encryption.TLS, "port": 2465},
    ],
)
def test_nothing_to_warn_of(given: dict[str, Any]) -> None:
    """Usual settings bring no warning."""
    assert SmtpTransport.warnings(settings(**given)) == ()


def test_what_a_secret_is_bound_to() -> None:
    """A stored password or token goes nowhere else: server, port, encryption, user, connector, trust (rule 36)."""
    assert destination(signing_in()).keys() == {
        "server",
        "port",
        "encryption",
        "username",
        "sign_in",
        "ca_file",
        "fingerprint",
    }


def test_who_may_set_what() -> None:
    """Paths, trust and names of the machine are the deployer's (rule 35)."""
    fields = form(SmtpSettings)
    assert {field.name for field in fields if field.set_by is Role.DEPLOYER} == {
        "ca_file",
        "chunking_window",
        "client_certificate",
        "client_key",
        "client_key_password",
        "fingerprint",
        "local_hostname",
        "proxy",
        "proxy_password",
        "proxy_username",
        "saved_copy.ca_file",
        "saved_copy.fingerprint",
    }
    assert {"server", "username", "password"} <= {
        field.name for field in fields if field.set_by is Role.OWNER
    }


def test_form_teaches() -> None:
    """Each field has a label and a help of whole sentences."""
    for field in form(SmtpSettings):
        assert field.label
        assert field.help.endswith(".")


def test_from_a_url() -> None:
    """A deployment's URL sets the same fields."""
    company = Company.from_url(
        "smtp+tls://orders%40acme.example@smtp.acme.example?password_env=ACME_SMTP_PASSWORD"
    )
    given = structure(SmtpSettings, company.methods["smtp"])
    assert (given.encryption, given.port, given.username, given.password) == (
        Encryption.TLS,
        465,
        ORDERS,
        Secret(env="ACME_SMTP_PASSWORD"),
    )
    relay = Company.from_url("smtp+none://localhost:2525")
    assert structure(SmtpSettings, relay.methods["smtp"]).authenticate is False


def test_form_needs_no_network() -> None:
    """Drawing the form, describing and resolving import neither ssl nor socket nor anything that speaks."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from pillarbox_smtp.settings import SmtpSettings, Encryption, warnings\n"
        "from pillarbox.settings import form\n"
        "form(SmtpSettings); warnings(SmtpSettings(server='x', authenticate=False))\n"
        "added = set(sys.modules) - before\n"
        "print(sorted(added & {'ssl', 'socket', 'pillarbox_smtp.transport', 'pillarbox_smtp.connection'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"


def test_class_needs_no_line() -> None:
    """The transport's class is imported to describe an account; what opens connections is imported to open one."""
    code = (
        "import sys\n"
        "from pillarbox_smtp import SmtpTransport, SmtpSettings\n"
        "SmtpTransport.describe(SmtpSettings(server='x', authenticate=False))\n"
        "print(sorted(set(sys.modules) & {'ssl', 'pillarbox_smtp.line', 'pillarbox_smtp.connection', 'pillarbox_smtp.tls'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
