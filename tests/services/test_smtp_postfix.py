"""The SMTP transport alone against Postfix: octets, extensions, and refusals in its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import Account, AnswerState, Journal, Level, Receipt, SendDeferred, SendRejected, SignInNeeded
from pillarbox_smtp import Encryption, SmtpTransport
from tests.services._client import CUSTOMER, LETTER, ORDERS, OTTO
from tests.services._smtp import Password, letter, submission, transport_to
from tests.services.servers import RECIPIENT_LIMIT, SIZE_LIMIT

if TYPE_CHECKING:
    from tests.services.servers import Authority, Postfix

pytestmark = pytest.mark.services
Connect = Callable[..., SmtpTransport]


@pytest.fixture
def connect(postfix: Postfix, authority: Authority) -> Iterator[Connect]:
    """Make a transport with further settings; it is closed with the test."""
    with ExitStack() as running:

        def make(**given: Any) -> SmtpTransport:
            transport = transport_to(postfix, authority, **given)
            running.callback(transport.close)
            return transport

        yield make


def test_octets_arrive_as_they_are(connect: Connect, postfix: Postfix) -> None:
    """Dots, long lines, trailing spaces and a Bcc of the host's own stay as they were composed."""
    receipt = connect().send(submission(), Journal())
    [mail] = postfix.inbox(CUSTOMER, at_least=1)
    assert mail.sent == LETTER
    assert receipt.detail.endswith(f"queued as {receipt.reference}")


def test_large_octets_arrive_as_they_are(connect: Connect, postfix: Postfix) -> None:
    """A message just below the limit, full of dots, arrives whole."""
    body = b".a line that starts with a dot\r\n..\r\n" * 50_000
    large = b"Subject: large\r\n\r\n" + body
    assert len(large) < SIZE_LIMIT
    connect().send(submission(large), Journal())
    assert postfix.inbox(CUSTOMER, at_least=1)[0].sent == large


def test_batch_with_refusals_in_it(connect: Connect, postfix: Postfix) -> None:
    """Refused messages among others cost no connection, harm no other, and no dot of theirs is taken for a message."""
    mixed = [
        letter(1),
        letter(2, to=("refused@acme.example",)),
        letter(3, sender=OTTO),
        letter(4),
        letter(5, to=("later@acme.example",)),
        letter(6),
    ]
    answers = list(connect().send_many((one, Journal()) for one in mixed))
    assert [type(answer) for answer in answers] == [
        Receipt,
        SendRejected,
        SendRejected,
        Receipt,
        SendDeferred,
        Receipt,
    ]
    subjects = [str(mail.message["Subject"]) for mail in postfix.inbox(CUSTOMER, at_least=3)]
    assert sorted(subjects) == ["1", "4", "6"]


def test_more_recipients_than_it_takes(connect: Connect, postfix: Postfix) -> None:
    """Those above the limit are refused for now, each for itself; the others have the mail."""
    recipients = tuple(f"r{number}@customer.example" for number in range(RECIPIENT_LIMIT + 3))
    receipt = connect().send(submission(to=recipients), Journal())
    assert list(receipt.refused) == list(recipients[RECIPIENT_LIMIT:])
    assert {answer.state for answer in receipt.refused.values()} == {AnswerState.REFUSED_FOR_NOW}
    assert [len(mail.recipients) for mail in postfix.mails()] == [RECIPIENT_LIMIT]


def test_delivery_status_options(connect: Connect, postfix: Postfix) -> None:
    """NOTIFY, RET, ENVID and ORCPT are taken and handed on (RFC 3461)."""
    connect().send(submission(notify=["failure", "delay"], ret="hdrs", envid="INV 1001"), Journal())
    [mail] = postfix.inbox(CUSTOMER, at_least=1)
    assert {"RET=HDRS", "ENVID=INV+201001"} <= set(mail.mail_parameters.split())
    assert f"ORCPT=rfc822;{CUSTOMER}" in mail.recipient_parameters[0]


def test_utf8_in_headers_and_addresses(connect: Connect, postfix: Postfix) -> None:
    """Raw UTF-8 goes with SMTPUTF8 (RFC 6531)."""
    octets = "Subject: Größe\r\n\r\nGrüße\r\n".encode()
    connect().send(submission(octets, to=("käufer@customer.example",)), Journal())
    [mail] = postfix.inbox("käufer@customer.example", at_least=1)
    assert (mail.sent, "SMTPUTF8" in mail.mail_parameters) == (octets, True)


def test_sender_of_somebody_else(connect: Connect, postfix: Postfix) -> None:
    """Postfix refuses a foreign sender at the recipients; the cure names the policy all the same."""
    with pytest.raises(SendRejected) as caught:
        connect().send(submission(sender=OTTO), Journal())
    assert (caught.value.code, caught.value.stage) == ("553 5.7.1", "recipient")
    assert 'from_policy = "account"' in caught.value.cure
    assert postfix.mails() == []


def test_scram_is_used_and_proven(connect: Connect) -> None:
    """With the defaults SCRAM-SHA-256 is what signs in, at a server that offers it."""
    transport = connect()
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    findings = list(transport.check())
    assert {finding.level for finding in findings} <= {Level.OK, Level.WARN}
    assert f"SCRAM-SHA-256 as {ORDERS}" in [finding.seen for finding in findings]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "LOGIN"])
def test_wrong_password(connect: Connect, postfix: Postfix, mechanism: str) -> None:
    """A wrong password is a refused credential by whatever mechanism, once, and nothing is sent."""
    transport = connect(sasl=(mechanism,))
    transport.credentials = Password("wrong")
    with pytest.raises(SignInNeeded) as caught:
        transport.send(submission(), Journal())
    assert caught.value.code.startswith("535")
    assert postfix.mails() == []


def test_sign_in_that_was_left_out(connect: Connect, postfix: Postfix) -> None:
    """Without a sign-in the submission port refuses, and the cure says what is missing."""
    with pytest.raises((SendRejected, SignInNeeded)) as caught:
        connect(authenticate=False).send(submission(), Journal())
    assert caught.value.cure
    assert postfix.mails() == []


def test_encryption_that_was_left_out(connect: Connect, postfix: Postfix) -> None:
    """In clear to a port that wants STARTTLS nothing goes, not even over loopback."""
    transport = connect(encryption=Encryption.NONE, authenticate=False)
    with pytest.raises(SignInNeeded) as caught:
        transport.send(submission(), Journal())
    assert "encryption = starttls" in caught.value.cure
