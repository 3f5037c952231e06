"""Send and confirm: a draft, noted, then sent; a retry goes on with what is there."""

from __future__ import annotations

import email
import email.policy
import random

import pytest

from pillarbox import (
    Attachment,
    CopyState,
    Journal,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
)
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import drafts, fields, making
from tests.plugins.m365.givens import ANNA, CONFIRM, ORDERS, SHARED, outcome_of, steps, submission, transport

LARGE = random.Random(7).randbytes(5_000_000)
MIDDLE = random.Random(8).randbytes(2_500_000)


def files_of(content: bytes) -> dict[str, bytes]:
    """Return the files in a mail, by name."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    return {one.get_filename(): one.get_content() for one in mail.iter_attachments()}


def test_a_small_message_is_a_draft_of_its_bytes(graph: FakeGraph) -> None:
    """It is tagged, sent, and looked at once for the name that it travels with."""
    what, journal = submission(bcc=["hidden@x.example"]), Journal()
    with transport(graph) as one:
        receipt = one.send(what, journal)
    assert steps(graph) == ["draft", "patch", "send", "get"]
    (mail,) = graph.sent(ORDERS)
    assert mail.recipients == ("ap@customer.example", "hidden@x.example")
    assert b"hidden" not in mail.content
    assert b"hidden" in (mail.copy or b"")
    assert mail.properties == {fields.TAG: what.key}
    assert receipt.submitted_only
    assert receipt.reference == journal.notes["m365.draft"]
    assert receipt.copy is not None
    assert receipt.copy.state is CopyState.BY_CARRIER
    assert "conversation" in receipt.detail
    assert receipt.copy.detail.startswith("https://")


def test_the_draft_is_noted_before_it_is_sent(graph: FakeGraph) -> None:
    """And handed over once, when all of it is there."""
    told: list[str] = []

    class Telling(Journal):
        def _write(self, name: str, value: str) -> None:
            told.append(f"{name} after {steps(graph)[-1:]}")

        def _mark(self) -> None:
            told.append(f"mark after {steps(graph)[-1:]}")

    with transport(graph) as one:
        one.send(submission(), Telling())
    assert told == ["m365.asked after []", "m365.draft after ['draft']", "mark after ['patch']"]


def test_the_message_id_that_the_provider_chose(graph: FakeGraph) -> None:
    """It stands in the receipt, beside ours."""
    graph.manners.message_ids = "replaced"
    what = submission()
    with transport(graph) as one:
        receipt = one.send(what, Journal())
    assert receipt.message_id == what.message_id
    assert receipt.provider_message_id == graph.sent(ORDERS)[0].message_id != what.message_id


@pytest.mark.parametrize(
    "fault", [Fault.HANG, Fault.UNAVAILABLE, Fault.CUT_AFTER, Fault.GARBAGE, Fault.UNAUTHORIZED]
)
def test_what_fails_behind_the_acceptance_changes_nothing(
    graph: FakeGraph, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken (rule 18)."""
    monkeypatch.setattr(drafts, "READ_BACK", 0.2)
    graph.fault("get", fault, times=9)
    with transport(graph) as one:
        assert isinstance(one.send(submission(), Journal()), Receipt)


def test_another_from_goes_in_fields(graph: FakeGraph) -> None:
    """Graph may ignore the From of MIME."""
    graph.manners.mime_from = "mailbox"
    with transport(graph, mailbox=ANNA, scopes=(*CONFIRM, "Mail.Send.Shared")) as one:
        one.send(submission(shows=ORDERS, html="<p>x</p>"), Journal())
    (mail,) = graph.sent(ANNA)
    assert mail.shown == ORDERS
    assert steps(graph) == ["draft", "send", "get"]


def test_a_shared_mailbox_is_another_users(graph: FakeGraph) -> None:
    """Its copy lies there."""
    with transport(graph, mailbox=ORDERS, signs_in_as=ANNA, scopes=SHARED) as one:
        one.send(submission(), Journal())
    assert len(graph.sent(ORDERS)) == 1
    assert graph.sent(ANNA) == []
    assert {one.path.split("/")[2:4][0] for one in graph.requests} == {"users"}


def test_middling_files_go_one_by_one(graph: FakeGraph) -> None:
    """Each in one call, to a draft of fields."""
    files = [Attachment(f"{at}.bin", MIDDLE) for at in range(3)]
    what = submission(attachments=files)
    with transport(graph) as one:
        one.send(what, Journal())
    assert steps(graph) == ["draft", "attach", "attach", "attach", "send", "get"]
    assert files_of(graph.sent(ORDERS)[0].content) == {f"{at}.bin": MIDDLE for at in range(3)}
    assert graph.sent(ORDERS)[0].properties[fields.TAG] == what.key


def test_a_large_file_goes_in_ranges(graph: FakeGraph) -> None:
    """A small one beside it in a call."""
    files = [Attachment("large.bin", LARGE), Attachment("small.bin", b"abc")]
    with transport(graph) as one:
        one.send(submission(attachments=files), Journal())
    assert steps(graph) == ["draft", "session", "range", "range", "attach", "send", "get"]
    assert files_of(graph.sent(ORDERS)[0].content) == {"large.bin": LARGE, "small.bin": b"abc"}


def test_a_retry_goes_on_with_the_draft(graph: FakeGraph) -> None:
    """It is made once."""
    graph.fault("send", Fault.THROTTLED, retry_after=9)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        error = outcome_of(one, what, journal)
        assert isinstance(error, SendDeferred)
        assert error.retry_after == 9
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert steps(graph).count("draft") == 1
    assert len(graph.sent(ORDERS)) == 1
    assert graph.drafts(ORDERS) == []


def test_a_retry_begins_anew_where_files_were_missing(graph: FakeGraph) -> None:
    """What was begun is deleted."""
    graph.fault("range", Fault.ERROR, after=1, times=3)
    what, journal = submission(attachments=[Attachment("large.bin", LARGE)]), Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, what, journal), SendDeferred)
        assert len(graph.drafts(ORDERS)) == 1
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert graph.drafts(ORDERS) == []
    assert len(graph.sent(ORDERS)) == 1


def test_a_draft_whose_id_nobody_heard_is_cleared_away(graph: FakeGraph) -> None:
    """It was made, and the answer got lost."""
    graph.fault("draft", Fault.CUT_AFTER)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, what, journal), SendDeferred)
        assert len(graph.drafts(ORDERS)) == 1
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert graph.drafts(ORDERS) == []
    assert len(graph.sent(ORDERS)) == 1


def test_a_retry_of_what_was_sent_sends_nothing(graph: FakeGraph) -> None:
    """It finds the mail."""
    what, journal = submission(), Journal()
    with transport(graph) as one:
        one.send(what, journal)
        again = one.send(what, Journal(journal.notes))
    assert again.message_id == what.message_id
    assert len(graph.sent(ORDERS)) == 1


def test_a_retry_whose_draft_is_gone_is_nobodys_guess(graph: FakeGraph) -> None:
    """It was called to be sent, and refused for now: a person says what became of it, and is believed."""
    graph.fault("send", Fault.THROTTLED)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        outcome_of(one, what, journal)
        graph._mailbox(ORDERS).items.clear()
        again = Journal(journal.notes)
        assert isinstance(outcome_of(one, what, again), OutcomeUnknown)
        assert graph.sent(ORDERS) == []
        assert isinstance(outcome_of(one, what, Journal(again.notes)), Receipt)
    assert len(graph.sent(ORDERS)) == 1


def test_a_person_who_says_that_it_was_not_sent_is_believed(graph: FakeGraph) -> None:
    """The answer was lost and the draft deleted; nobody can look, so somebody says it, and it is sent."""
    graph.fault("send", Fault.CUT_BEFORE)
    what, journal = submission(), Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, what, journal), OutcomeUnknown)
        graph._mailbox(ORDERS).items.clear()
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert len(graph.sent(ORDERS)) == 1


def test_a_draft_that_was_deleted_before_the_hand_over_is_made_again(graph: FakeGraph) -> None:
    """It can't have been sent."""
    graph.fault("patch", Answer(404, "ErrorItemNotFound"))
    what, journal = submission(), Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, what, journal), SendDeferred)
        assert isinstance(outcome_of(one, what, Journal(journal.notes)), Receipt)
    assert len(graph.sent(ORDERS)) == 1


def test_a_throttled_call_is_looked_at_first(graph: FakeGraph) -> None:
    """The mail may have been sent in spite of the 429 (rule 20)."""
    graph.fault("send", Answer(429, "ApplicationThrottled", processed=True))
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission()), Receipt)
    assert len(graph.sent(ORDERS)) == 1


def test_a_throttled_call_whose_look_fails_is_unknown(graph: FakeGraph) -> None:
    """The draft is neither there nor found sent."""
    graph.fault("send", Answer(429, "ApplicationThrottled"))
    graph.fault("get", Fault.UNAVAILABLE, times=5)
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission()), OutcomeUnknown)


def test_what_is_refused_for_good_leaves_no_draft(graph: FakeGraph) -> None:
    """The person would find it in Drafts."""
    graph.fault("send", Answer(400, "ErrorInvalidRecipients"))
    journal = Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission(), journal), SendRejected)
    assert graph.drafts(ORDERS) == []
    assert journal.notes["m365.draft"] == ""


def test_a_file_that_is_refused_leaves_no_draft(graph: FakeGraph) -> None:
    """Nor was anything handed over."""
    graph.fault("attach", Answer(413, "ErrorAttachmentSizeLimitExceeded"))
    files, journal = [Attachment(f"{at}.bin", MIDDLE) for at in range(2)], Journal()
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission(attachments=files), journal), SendRejected)
    assert graph.drafts(ORDERS) == []
    assert not journal.handed_over


def test_a_file_beyond_what_graph_takes(graph: FakeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is asked."""
    monkeypatch.setattr(making, "LARGEST_FILE", 4_000_000)
    with transport(graph) as one:
        error = outcome_of(one, submission(attachments=[Attachment("large.bin", LARGE)]))
    assert isinstance(error, MessageError)
    assert "large.bin" in error.detail
    assert steps(graph) == []


def test_a_text_beyond_one_request(graph: FakeGraph) -> None:
    """There is no way to send it in parts."""
    with transport(graph) as one:
        error = outcome_of(one, submission(text="word " * 900_000))
    assert isinstance(error, MessageError)
    assert error.cure == "Attach it as a file."
