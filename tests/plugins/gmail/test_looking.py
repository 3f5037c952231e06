"""A look says what is known: ABSENT while the draft is one, SENT on evidence, else UNCLEAR."""

from __future__ import annotations

import pytest

from pillarbox import Journal, OutcomeUnknown, SightingState
from pillarbox.testing.gmail import FakeGmail, Fault
from pillarbox_gmail.app import COMPOSE, READONLY, SEND
from tests.plugins.gmail.conftest import Connect
from tests.plugins.gmail.givens import ANNA, submission, transport


def in_doubt(made, gmail: FakeGmail, fault: Fault) -> tuple:
    """Send with no answer to the request that submits, and return the message and what the journal kept."""
    message, journal = submission(), Journal()
    gmail.fault("drafts.send", fault)
    with pytest.raises(OutcomeUnknown):
        made.send(message, journal)
    return message, Journal(journal.notes)


def test_a_draft_that_is_one_was_not_sent(gmail: FakeGmail, connect: Connect) -> None:
    """Positive evidence of absence (rule 21)."""
    made = connect(COMPOSE)
    found = made.find(*in_doubt(made, gmail, Fault.CUT_BEFORE))
    assert (found.state, found.detail) == (SightingState.ABSENT, "It is still a draft, so it was not sent.")


def test_a_draft_that_is_gone_proves_nothing(gmail: FakeGmail, connect: Connect) -> None:
    """It was sent, or its person deleted it; without another way to look there is no use in looking again."""
    made = connect(COMPOSE)
    found = made.find(*in_doubt(made, gmail, Fault.CUT_AFTER))
    assert (found.state, found.is_final) == (SightingState.UNCLEAR, True)


def test_what_lies_in_sent_was_sent() -> None:
    """Where the grant lets it look there, and Gmail has kept our Message-ID."""
    with FakeGmail(keeps_message_ids=True) as gmail:
        gmail.add_mailbox(ANNA)
        with transport(gmail, COMPOSE, READONLY) as made:
            message, journal = in_doubt(made, gmail, Fault.CUT_AFTER)
            found = made.find(message, journal)
        assert found.state is SightingState.SENT
        assert found.receipt is not None
        assert found.receipt.reference == gmail.sent(ANNA)[0].id
        assert found.receipt.message_id == message.message_id


def test_another_message_id_in_sent_proves_nothing(gmail: FakeGmail, connect: Connect) -> None:
    """Gmail may have replaced it; it may also be there later."""
    made = connect(COMPOSE, READONLY)
    found = made.find(*in_doubt(made, gmail, Fault.CUT_AFTER))
    assert (found.state, found.is_final) == (SightingState.UNCLEAR, False)
    assert "may have replaced" in found.detail


def test_what_was_deleted_and_not_sent_is_not_called_sent(gmail: FakeGmail, connect: Connect) -> None:
    """The person threw the draft away."""
    made = connect(COMPOSE, READONLY)
    message, journal = in_doubt(made, gmail, Fault.CUT_BEFORE)
    gmail._mailboxes[ANNA].discard(journal.notes["draft"])
    assert made.find(message, journal).state is SightingState.UNCLEAR


def test_send_only_can_t_look(gmail: FakeGmail, connect: Connect) -> None:
    """And asks nobody."""
    found = connect(SEND).find(submission(), Journal())
    assert (found.state, found.is_final) == (SightingState.UNCLEAR, True)
    assert gmail.requests == []


@pytest.mark.parametrize("draft", ["..", "../messages/1", "a/b", "a?b", "a#b", "a%2Fb", "", "x" * 300, "r\n"])
def test_a_note_that_names_no_draft_leads_nowhere(gmail: FakeGmail, connect: Connect, draft: str) -> None:
    """What stands in the journal can't change a path."""
    found = connect(COMPOSE).find(submission(), Journal({"draft": draft}))
    assert (found.state, gmail.requests) == (SightingState.UNCLEAR, [])


@pytest.mark.parametrize(
    ("scopes", "finds"),
    [((), False), ((SEND,), False), ((COMPOSE,), True), (("https://mail.google.com/",), True)],
)
def test_capability_follows_the_scopes(scopes, finds: bool, connect: Connect) -> None:
    """Not what was asked for (rule 23)."""
    from pillarbox import Connection
    from pillarbox_gmail import GmailTransport

    told = GmailTransport.capabilities(Connection(issuer="i", subject="s", scopes=scopes))
    assert told.find is finds
    assert bool(told.note) is (scopes == (SEND,))
    assert not told.send_as
    listed = Connection(issuer="i", subject="s", scopes=scopes, aliases=("orders@acme.example",))
    assert GmailTransport.capabilities(listed).send_as
