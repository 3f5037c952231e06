"""Who may send, and how they prove it: the sign-ins that the real servers offer, take and refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
from typing import TYPE_CHECKING, Any

import pytest

from tests.services._client import ANNA, CUSTOMER, ORDERS, OTTO, bearer, plain, secured
from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Dovecot, Server

pytestmark = pytest.mark.services


def test_sending_needs_tls_and_sign_in(relay: Server, authority: Authority) -> None:
    """The STARTTLS port offers no AUTH in clear and takes no mail before both."""
    with smtplib.SMTP(relay.host, relay.starttls_port, timeout=10) as smtp:
        smtp.ehlo()
        assert (smtp.has_extn("starttls"), smtp.has_extn("auth")) == (True, False)
        assert smtp.mail(ORDERS)[0] == 530
    with secured(relay, authority) as smtp:
        answers = {"Postfix": (250, 553), "Exim": (530, 503)}
        assert (smtp.mail(ORDERS)[0], smtp.rcpt(CUSTOMER)[0]) == answers[relay.name]


def test_wrong_password(server: Server, authority: Authority) -> None:
    """A wrong password and an unknown user are 535, also an empty one."""
    with secured(server, authority) as smtp:
        for login, password in (
            (ORDERS, "pw-anna"),
            ("nobody@acme.example", "pw-orders"),
            ("nobody@acme.example", ""),
        ):
            assert smtp.docmd("AUTH", f"PLAIN {plain(login, password)}")[0] == 535


def scram(login: str, password: str) -> Any:
    """The client of SCRAM-SHA-256 (RFC 7677) as smtplib wants it, without the check of the server's proof."""
    first = f"n={login},r=rOprNGfwEbeRWgbN"

    def answer(challenge: bytes | None = None) -> str:
        if challenge is None:
            return f"n,,{first}"
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        if "v" in fields:
            return ""
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={fields['r']}"
        signed = f"{first},{challenge.decode()},{final}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = bytes(left ^ right for left, right in zip(key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}"

    return answer


@pytest.mark.parametrize(
    ("name", "mechanisms"),
    [
        ("postfix", {"PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}),
        ("dovecot", {"PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}),
        ("exim", {"PLAIN", "LOGIN", "CRAM-MD5"}),
    ],
)
def test_mechanisms(
    request: pytest.FixtureRequest, authority: Authority, name: str, mechanisms: set[str]
) -> None:
    """Each server offers these, and the three of smtplib sign in."""
    server: Server = request.getfixturevalue(name)
    with secured(server, authority) as smtp:
        assert set(smtp.esmtp_features["auth"].split()) == mechanisms
    for mechanism in mechanisms & {"PLAIN", "LOGIN", "CRAM-MD5"}:
        with secured(server, authority) as smtp:
            smtp.user, smtp.password = ORDERS, LOGINS[ORDERS]
            method = getattr(smtp, f"auth_{mechanism.lower().replace('-', '_')}")
            assert smtp.auth(mechanism, method)[0] == 235


@pytest.mark.parametrize("name", ["postfix", "dovecot"])
def test_scram(request: pytest.FixtureRequest, authority: Authority, name: str) -> None:
    """SCRAM-SHA-256 signs in with the right password and not with a wrong one."""
    with secured(request.getfixturevalue(name), authority) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
            smtp.auth("SCRAM-SHA-256", scram(ANNA, "pw-otto"))
        assert smtp.auth("SCRAM-SHA-256", scram(ANNA, "pw-anna"))[0] == 235


@pytest.mark.parametrize("name", ["postfix", "dovecot"])
@pytest.mark.parametrize(("mechanism", "refusal"), [("XOAUTH2", "401"), ("OAUTHBEARER", "invalid_token")])
def test_tokens(
    request: pytest.FixtureRequest,
    authority: Authority,
    dovecot: Dovecot,
    name: str,
    mechanism: str,
    refusal: str,
) -> None:
    """A good token signs in; an expired one and another user's get 535 after a challenge that says why."""
    expired, foreign = dovecot.token(ANNA, lifetime_s=-60), dovecot.token(OTTO)
    with secured(request.getfixturevalue(name), authority) as smtp:
        for token in (expired, foreign):
            code, challenge = smtp.docmd("AUTH", f"{mechanism} {bearer(mechanism, ANNA, token)}")
            assert (code, json.loads(base64.b64decode(challenge))["status"]) == (334, refusal)
            assert smtp.docmd("AQ==" if mechanism == "OAUTHBEARER" else "")[0] == 535
        assert smtp.docmd("AUTH", f"{mechanism} {bearer(mechanism, ANNA, dovecot.token(ANNA))}")[0] == 235
