"""Refusals as real servers word them, and what is made of each."""

from __future__ import annotations

import pytest

from pillarbox import SendDeferred, SendError, SendRejected, SignInNeeded
from pillarbox_smtp.judgement import finding_of, refused
from tests.plugins.smtp.givens import replies

# stage, what the server says, what it is, the finding, a part of the cure
CASES = [
    ("greeting", "421 4.7.1 mail.acme.example Error: No client certificate presented", SendDeferred, "tls-client-required", "client_certificate"),
    ("greeting", "421 4.7.1 mail.acme.example Error: Client certificate not trusted", SendDeferred, "tls-client-refused", "client_certificate"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled", SignInNeeded, "smtp-auth-off-tenant", "method = m365"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.", SignInNeeded, "smtp-auth-off-mailbox", "may be right"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X.namprd.prod.outlook.com]", SignInNeeded, "smtp-basic-auth-off", "method = m365"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", SignInNeeded, "sign-in-wrong", "password again"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.", SignInNeeded, "sign-in-security-defaults", "not locked"),
    ("sign-in", "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.", SignInNeeded, "sign-in-conditional-access", "administrator"),
    ("sign-in", "535 5.7.3 Authentication unsuccessful [X.eurprd.prod.outlook.com]", SignInNeeded, "sign-in-unsuccessful", "password again"),
    ("sign-in", "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x-2002 - gsmtp", SignInNeeded, "sign-in-app-password", "apppasswords"),
    ("sign-in", "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x-2002 - gsmtp", SignInNeeded, "sign-in-app-password", "apppasswords"),
    ("sign-in", "534-5.7.14 <https://accounts.google.com/signin/continue> Please log in via\r\n534 5.7.14 your web browser - gsmtp", SignInNeeded, "sign-in-browser", "browser"),
    ("sign-in", "535 5.7.8 Error: authentication failed: (reason unavailable)", SignInNeeded, "sign-in-wrong", "password again"),
    ("sign-in", "535 Incorrect authentication data", SignInNeeded, "sign-in-wrong", "password again"),
    ("sign-in", "525 5.7.13 User account disabled", SignInNeeded, "sign-in-locked", "administrator"),
    ("sign-in", "534 5.7.9 Authentication mechanism is too weak", SignInNeeded, "sign-in-mechanism", "sasl"),
    ("sign-in", "504 5.5.4 Unrecognized authentication type", SignInNeeded, "sign-in-mechanism", "sasl"),
    ("sign-in", "538 5.7.11 Encryption required for requested authentication mechanism", SignInNeeded, "sign-in-encryption", "starttls"),
    ("sign-in", "530 5.7.0 Must issue a STARTTLS command first", SignInNeeded, "sign-in-encryption", "starttls"),
    ("sign-in", "432 5.7.12 A password transition is needed", SendDeferred, "sign-in-later", "later"),
    ("sign-in", "432 4.7.12 A password transition is needed", SendDeferred, "sign-in-transition", "PLAIN"),
    ("sign-in", "454 4.7.0 Too many login attempts, please try again later. x - gsmtp", SendDeferred, "sign-in-too-often", "later"),
    ("sign-in", "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", SendDeferred, "sign-in-too-often", "connections"),
    ("sign-in", "454 4.7.0 Temporary authentication failure: Connection lost to authentication server", SendDeferred, "sign-in-later", "later"),
    ("sign-in", "421 4.7.0 Try again later, closing connection.", SendDeferred, "sign-in-later", "later"),
    ("sign-in", "501 5.5.2 Cannot decode response", SignInNeeded, "sign-in-refused", ""),
    ("sender", "530 5.7.57 Client not authenticated to send mail", SignInNeeded, "sign-in-required", "authenticate = true"),
    ("sender", "530 5.7.0 Authentication required", SignInNeeded, "sign-in-required", "authenticate = true"),
    ("sender", "530 5.7.0 Must issue a STARTTLS command first", SignInNeeded, "sign-in-encryption", "starttls"),
    ("sender", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("sender", "550 5.7.1 not allowed", SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("sender", "553 5.7.1 <otto@acme.example>: Sender address rejected: not owned by user anna@acme.example", SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("sender", "552 5.3.4 Message size exceeds fixed limit", SendRejected, "message-too-large", "Send less"),
    ("sender", "451 4.3.0 Try later", SendDeferred, "sender-refused", ""),
    ("sender", "501 5.1.7 Bad sender address syntax", SendRejected, "sender-refused", ""),
    ("recipient", "553 5.7.1 <otto@acme.example>: Sender address rejected: not owned by user anna@acme.example", SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("recipient", "554 5.7.1 <ap@customer.example>: Relay access denied", SendRejected, "relay-denied", "authenticate = true"),
    ("recipient", "550 relay not permitted", SendRejected, "relay-denied", "authenticate = true"),
    ("recipient", "550 5.1.1 <x@customer.example>: Recipient address rejected: User unknown", SendRejected, "recipient-refused", ""),
    ("recipient", "450 4.2.0 Greylisted, please try again in 5 minutes", SendDeferred, "recipient-refused", ""),
    ("content", "554 5.2.252 SendAsDenied; anna@acme.example not allowed to send as otto@acme.example", SendRejected, "sender-not-allowed", 'from_policy = "account"'),
    ("content", "552 5.3.4 Error: message file too big", SendRejected, "message-too-large", "Send less"),
    ("content", "554 5.7.1 Spam message rejected", SendRejected, "content-refused", ""),
    ("content", "452 4.3.1 Insufficient system storage", SendDeferred, "content-refused", ""),
    ("greeting", "554 5.7.1 Service unavailable; client blocked", SendDeferred, "greeting-refused", ""),
    ("tls", "454 4.7.0 TLS not available due to temporary reason", SendDeferred, "tls-refused", ""),
    ("reset", "500 what?", SendDeferred, "reset-refused", ""),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "said", "kind", "finding", "cure"), CASES)
def test_refusals_of_real_servers(
    stage: str, said: str, kind: type[SendError], finding: str, cure: str
) -> None:
    """Stage, code and words together tell what it is and what helps."""
    [reply] = replies(said.encode() + b"\r\n")
    error = refused("mail.example", stage, reply)
    assert (type(error), finding_of(error, ""), error.stage) == (kind, finding, stage)
    assert cure in error.cure
    assert bool(cure) == bool(error.cure)
    assert error.code == reply.status


def test_the_sentence() -> None:
    """The fact first, with the server's words as a quotation; the meaning and the cure behind it."""
    [reply] = replies(b"535 5.7.8 no\x1b[31m\xe2\x80\xaesuch user\r\n")
    assert str(refused("smtp.acme.example", "sign-in", reply)) == (
        'smtp.acme.example refused the sign-in: 535 5.7.8 "no[31msuch user" The user name or the password is wrong,'
        " or the account may not send by SMTP. Check the user name and enter the password again."
    )
