"""The real servers do what the other tests rely on: seen with smtplib alone, in bytes, codes and certificates."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.services._client import ANNA, CUSTOMER, LETTER, ORDERS, OTTO, signed_in
from tests.services.servers import LOGINS, RECIPIENT_LIMIT, SERVER_NAMES, SIZE_LIMIT

if TYPE_CHECKING:
    from tests.services.servers import Authority, Exim, Postfix, Server

pytestmark = pytest.mark.services


def test_mail_arrives_as_it_was_sent(server: Server, authority: Authority) -> None:
    """Envelope and bytes come through: Bcc, long lines, dots and trailing spaces, with Received on top."""
    with signed_in(server, authority) as smtp:
        assert smtp.sendmail(ORDERS, [CUSTOMER, "hidden@customer.example"], LETTER) == {}
    [mail] = server.inbox(CUSTOMER)
    assert mail.sent == LETTER
    assert mail.content.startswith(b"Received: from ")
    assert (mail.envelope_sender, set(mail.recipients)) == (ORDERS, {CUSTOMER, "hidden@customer.example"})
    assert mail.message["Subject"] == "Invoice 1001"
    assert server.inbox("hidden@customer.example") == [mail]


def test_implicit_tls(server: Server, authority: Authority) -> None:
    """The TLS port speaks TLS from the first byte, with the same certificate."""
    context = authority.client_context()
    with smtplib.SMTP_SSL(server.host, server.tls_port, context=context, timeout=10) as smtp:
        smtp.login(ANNA, LOGINS[ANNA])
        smtp.sendmail(ANNA, CUSTOMER, LETTER)
    assert [mail.envelope_sender for mail in server.inbox(CUSTOMER)] == [ANNA]


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_certificate_names(postfix: Postfix, authority: Authority, name: str) -> None:
    """The certificate is good for each of the names, and the context checks it."""
    context = authority.client_context()
    with (
        socket.create_connection((postfix.host, postfix.tls_port), timeout=10) as line,
        context.wrap_socket(line, server_hostname=name) as secure,
    ):
        assert secure.recv(1024).startswith(b"220 mail.acme.example ")


def test_certificate_is_for_no_other_name(postfix: Postfix, authority: Authority) -> None:
    """Another name is refused by the client."""
    context = authority.client_context()
    with (
        socket.create_connection((postfix.host, postfix.tls_port), timeout=10) as line,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(line, server_hostname="smtp.acme.example")


def test_nobody_else_trusts_the_authority(server: Server) -> None:
    """Without the CA file the certificate is refused."""
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        smtplib.SMTP_SSL(server.host, server.tls_port, context=ssl.create_default_context(), timeout=10)


def test_plain_port_takes_mail_from_anyone(relay: Server) -> None:
    """The plain port has no TLS, offers AUTH in clear, and takes mail without."""
    with smtplib.SMTP(relay.host, relay.plain_port, timeout=10) as smtp:
        smtp.ehlo()
        assert (smtp.has_extn("starttls"), smtp.has_extn("auth")) == (False, True)
        smtp.sendmail("otto@elsewhere.example", CUSTOMER, LETTER)
        smtp.login(OTTO, LOGINS[OTTO])
        smtp.sendmail(OTTO, CUSTOMER, LETTER)
    senders = {mail.envelope_sender for mail in relay.inbox(CUSTOMER)}  # Exim hands them on side by side
    assert senders == {"otto@elsewhere.example", OTTO}


def test_refused_recipients(relay: Server, authority: Authority) -> None:
    """One recipient is refused for good and one for now; the third gets the mail."""
    with signed_in(relay, authority) as smtp:
        refused = smtp.sendmail(ORDERS, ["refused@acme.example", CUSTOMER, "later@acme.example"], LETTER)
    assert {address: (code, text[:5]) for address, (code, text) in refused.items()} == {
        "refused@acme.example": (550, b"5.1.1"),
        "later@acme.example": (450, b"4.2.0"),
    }
    [mail] = relay.mails()
    assert mail.recipients == (CUSTOMER,)


def test_company_sign_in_may_write_as_anna(relay: Server, authority: Authority) -> None:
    """The envelope sender is Anna's, signed in as the company."""
    with signed_in(relay, authority) as smtp:
        smtp.sendmail(ANNA, CUSTOMER, LETTER)
    assert [mail.envelope_sender for mail in relay.inbox(CUSTOMER)] == [ANNA]


def test_postfix_refuses_a_foreign_sender(postfix: Postfix, authority: Authority) -> None:
    """Otto's address is not the company's to use, nor is an unknown one: 553 5.7.1, at RCPT."""
    with signed_in(postfix, authority) as smtp:
        for sender in (OTTO, "someone@elsewhere.example"):
            assert smtp.mail(sender)[0] == 250
            code, text = smtp.rcpt(CUSTOMER)
            assert (code, text[:5]) == (553, b"5.7.1")
            smtp.rset()
    assert postfix.mails() == []


def test_exim_refuses_a_foreign_sender(exim: Exim, authority: Authority) -> None:
    """The same at MAIL, as 550 5.7.1."""
    with signed_in(exim, authority) as smtp:
        for sender in (OTTO, "someone@elsewhere.example"):
            code, text = smtp.mail(sender)
            assert (code, text[:5]) == (550, b"5.7.1")


def test_size_limit(relay: Server, authority: Authority) -> None:
    """SIZE is told at EHLO; too large is 552, at MAIL if the client says so, else at the final dot."""
    with signed_in(relay, authority) as smtp:
        assert int(smtp.esmtp_features["size"]) == SIZE_LIMIT
        assert smtp.mail(ORDERS, [f"SIZE={SIZE_LIMIT + 1}"])[0] == 552
        smtp.rset()
        smtp.mail(ORDERS)
        smtp.rcpt(CUSTOMER)
        assert smtp.data((b"x" * 78 + b"\r\n") * (SIZE_LIMIT // 75))[0] == 552
    assert relay.mails() == []


def test_postfix_remembers_a_refused_size(postfix: Postfix, authority: Authority) -> None:
    """After a refused SIZE, Postfix refuses the next MAIL too unless RSET comes first: what a client must heed."""
    with signed_in(postfix, authority) as smtp:
        smtp.mail(ORDERS, [f"SIZE={SIZE_LIMIT + 1}"])
        assert smtp.mail(ORDERS)[0] == 552
        smtp.rset()
        assert smtp.mail(ORDERS)[0] == 250


def test_recipient_limit(relay: Server, authority: Authority) -> None:
    """One recipient more than the limit is refused for now."""
    with signed_in(relay, authority) as smtp:
        refused = smtp.sendmail(
            ORDERS, [f"r{n}@customer.example" for n in range(RECIPIENT_LIMIT + 1)], LETTER
        )
    assert [(address, code) for address, (code, _) in refused.items()] == [
        (f"r{RECIPIENT_LIMIT}@customer.example", 452)
    ]
    [mail] = relay.mails()
    assert len(mail.recipients) == RECIPIENT_LIMIT


def test_smtputf8(relay: Server, authority: Authority) -> None:
    """A non-ASCII local part and raw UTF-8 headers come through."""
    letter = "Subject: Größe\r\n\r\nGrüße\r\n".encode()
    with signed_in(relay, authority) as smtp:
        assert smtp.mail(ORDERS, ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        smtp.command_encoding = "utf-8"
        assert smtp.rcpt("käufer@customer.example")[0] == 250
        assert smtp.data(letter)[0] == 250
    [mail] = relay.inbox("käufer@customer.example")
    assert mail.sent == letter
    assert "SMTPUTF8" in mail.mail_parameters


def test_delivery_status_parameters(relay: Server, authority: Authority) -> None:
    """RET, ENVID and NOTIFY (RFC 3461) are offered and handed on."""
    with signed_in(relay, authority) as smtp:
        assert smtp.has_extn("dsn")
        smtp.sendmail(ORDERS, CUSTOMER, LETTER, ["RET=HDRS", "ENVID=4711"], ["NOTIFY=FAILURE,DELAY"])
    [mail] = relay.inbox(CUSTOMER)
    assert {"RET=HDRS", "ENVID=4711"} <= set(mail.mail_parameters.split())
    assert "NOTIFY=FAILURE,DELAY" in mail.recipient_parameters[0]


def test_pipelining(server: Server, authority: Authority) -> None:
    """MAIL, RCPT and DATA in one write get their answers in order."""
    with signed_in(server, authority) as smtp:
        assert smtp.has_extn("pipelining")
        smtp.send(f"MAIL FROM:<{ORDERS}>\r\nRCPT TO:<{CUSTOMER}>\r\nDATA\r\n")
        assert [smtp.getreply()[0] for _ in range(3)] == [250, 250, 354]
        smtp.send(b"Subject: x\r\n\r\ny\r\n.\r\n")
        assert smtp.getreply()[0] == 250
    assert [mail.sent for mail in server.inbox(CUSTOMER)] == [b"Subject: x\r\n\r\ny\r\n"]


def test_chunking(server: Server, authority: Authority) -> None:
    """BDAT (RFC 3030) takes the mail in chunks, without a final dot."""
    with signed_in(server, authority) as smtp:
        assert smtp.has_extn("chunking")
        smtp.mail(ORDERS)
        smtp.rcpt(CUSTOMER)
        for chunk, last in ((b"Subject: x\r\n", ""), (b"\r\n.\r\ny\r\n", " LAST")):
            smtp.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
            assert smtp.getreply()[0] == 250
    assert [mail.sent for mail in server.inbox(CUSTOMER)] == [b"Subject: x\r\n\r\n.\r\ny\r\n"]


def test_postfix_refuses_bare_line_feeds(postfix: Postfix, authority: Authority) -> None:
    """A line that ends in LF alone, the means of smuggling, is 550 at the final dot."""
    with signed_in(postfix, authority) as smtp:
        smtp.mail(ORDERS)
        smtp.rcpt(CUSTOMER)
        smtp.docmd("DATA")
        smtp.send(b"Subject: x\r\n\r\none\ntwo\r\n.\r\n")
        assert smtp.getreply()[0] == 550
    assert postfix.mails() == []


def test_impatient_clients_are_refused(relay: Server) -> None:
    """A command sent before EHLO was answered is 554, and the line is closed."""
    with smtplib.SMTP(relay.host, relay.plain_port, timeout=10) as smtp:
        smtp.send(b"EHLO client.example\r\nNOOP\r\n")
        assert smtp.getreply()[0] == 554
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.getreply()
