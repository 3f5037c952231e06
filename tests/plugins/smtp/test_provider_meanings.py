"""What Microsoft 365 and Gmail answer, row by row, to a transport that sends: the finding, the cure, and what is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox import Journal, PillarboxError, SendError, SendRejected, SignInNeeded
from pillarbox.testing.smtp_server import Reply
from pillarbox_smtp.judgement import finding_of
from pillarbox_smtp.meanings import meaning_of
from pillarbox_smtp.provider_meanings import GOOGLE, MICROSOFT, OF_PROVIDERS
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, replies, submission

UNSUCCESSFUL = "5.7.139 Authentication unsuccessful,"
FROM = "[AM0PR0000.eurprd00.prod.outlook.com 2026-11-26T03:00:00.000Z 08DE0000]"
GSMTP = "x-2002.1 - gsmtp"

# point of the conversation, code, lines, what it is, the finding, a part of the cure
ROWS = [
    ("auth", 535, [f"{UNSUCCESSFUL} SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. {FROM}"], SignInNeeded, "smtp-auth-off-tenant", "for the organisation"),
    ("auth", 535, [f"{UNSUCCESSFUL} SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. {FROM}"], SignInNeeded, "smtp-auth-off-mailbox", "Authenticated SMTP on for this mailbox"),
    ("auth", 535, [f"{UNSUCCESSFUL} basic authentication is disabled. {FROM}"], SignInNeeded, "smtp-basic-auth-off", "sign_in = m365"),
    ("auth", 550, [f"5.7.30 Basic authentication is not supported for Client Submission. {FROM}"], SignInNeeded, "smtp-basic-auth-off", "method = m365"),
    ("auth", 535, [f"{UNSUCCESSFUL} user is locked by your organization's security defaults policy. Contact your administrator. {FROM}"], SignInNeeded, "sign-in-security-defaults", "The account is not locked"),
    ("auth", 535, [f"{UNSUCCESSFUL} the user account is locked. {FROM}"], SignInNeeded, "sign-in-locked", "administrator"),
    ("auth", 535, [f"{UNSUCCESSFUL} the user account is disabled. {FROM}"], SignInNeeded, "sign-in-locked", "administrator"),
    ("auth", 535, [f"{UNSUCCESSFUL} the user credentials were incorrect. {FROM}"], SignInNeeded, "sign-in-wrong", "password again"),
    ("auth", 535, [f"{UNSUCCESSFUL} the request did not meet the criteria to be authenticated successfully. Contact your administrator. {FROM}"], SignInNeeded, "sign-in-conditional-access", "sign-in log"),
    ("auth", 535, [f"{UNSUCCESSFUL} for a reason of next year. {FROM}"], SignInNeeded, "sign-in-policy", "ask the administrator"),
    ("auth", 535, [f"5.7.3 Authentication unsuccessful {FROM}"], SignInNeeded, "sign-in-unsuccessful", "look at the mailbox"),
    ("mail", 530, [f"5.7.57 Client not authenticated to send mail. {FROM}"], SignInNeeded, "sign-in-required", "authenticate = true"),
    ("mail", 530, [f"5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM {FROM}"], SignInNeeded, "sign-in-required", "sign_in = m365"),
    ("mail", 530, [f"5.7.57 Client not authenticated to send mail. Error: 535 {UNSUCCESSFUL} SmtpClientAuthentication is disabled for the Tenant. {FROM}"], SignInNeeded, "smtp-auth-off-tenant", "for the organisation"),
    ("mail", 550, [f"5.7.60 SMTP; Client does not have permissions to send as this sender {FROM}"], SendRejected, "sender-not-allowed", "Send As"),
    ("dot", 554, [f"5.2.252 SendAsDenied; orders@acme.example not allowed to send as anna@acme.example; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied {FROM}"], SendRejected, "sender-not-allowed", "Send As"),
    ("dot", 554, [f"5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message {FROM}"], SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("auth", 534, ["5.7.9 Application-specific password required. For more information, go to", f"5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor {GSMTP}"], SignInNeeded, "sign-in-app-password", "apppasswords"),
    ("auth", 534, ["5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbt> Please log in via", "5.7.14 your web browser and then try again.", f"5.7.14  https://support.google.com/mail/answer/78754 {GSMTP}"], SignInNeeded, "sign-in-browser", "with a browser once"),
    ("auth", 535, ["5.7.8 Username and Password not accepted. For more information, go to", f"5.7.8  https://support.google.com/mail/?p=BadCredentials {GSMTP}"], SignInNeeded, "sign-in-app-password", "method = gmail"),
]  # fmt: skip
OF_A_TOKEN = {"sign-in-wrong", "sign-in-unsuccessful", "sign-in-app-password"}
"""What is said of a password or a token that isn't taken; the other refusals another token would meet as well."""


def outcome(connect: Connect, serve: Serve, point: str, reply: Reply, **given: Any) -> SendError:
    """Return the refusal that *reply* at *point* makes of one message."""
    mechanisms = ("XOAUTH2",) if "sign_in" in given else ("PLAIN",)
    server = serve(users={ORDERS: PASSWORD}, at={point: reply}, mechanisms=mechanisms)
    with pytest.raises(PillarboxError) as raised:
        connect(server, username=ORDERS, **given).send(submission(), Journal())
    assert server.accepted == []
    assert isinstance(raised.value, SendError)
    return raised.value


@pytest.mark.parametrize(("point", "code", "lines", "kind", "finding", "cure"), ROWS)
def test_each_row(
    serve: Serve,
    connect: Connect,
    point: str,
    code: int,
    lines: list[str],
    kind: type[SendError],
    finding: str,
    cure: str,
) -> None:
    """With a password: each refusal has its own finding and its own cure, and nothing was sent."""
    error = outcome(connect, serve, point, Reply(code, *lines))
    assert (type(error), finding_of(error, "")) == (kind, finding)
    assert cure in error.cure
    assert error.code == f"{code} {lines[0].split()[0]}"


@pytest.mark.parametrize(
    ("code", "lines", "finding"), [(row[1], row[2], row[4]) for row in ROWS if row[0] == "auth"]
)
def test_each_row_with_a_token(
    serve: Serve, connect: Connect, code: int, lines: list[str], finding: str
) -> None:
    """What is said of a credential is a token's matter then, and no password is asked for; the rest stays what it is."""
    error = outcome(connect, serve, "auth", Reply(code, *lines), sign_in="m365", password=None)
    is_of_token = finding in OF_A_TOKEN
    assert finding_of(error, "") == ("sign-in-token-refused" if is_of_token else finding)
    assert ("Connect the account again" in error.cure) is is_of_token
    assert "enter the password" not in error.cure


def test_every_row_is_tried() -> None:
    """No row of the table is without a refusal in the rows above that it, and no row before it, explains."""
    stages = {"auth": "sign-in", "mail": "sender", "dot": "content"}
    met = set()
    for point, code, lines, *_ in ROWS:
        [reply] = replies(Reply(code, *lines).octets)
        met.add(meaning_of(stages[point], reply))
    assert [row for row in OF_PROVIDERS if row not in met] == []


def test_neither_speaks_for_the_other() -> None:
    """No refusal of Google's is told as Microsoft's, and the other way round."""
    for point, code, lines, *_ in ROWS:
        [reply] = replies(Reply(code, *lines).octets)
        words = reply.text.lower()
        theirs = MICROSOFT if "gsmtp" in words else GOOGLE
        stage = {"auth": "sign-in", "mail": "sender", "dot": "content"}[point]
        assert not any(row.fits(stage, reply, words) for row in theirs)
