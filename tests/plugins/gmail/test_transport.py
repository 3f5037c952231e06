"""What is sent arrives as it was composed, from an address that may be shown, and the receipt says where it is."""

from __future__ import annotations

import subprocess
import sys

import attrs
import pytest

from pillarbox import (
    CopyState,
    Journal,
    MessageError,
    Proof,
    SendDeferred,
    SenderMismatch,
    SenderPolicy,
    SettingsError,
    SignInNeeded,
)
from pillarbox.settings import FromPolicy
from pillarbox.testing.gmail import FakeGmail, Fault
from pillarbox_gmail import GmailSettings, GmailTransport, Mode
from pillarbox_gmail.app import COMPOSE, SEND
from pillarbox_gmail.limits import LARGEST
from tests.plugins.gmail.conftest import Connect
from tests.plugins.gmail.givens import ANNA, EVERYTHING, GRANTS, Connected, app, large, submission, transport

each_grant = pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))
each_size = pytest.mark.parametrize("make", [submission, large], ids=["small", "large"])


@each_grant
@each_size
def test_what_arrives_is_what_was_composed(gmail: FakeGmail, connect: Connect, scopes, make) -> None:
    """Octet by octet, but for the Message-ID that Gmail puts in the place of ours."""
    message = make()
    connect(*scopes).send(message, Journal())
    (mail,) = gmail.sent(ANNA)
    header, _, body = mail.content.partition(b"\r\n\r\n")
    assert body == message.content.partition(b"\r\n\r\n")[2]
    assert b"From: Anna Berg <anna@acme.example>" in header
    assert gmail.drafts(ANNA) == []


@each_grant
@each_size
def test_bcc_gets_it_and_nobody_sees_it(gmail: FakeGmail, connect: Connect, scopes, make) -> None:
    """Gmail reads Bcc from the message, hides it, and keeps it in the sent copy alone (rule 29)."""
    connect(*scopes).send(make(cc="cc@customer.example", bcc=["one@x.example", "two@x.example"]), Journal())
    (mail,) = gmail.sent(ANNA)
    assert mail.recipients == ("ap@customer.example", "cc@customer.example", "one@x.example", "two@x.example")
    assert b"x.example" not in mail.content
    assert mail.copy is not None
    assert b"Bcc: one@x.example" in mail.copy


def test_the_receipt_says_where_it_is(gmail: FakeGmail, connect: Connect) -> None:
    """By Gmail's id, its conversation, a link that opens the copy, and the Message-ID where it may be read."""
    message = submission()
    receipt = connect(*EVERYTHING).send(message, Journal())
    (mail,) = gmail.sent(ANNA)
    assert (receipt.message_id, receipt.reference) == (message.message_id, mail.id)
    assert receipt.provider_message_id == mail.message_id
    assert receipt.detail == f"conversation {mail.properties['threadId']}"
    assert receipt.copy is not None
    assert (receipt.copy.state, receipt.copy.detail) == (
        CopyState.BY_CARRIER,
        f"https://mail.google.com/mail/#all/{mail.id}",
    )


def test_without_the_grant_the_message_id_is_not_asked_for(gmail: FakeGmail, connect: Connect) -> None:
    """A draft, and its sending: no request that would be refused."""
    assert connect(COMPOSE).send(submission(), Journal()).provider_message_id == ""
    assert [(one.step, one.status) for one in gmail.requests] == [("draft", 200), ("drafts.send", 200)]


def test_a_message_id_that_cant_be_read_changes_nothing(gmail: FakeGmail, connect: Connect) -> None:
    """It was accepted."""
    gmail.fault("get", Fault.CUT_BEFORE)
    receipt = connect(*EVERYTHING).send(submission(), Journal())
    assert (receipt.reference, receipt.provider_message_id) == (gmail.sent(ANNA)[0].id, "")


@each_grant
def test_carriers_word_is_noted_at_once(connect: Connect, scopes) -> None:
    """Whoever finds the journal after a crash knows that it was accepted."""
    message, journal = submission(), Journal()
    receipt = connect(*scopes).send(message, journal)
    noted = Journal(journal.notes).noted_receipt(message)
    assert noted is not None
    assert noted.reference == receipt.reference


@each_grant
@pytest.mark.parametrize("shown", ["orders@acme.example", "Orders@ACME.example", "ANNA@acme.example"])
def test_a_proven_address_is_shown(gmail: FakeGmail, connect: Connect, scopes, shown: str) -> None:
    """The mailbox or a verified alias, in whatever case."""
    connect(*scopes, aliases=("orders@acme.example",)).send(submission(shown), Journal())
    assert gmail.sent(ANNA)[0].shown.lower() == shown.lower()


@each_grant
@pytest.mark.parametrize(
    "shown", ["boss@acme.example", "anna.berg@acme.example", "anna@acme.example.evil.example"]
)
def test_an_address_without_proof_is_refused_before_any_request(
    gmail: FakeGmail, connect: Connect, scopes, shown: str
) -> None:
    """Gmail would replace it without a word (rules 9 and 14)."""
    made = connect(*scopes, aliases=("orders@acme.example",))
    with pytest.raises(SenderMismatch, match="Gmail would replace it"):
        made.send(submission(shown), Journal())
    assert gmail.requests == []


def test_proof_is_told(connect: Connect) -> None:
    """As `may_show` answers."""
    made = connect(SEND, aliases=("orders@acme.example",))
    assert made.may_show("anna@acme.example") == Proof("same mailbox")
    assert made.may_show("orders@acme.example") == Proof("alias list")
    assert made.may_show("boss@acme.example") is None


@each_grant
def test_too_large_is_refused_before_any_request(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """Bcc counts, since Gmail reads it."""
    message = submission(bcc="hidden@x.example")
    filling = b"x" * (LARGEST - message.size)
    at_most = attrs.evolve(message, chunks=(*message.chunks, filling))
    assert at_most.size == LARGEST
    with pytest.raises(MessageError, match=r"36,700,160\. Send less, or a link to it"):
        connect(*scopes).send(at_most, Journal())
    assert gmail.requests == []


def test_an_international_local_part_is_refused(gmail: FakeGmail, connect: Connect) -> None:
    """Nobody knows what the API makes of it (rule 31)."""
    with pytest.raises(MessageError, match="letters beyond ASCII"):
        connect(SEND).send(submission(to="jörg@customer.example"), Journal())
    assert gmail.requests == []


def test_an_account_that_was_never_connected_says_so() -> None:
    """Before anything is asked."""
    made = GmailTransport(GmailSettings(), None)
    with pytest.raises(SignInNeeded, match="never connected"):
        made.send(submission(), Journal())


@each_grant
def test_a_token_that_is_refused_once_is_replaced(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """Rule 24: a 401 is refused before it is processed, so it is the one thing that is repeated at once."""
    made = connect(*scopes)
    credentials = made.credentials
    assert isinstance(credentials, Connected)
    gmail.revoke(credentials.token())
    made.send(submission(), Journal())
    assert len(gmail.sent(ANNA)) == 1
    assert len(credentials.given) == 2
    assert credentials.refused == credentials.given[0]


@each_grant
def test_a_token_that_is_refused_twice_needs_a_person(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """And nothing was sent."""
    for step in ("draft", "messages.send"):
        gmail.fault(step, Fault.UNAUTHORIZED, times=2)
    with pytest.raises(SignInNeeded, match="nor a new token"):
        connect(*scopes).send(submission(), Journal())
    assert gmail.sent(ANNA) == []


def test_a_token_that_is_refused_at_the_draft_s_sending(gmail: FakeGmail, connect: Connect) -> None:
    """It is replaced there too, and the draft is sent once."""
    gmail.fault("drafts.send", Fault.UNAUTHORIZED)
    connect(COMPOSE).send(submission(), Journal())
    assert len(gmail.sent(ANNA)) == 1
    assert [one.step for one in gmail.requests] == ["draft", "drafts.send", "drafts.send"]


CHILD = """
import sys, tracemalloc, types
from pillarbox import Attachment, Journal
from tests.plugins.gmail.givens import submission, transport
url, token, scope = sys.argv[1:]
made = transport(types.SimpleNamespace(url=url, token=lambda *_: token), scope)
message = submission(attachments=[Attachment("plan.bin", b"x" * 3_000_000)])
made.send(submission(), Journal())
tracemalloc.start()
made.send(message, Journal())
print(tracemalloc.get_traced_memory()[1] / message.size)
"""


@each_grant
def test_a_message_is_never_put_together(gmail: FakeGmail, scopes) -> None:
    """What is needed beside it, in a process that only sends, is far less than the message once more."""
    token = gmail.token(ANNA, *scopes)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, gmail.url, token, *scopes], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(gmail.sent(ANNA)) == 2
    assert float(done.stdout) < 0.5


@each_grant
@pytest.mark.parametrize("local", ["a/b", "a?b=c", "a#b", "a%2Fb", "a%2e%2e", "me"])
def test_a_local_part_changes_no_path(scopes, local: str) -> None:
    """Requests go to the mailbox of who signed in, whatever it is called."""
    address = f"{local}@acme.example"
    with FakeGmail(per_minute=None) as gmail:
        gmail.add_mailbox(address)
        with transport(gmail, *scopes, address=address) as made:
            made.send(submission(address), Journal())
            made.find(submission(address), Journal({"draft": "r1"}))
            assert all(one.seen for one in made.check())
        assert len(gmail.sent(address)) == 1
        assert all("/users/me/" in one.path and one.step for one in gmail.requests)


@each_grant
@pytest.mark.parametrize("token", ["a b", "a\r\nX: y", "é", "\x00"])
def test_a_token_that_can_t_be_sent_sends_nothing(
    gmail: FakeGmail, connect: Connect, scopes, token: str
) -> None:
    """It would end the header, or the request before it began."""
    made = connect(*scopes)
    assert isinstance(made.credentials, Connected)
    made.credentials.given.append(token)
    journal = Journal()
    with pytest.raises(SendDeferred, match="can't be sent"):
        made.send(submission(), journal)
    assert not journal.handed_over
    assert gmail.requests == []


def test_what_core_must_know_is_declared() -> None:
    """Without an instance."""
    assert GmailTransport.sender_policy is SenderPolicy.ACCOUNT
    assert not GmailTransport.takes_envelope
    assert GmailTransport.saves_copy
    assert GmailTransport.marks_hand_over
    limits = GmailTransport.limits(GmailSettings())
    assert (limits.per_minute, limits.recipients, limits.size) == (120, 100, LARGEST)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "signs in with Google"),
        ({"mailbox": ANNA}, "signs in with Google as anna@acme.example"),
        (
            {"mailbox": "orders@acme.example", "signs_in_as": ANNA},
            "signs in with Google as anna@acme.example",
        ),
        ({"mailbox": ANNA, "mode": Mode.SERVICE}, "acts for anna@acme.example by a service account"),
        ({"mode": Mode.SERVICE}, "acts by a service account"),
    ],
)
def test_the_account_in_words(settings, told: str) -> None:
    """For explain."""
    described = GmailTransport.describe(GmailSettings(**settings))
    assert (described.sign_in, described.copy) == (told, "filed by Gmail")


def test_another_connector_s_registration_is_refused(gmail: FakeGmail) -> None:
    """A registration of another class can't say where Gmail is."""
    made = transport(gmail, SEND)
    made.app = type(app(gmail))("something else")
    with pytest.raises(SettingsError, match="not one of Google's"):
        made.send(submission(), Journal())


def test_a_policy_that_gmail_would_undo_is_refused() -> None:
    """From is replaced where it is not the account's."""
    with pytest.raises(ValueError, match="must be account or send_as"):
        GmailSettings(from_policy=FromPolicy.USER)
