"""The whole walk against real Postfix, Exim and Dovecot: from a message and a user to the mail that arrived."""

from __future__ import annotations

import email
import ssl
from email import policy

import pytest

from pillarbox import (
    AnswerState,
    Attachment,
    Choice,
    Company,
    Level,
    Mailer,
    MemoryDirectory,
    Message,
    MessageError,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SignInNeeded,
    User,
)
from tests.services.servers import LOGINS, SIZE_LIMIT

pytestmark = pytest.mark.services
ORDERS, ANNA, OTTO = "orders@acme.example", "anna@acme.example", "otto@acme.example"
CUSTOMER = "ap@customer.example"
PDF = bytes(range(256)) * 800


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for address, password in dict(LOGINS).items():
        monkeypatch.setenv(f"PW_{address.partition('@')[0].upper()}", password)
    monkeypatch.setenv("PW_WRONG", "not the password")


def account(server, authority, encryption="starttls", username=ORDERS, password="PW_ORDERS", **more):
    ports = {"starttls": server.starttls_port, "tls": server.tls_port, "none": server.plain_port}
    return {
        "server": "localhost", "port": ports[encryption], "encryption": encryption, "username": username,
        "password": {"env": password}, "ca_file": str(authority.ca_file), "timeout": 20.0, **more,
    }  # fmt: skip


def mailer(server, authority, **more) -> Mailer:
    """A company, Anna (From company) and Otto (Personal, his own login) at *server*."""
    company = Company(
        address=ORDERS, name="Acme Ltd", method="smtp", methods={"smtp": account(server, authority, **more)}
    )
    users = [
        User(id="anna", address=ANNA, name="Anna Berg"),
        User(id="otto", address=OTTO, name="Otto Lind", choice=Choice.PERSONAL, method="smtp",
             methods={"smtp": account(server, authority, username=OTTO, password="PW_OTTO")}),
    ]  # fmt: skip
    return Mailer(MemoryDirectory(company, users))


def invoice(**fields) -> Message:
    return Message(
        **{
            "to": CUSTOMER,
            "subject": "Rechnung 1001 für Jörg",
            "text": "Guten Tag,\n.\n..\nGrüße\n",
            **fields,
        }
    )


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_the_companys_and_a_users_mail_really_arrives(server, authority, encryption):
    """From, envelope and bytes as the rules say, over STARTTLS and over TLS."""
    with mailer(server, authority, encryption=encryption) as sends:
        receipt = sends.send(
            invoice(attachments=[Attachment("Rechnung – März.pdf", PDF)], bcc="boss@acme.example"),
            user="anna",
        )
    (mail,) = server.inbox(CUSTOMER, at_least=1)
    found = email.message_from_bytes(mail.sent, policy=policy.default)
    assert (
        receipt.reference or type(server).__name__ == "Dovecot"
    )  # which says only what the server behind it said
    assert str(found["From"]) == "Anna Berg <anna@acme.example>"
    assert str(found["Subject"]) == "Rechnung 1001 für Jörg"
    assert found["Message-ID"] == receipt.message_id
    assert mail.envelope_sender == ANNA
    assert set(mail.recipients) == {CUSTOMER, "boss@acme.example"}
    assert b"boss@" not in mail.sent
    (attached,) = found.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Rechnung – März.pdf", PDF)
    assert found.get_body().get_content().replace("\r\n", "\n") == "Guten Tag,\n.\n..\nGrüße\n"


def test_a_personal_account_signs_in_as_its_owner(server, authority):
    """Otto's own login, Otto's own address."""
    with mailer(server, authority) as sends:
        sends.send(invoice(), user="otto")
    (mail,) = server.inbox(CUSTOMER, at_least=1)
    assert mail.envelope_sender == OTTO


def test_a_batch_keeps_one_connection_and_loses_none(server, authority):
    """Fifty messages, in order, each once."""
    with mailer(server, authority) as sends:
        answers = sends.send_many([invoice(subject=f"Invoice {number}") for number in range(50)], user="anna")
    assert [type(answer) for answer in answers] == [Receipt] * 50
    mails = server.inbox(CUSTOMER, at_least=50)
    subjects = sorted(int(str(mail.message["Subject"]).split()[1]) for mail in mails)
    assert subjects == list(range(50))


def test_bulk_by_bdat_loses_none_and_alters_none(server, authority):
    """Eight messages on the way at once, dots and all, where the server offers CHUNKING (RFC 3030)."""
    with mailer(server, authority, chunking_window=8) as sends:
        answers = sends.send_many([invoice(subject=f"Invoice {number}") for number in range(40)], user="anna")
        assert isinstance(sends.send(invoice(subject="Invoice 40"), user="anna"), Receipt)
    assert [type(answer) for answer in answers] == [Receipt] * 40
    mails = server.inbox(CUSTOMER, at_least=41)
    assert sorted(int(str(mail.message["Subject"]).split()[1]) for mail in mails) == list(range(41))
    texts = {mail.message.get_body().get_content().replace("\r\n", "\n") for mail in mails}
    assert texts == {"Guten Tag,\n.\n..\nGrüße\n"}


def test_bulk_by_bdat_with_refusals_in_it(relay, authority):
    """The refused, one in front of all, are told as such; the octets of none of them are taken for commands."""
    to = [CUSTOMER if number % 3 else "refused@acme.example" for number in range(12)]
    text = "RSET\nMAIL FROM:<otto@acme.example>\nRCPT TO:<evil@customer.example>\n.\n"
    with mailer(relay, authority, chunking_window=6) as sends:
        letters = [invoice(to=one, subject=f"Invoice {number}", text=text) for number, one in enumerate(to)]
        answers = sends.send_many(letters, user="anna")
    assert [type(one) for one in answers] == [Receipt if one == CUSTOMER else SendRejected for one in to]
    assert len(relay.inbox(CUSTOMER, at_least=8)) == 8
    assert relay.inbox("evil@customer.example") == []


def test_a_recipient_refused_for_good_and_one_for_now_do_not_stop_the_third(relay, authority):
    """Each has its answer in the server's words (rule 25)."""
    with mailer(relay, authority) as sends:
        receipt = sends.send(
            invoice(to=["refused@acme.example", CUSTOMER, "later@acme.example"]), user="anna"
        )
    states = {who: answer.state for who, answer in receipt.recipients.items()}
    assert states == {
        "refused@acme.example": AnswerState.REFUSED,
        CUSTOMER: AnswerState.ACCEPTED,
        "later@acme.example": AnswerState.REFUSED_FOR_NOW,
    }
    assert "5.1.1" in receipt.recipients["refused@acme.example"].code
    assert [mail.recipients for mail in relay.inbox(CUSTOMER, at_least=1)] == [(CUSTOMER,)]


@pytest.mark.parametrize(
    ("to", "error"), [("refused@acme.example", SendRejected), ("later@acme.example", SendDeferred)]
)
def test_when_nobody_is_left_it_is_an_error(relay, authority, to, error):
    """Final, or for now; and the kept connection carries the next message."""
    with mailer(relay, authority) as sends:
        with pytest.raises(error) as refusal:
            sends.send(invoice(to=to), user="anna")
        assert to in refusal.value.recipients
        assert isinstance(sends.send(invoice(), user="anna"), Receipt)
    assert len(relay.inbox(CUSTOMER, at_least=1)) == 1


def test_a_sender_that_the_login_does_not_own_is_refused_with_the_cure(relay, authority):
    """553 5.7.1 by Postfix, 550 by Exim: from_policy = "account" is named."""
    with mailer(relay, authority) as sends:
        found = User(id="eve", address=OTTO, name="Eve")
        sends.directory._users["eve"] = found
        with pytest.raises(SendRejected) as refusal:
            sends.send(invoice(), user="eve")
    assert refusal.value.code.startswith(("553 5.7.1", "550"))
    assert 'from_policy = "account"' in str(refusal.value)
    assert relay.inbox(CUSTOMER) == []


def test_with_from_policy_account_it_goes(relay, authority):
    """The mailbox shows, with the user's name; answers go to the user."""
    with mailer(relay, authority, from_policy="account") as sends:
        sends.send(invoice(), user="anna")
    (mail,) = relay.inbox(CUSTOMER, at_least=1)
    assert str(mail.message["From"]) == "Anna Berg <orders@acme.example>"
    assert str(mail.message["Reply-To"]) == "Anna Berg <anna@acme.example>"
    assert mail.envelope_sender == ORDERS


def test_a_message_over_the_size_limit_is_refused_before_it_leaves(relay, authority):
    """SIZE is known from EHLO (rule 34), and the connection is fit for the next."""
    with mailer(relay, authority) as sends:
        with pytest.raises(MessageError):
            sends.send(invoice(attachments=[Attachment("big.bin", b"x" * (SIZE_LIMIT + 1000))]), user="anna")
        assert isinstance(sends.send(invoice(), user="anna"), Receipt)


def test_a_wrong_password_needs_a_sign_in(server, authority):
    """535, with the cure, and no secret."""
    with mailer(server, authority, password="PW_WRONG") as sends, pytest.raises(SignInNeeded) as refusal:
        sends.send(invoice(), user="anna")
    assert refusal.value.code.startswith("535")
    assert "not the password" not in str(refusal.value)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_mechanism_that_a_server_offers_signs_in(server, authority, mechanism):
    """Dovecot judges Postfix's; Exim has its own."""
    with mailer(server, authority, sasl=(mechanism,)) as sends:
        try:
            assert isinstance(sends.send(invoice(), user="anna"), Receipt)
        except SendDeferred as error:
            assert mechanism not in offered(server, authority), error
            assert error.stage == "sign-in"


def offered(server, authority) -> str:
    with mailer(server, authority) as sends:
        findings = {finding.stage: finding for finding in sends.check("anna")}
    return findings["sign-in"].seen + findings["greeting"].seen + server_mechanisms(server)


def server_mechanisms(server) -> str:
    import smtplib

    with smtplib.SMTP(server.host, server.starttls_port) as smtp:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        smtp.starttls(context=context)
        smtp.ehlo()
        return smtp.esmtp_features.get("auth", "")


def test_an_unknown_authority_gets_nothing(server, authority):
    """Without the CA file the certificate can't be verified: no password, no mail."""
    company = Company(
        address=ORDERS, method="smtp", methods={"smtp": {**account(server, authority), "ca_file": ""}}
    )
    with Mailer(MemoryDirectory(company)) as sends, pytest.raises(SendDeferred) as refusal:
        sends.send(invoice())
    assert refusal.value.stage == "tls"
    assert server.inbox(CUSTOMER) == []


def test_the_wrong_encryption_for_a_port_is_told_apart_from_a_dead_port(server, authority):
    """TLS at the STARTTLS port, and STARTTLS at the TLS port."""
    codes = []
    for encryption, port in [("tls", server.starttls_port), ("starttls", server.tls_port)]:
        with mailer(server, authority, encryption=encryption) as sends:
            company, _ = sends.directory.look_up(None)
            table = {**company.methods["smtp"], "port": port, "timeout": 2.0}
            wrong = Mailer(MemoryDirectory(Company(address=ORDERS, method="smtp", methods={"smtp": table})))
            codes.append(next(one.code for one in wrong.check() if one.level is Level.FAIL))
            wrong.close()
    assert codes == ["tls-plain-port", "greeting-tls-port"]


def test_check_goes_through_every_stage_and_sends_nothing(server, authority):
    """Each ok, on a server that is set up right."""
    with mailer(server, authority) as sends:
        findings = list(sends.check("anna"))
    assert [finding.level for finding in findings if finding.level is Level.FAIL] == []
    assert [finding.stage for finding in findings][-4:] == ["sign-in", "sender", "recipient", "reset"]
    assert server.mails() == []


@pytest.mark.parametrize(
    "to",
    ["o'neill+tag@customer.example", '"quoted local"@customer.example', "ap@xn--bcher-kva.example"],
)
def test_odd_addresses_arrive_as_they_were_given(postfix, authority, to):
    """Byte for byte, and exactly one."""
    with mailer(postfix, authority) as sends:
        sends.send(invoice(to=to), user="anna")
    (mail,) = postfix.mails() or postfix.inbox(to, at_least=1)
    assert len(mail.recipients) == 1
    assert mail.recipients[0].replace('"', "").replace("\\", "") == to.replace('"', "")


def test_an_international_address_goes_where_smtputf8_is_offered(postfix, authority):
    """RFC 6531; and is refused before any mail where it is not."""
    with mailer(postfix, authority) as sends:
        try:
            sends.send(invoice(to="jörg@customer.example"), user="anna")
        except PillarboxError as error:
            assert isinstance(error, MessageError)
            assert postfix.mails() == []
        else:
            assert len(postfix.inbox("jörg@customer.example", at_least=1)) == 1


SMUGGLING = ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r", "\x00.", "a\n.\nMAIL FROM:<eve@evil.example>\nRCPT TO:<eve@evil.example>\nDATA\nx\n.\n"]  # fmt: skip


@pytest.mark.parametrize("body", [body for body in SMUGGLING if "\x00" not in body], ids=repr)
def test_no_second_message_can_be_smuggled(relay, authority, body):
    """Whatever stands in a text, one message arrives (RFC 5321 4.5.2)."""
    with mailer(relay, authority) as sends:
        sends.send(invoice(text=f"before{body}after\n"), user="anna")
    assert len(relay.mails() or relay.inbox(CUSTOMER, at_least=1)) == 1
    relay.inbox(CUSTOMER, at_least=1)
    assert len(relay.mails()) == 1
