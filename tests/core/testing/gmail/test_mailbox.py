"""Drafts, conversations and the pace of a mailbox."""

from __future__ import annotations

import pytest

from pillarbox.testing.gmail import FakeGmail
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, Client, base64url, client


def test_a_draft_is_kept_as_it_came(gmail: FakeGmail):
    """With its hidden recipients and its Message-ID; only what is sent is changed."""
    raw = b"Bcc: boss@acme.example\r\n" + MESSAGE
    name = client(gmail).draft(raw)
    (draft,) = gmail.drafts(ORDERS)
    assert (draft.id, draft.content, draft.message_id) == (name, MESSAGE, "<1001@acme.example>")
    assert draft.recipients == ("ap@customer.example", "boss@acme.example")
    assert draft.copy is None


def test_a_draft_that_was_sent_is_gone(gmail: FakeGmail):
    """That is the fence: 404 says it was sent, or deleted."""
    anna = client(gmail)
    name = anna.draft()
    assert anna.ask("GET", f"drafts/{name}").status == 200
    said = anna.post("drafts/send", {"id": name})
    assert said.json["labelIds"] == ["SENT"]
    assert anna.ask("GET", f"drafts/{name}").reason == "notFound"
    assert anna.post("drafts/send", {"id": name}).reason == "notFound"
    assert [mail.id for mail in gmail.sent(ORDERS)] == [said.json["id"]]


def test_a_draft_that_was_deleted_is_gone(gmail: FakeGmail):
    anna = client(gmail)
    name = anna.draft()
    said = anna.ask("DELETE", f"drafts/{name}")
    assert (said.status, said.body) == (204, b"")
    assert anna.ask("GET", f"drafts/{name}").status == 404
    assert gmail.drafts(ORDERS) == gmail.sent(ORDERS) == []


def test_a_draft_may_be_replaced_as_it_is_sent(gmail: FakeGmail):
    anna = client(gmail)
    newer = MESSAGE.replace(b"Hello", b"Newer")
    anna.post("drafts/send", {"id": anna.draft(), "message": {"raw": base64url(newer)}})
    assert b"Newer" in gmail.sent(ORDERS)[0].content


def test_a_draft_without_recipients_can_be_made_and_not_sent(gmail: FakeGmail):
    anna = client(gmail)
    name = anna.draft(b"Subject: later\r\n\r\n")
    assert anna.post("drafts/send", {"id": name}).reason == "invalidArgument"
    assert len(gmail.drafts(ORDERS)) == 1


def test_a_message_to_nobody_is_refused(gmail: FakeGmail):
    said = client(gmail).send(b"Subject: to nobody\r\n\r\n")
    assert (said.status, said.json["error"]["message"]) == (400, "Recipient address required")


ANSWER = b"In-Reply-To: %b\r\n" + MESSAGE.replace(b"Invoice", b"Re: Invoice")


def test_an_answer_joins_its_conversation(gmail: FakeGmail):
    """By the Message-ID that Gmail gave, and with the same subject."""
    anna = client(gmail)
    first = anna.send().json
    own = gmail.sent(ORDERS)[0].message_id.encode()
    assert anna.send(ANSWER % own).json["threadId"] == first["threadId"]
    assert anna.send(ANSWER % own, threadId=first["threadId"]).json["threadId"] == first["threadId"]
    assert anna.send((ANSWER % own).replace(b"1001", b"1002")).json["threadId"] != first["threadId"]
    assert anna.send(threadId=first["threadId"]).json["threadId"] != first["threadId"]


def test_a_conversation_that_does_not_exist_is_refused(gmail: FakeGmail):
    assert client(gmail).send(threadId="0123").reason == "notFound"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("most", "span"), [({"per_second": 2}, 1.0), ({"per_minute": 2, "per_second": None}, 60.0)]
)
def test_a_mailbox_has_a_pace(most: dict, span: float):
    """The third waits, in one mailbox; drafts and other mailboxes don't."""
    clock = Clock()
    with FakeGmail(clock=clock, **most) as gmail:
        gmail.add_mailbox(ORDERS)
        gmail.add_mailbox("other@acme.example")
        anna = client(gmail)
        name = anna.draft()
        assert [paced(anna, name) for _ in range(3)] == [200, 200, 429]
        assert anna.post("drafts/send", {"id": name}).status == 429
        assert (client(gmail, address="other@acme.example").send().status, anna.draft()[0]) == (200, "r")
        clock.now += span - 0.01
        assert anna.send().status == 429
        clock.now += 0.02
        assert anna.post("drafts/send", {"id": name}).status == 200


def test_a_draft_that_is_sent_counts():
    with FakeGmail(per_minute=1, clock=lambda: 0.0) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        assert anna.post("drafts/send", {"id": anna.draft()}).status == 200
        assert anna.send().status == 429


def paced(anna: Client, draft: str) -> int:
    """Send, and find a throttled draft where it was."""
    status = anna.send().status
    assert anna.ask("GET", f"drafts/{draft}").status == 200
    return status


def test_a_pace_can_be_none():
    with FakeGmail(per_minute=None, clock=lambda: 0.0) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        assert {anna.send().status for _ in range(160)} == {200}


def test_gmails_pace_of_a_minute_holds_by_default():
    with FakeGmail(clock=lambda: 0.0) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        assert [anna.send().status for _ in range(151)].count(200) == 150
