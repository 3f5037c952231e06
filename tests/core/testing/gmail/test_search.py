"""The words of a search that the fake knows."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pillarbox.testing.gmail import FakeGmail
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, Client, client


def found(anna: Client, query: str) -> list[str]:
    listed = anna.ask("GET", f"messages?q={quote(query, safe='')}").json
    return [one["id"] for one in listed.get("messages", [])]


def test_a_message_is_found_by_the_id_it_travels_with(gmail: FakeGmail):
    """With angle brackets or without; not by the one that was replaced."""
    anna = client(gmail)
    anna.send()
    (mail,) = gmail.sent(ORDERS)
    assert found(anna, f"rfc822msgid:{mail.message_id}") == [mail.id]
    assert found(anna, f"in:sent rfc822msgid:{mail.message_id.strip('<>')}") == [mail.id]
    assert found(anna, "rfc822msgid:1001@acme.example") == []


def test_a_message_whose_id_was_kept_is_found_by_ours():
    with FakeGmail(keeps_message_ids=True) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        said = anna.send()
        assert found(anna, "rfc822msgid:<1001@acme.example>") == [said.json["id"]]
        assert gmail.sent(ORDERS)[0].content == MESSAGE


def test_a_draft_is_not_in_sent(gmail: FakeGmail):
    """It is found by our Message-ID as long as it is a draft."""
    anna = client(gmail)
    anna.draft()
    (draft,) = found(anna, "rfc822msgid:1001@acme.example")
    assert found(anna, "in:drafts") == found(anna, "in:anywhere") == [draft]
    assert found(anna, "rfc822msgid:1001@acme.example in:sent") == []
    assert found(anna, "-in:sent") == [draft]


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("to:ap@customer.example", 1),
        ('subject:"invoice 1001"', 1),
        ("from:orders subject:1002", 0),
        ("", 1),
        ("  ", 1),
    ],
)
def test_headers_are_searched(gmail: FakeGmail, query: str, hits: int):
    anna = client(gmail)
    anna.send()
    assert len(found(anna, query)) == hits


@pytest.mark.parametrize("query", ["has:attachment", "invoice", "in:nowhere", "rfc822msgid:"])
def test_what_the_fake_does_not_know_it_says(gmail: FakeGmail, query: str):
    """Nothing found would be a lie."""
    said = client(gmail).ask("GET", f"messages?q={quote(query)}")
    assert (said.status, said.reason) == (501, "notImplemented")
