"""The SMTP transport alone against Exim: a second server's words, stages and sign-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import Journal, Receipt, SendDeferred, SendRejected, SignInNeeded
from pillarbox_smtp import Encryption, SmtpTransport
from tests.services._client import CUSTOMER, LETTER, OTTO
from tests.services._smtp import Password, letter, submission, transport_to
from tests.services.servers import SIZE_LIMIT

if TYPE_CHECKING:
    from tests.services.servers import Authority, Exim

pytestmark = pytest.mark.services
Connect = Callable[..., SmtpTransport]


@pytest.fixture
def connect(exim: Exim, authority: Authority) -> Iterator[Connect]:
    """Make a transport with further settings; it is closed with the test."""
    with ExitStack() as running:

        def make(**given: Any) -> SmtpTransport:
            transport = transport_to(exim, authority, **given)
            running.callback(transport.close)
            return transport

        yield make


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_octets_arrive_as_they_are(connect: Connect, exim: Exim, encryption: Encryption) -> None:
    """What was composed arrives, under Exim's own name for it, over GnuTLS."""
    port = exim.tls_port if encryption is Encryption.TLS else exim.starttls_port
    receipt = connect(encryption=encryption, port=port).send(submission(), Journal())
    [mail] = exim.inbox(CUSTOMER, at_least=1)
    assert mail.sent == LETTER
    assert receipt.detail == f"OK id={receipt.reference}"


def test_batch_with_refusals_in_it(connect: Connect, exim: Exim) -> None:
    """Refused at the sender or at the recipient, some messages fail; the others arrive by the same connection."""
    mixed = [letter(1), letter(2, sender=OTTO), letter(3, to=("refused@acme.example",)), letter(4), letter(5)]
    transport = connect()
    answers = list(transport.send_many((one, Journal()) for one in mixed))
    assert [type(answer) for answer in answers] == [Receipt, SendRejected, SendRejected, Receipt, Receipt]
    subjects = [str(mail.message["Subject"]) for mail in exim.inbox(CUSTOMER, at_least=3)]
    assert sorted(subjects) == ["1", "4", "5"]


def test_sender_of_somebody_else(connect: Connect) -> None:
    """Exim refuses a foreign sender at MAIL."""
    with pytest.raises(SendRejected) as caught:
        connect().send(submission(sender=OTTO), Journal())
    assert (caught.value.stage, caught.value.code[:3]) == ("sender", "550")
    assert 'from_policy = "account"' in caught.value.cure


def test_content_that_is_too_large_at_its_end(connect: Connect, exim: Exim) -> None:
    """A size that SIZE did not tell is refused at the dot: a complete answer, and the next message goes."""
    transport = connect()
    transport.send(letter(1), Journal())
    line = transport._line
    assert line is not None
    line.session.offered = line.session.offered._replace(size=None, names=frozenset({"PIPELINING"}))
    with pytest.raises(SendRejected) as caught:
        transport.send(submission(b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\nx" * SIZE_LIMIT), Journal())
    assert (caught.value.code[:3], caught.value.stage) == ("552", "content")
    transport.send(letter(2), Journal())
    assert len(exim.inbox(CUSTOMER, at_least=2)) == 2


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("right", [True, False])
def test_mechanisms(connect: Connect, mechanism: str, right: bool) -> None:
    """Each mechanism that Exim offers signs in, and is refused with a wrong password."""
    transport = connect(sasl=(mechanism,))
    if right:
        assert transport.send(letter(1), Journal()).reference
    else:
        transport.credentials = Password("wrong")
        with pytest.raises(SignInNeeded):
            transport.send(letter(1), Journal())


def test_mechanism_that_is_not_offered(connect: Connect) -> None:
    """Exim offers no SCRAM: an account that insists on it does not sign in by anything weaker."""
    with pytest.raises(SendDeferred, match="SCRAM-SHA-256"):
        connect(sasl=("SCRAM-SHA-256",)).send(letter(1), Journal())
