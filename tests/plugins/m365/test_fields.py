"""A message in the fields of Graph."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pillarbox import Attachment, Envelope, MessageError, Unsubscribe
from pillarbox_m365 import fields, parts
from tests.plugins.m365.givens import submission


def told(**given: object) -> dict[str, Any]:
    made = submission(**given)
    return fields.message_of(parts.read(made.content, made.bcc_header), made)


def addresses(people: list[dict[str, dict[str, str]]]) -> list[str]:
    return [one["emailAddress"]["address"] for one in people]


def test_who_it_is_from_and_goes_to() -> None:
    """Bcc in a field of its own (rule 29)."""
    found = told(to=["A B <a@x.example>"], cc=["c@x.example"], bcc=["d@x.example"], reply_to=["r@x.example"])
    assert found["toRecipients"] == [{"emailAddress": {"name": "A B", "address": "a@x.example"}}]
    assert addresses(found["ccRecipients"]) == ["c@x.example"]
    assert addresses(found["bccRecipients"]) == ["d@x.example"]
    assert addresses(found["replyTo"]) == ["r@x.example"]
    assert found["from"]["emailAddress"] == {"name": "Anna Berg", "address": "orders@acme.example"}


def test_nobody_but_hidden_recipients() -> None:
    """To is empty then."""
    found = told(to=(), bcc=["d@x.example"])
    assert (found["toRecipients"], addresses(found["bccRecipients"])) == ([], ["d@x.example"])


def test_the_names_that_are_ours() -> None:
    """The Message-ID and the key go along."""
    made = submission()
    found = fields.message_of(parts.read(made.content), made)
    assert found["internetMessageId"] == made.message_id
    assert {"id": fields.TAG, "value": made.key} in found["singleValueExtendedProperties"]


def test_text_and_subject_in_any_alphabet() -> None:
    """As they were written."""
    found = told(subject="Grüße 你好 " * 20, text="Größe\n")
    assert found["subject"] == "Grüße 你好 " * 20
    assert found["body"] == {"contentType": "text", "content": "Größe\r\n"}


def test_importance_and_a_read_receipt() -> None:
    """They have fields of their own."""
    found = told(importance="high", read_receipt=True)
    assert (found["importance"], found["isReadReceiptRequested"]) == ("high", True)
    assert "internetMessageHeaders" not in found


def test_headers_of_ones_own() -> None:
    """Graph has a field for five; more go as properties, and none is lost."""
    found = told(headers=[(f"X-Number-{at}", str(at)) for at in range(7)])
    assert [one["name"] for one in found["internetMessageHeaders"]] == [f"X-Number-{at}" for at in range(5)]
    properties = {
        one["id"].rpartition(" ")[2]: one["value"] for one in found["singleValueExtendedProperties"]
    }
    assert {properties[f"X-Number-{at}"] for at in (5, 6)} == {"5", "6"}


def test_headers_that_graph_has_no_field_for() -> None:
    """They go as the properties that stand for them."""
    found = told(
        in_reply_to="<a@x.example>",
        references=["<a@x.example>"],
        unsubscribe=Unsubscribe(url="https://acme.example/u", one_click=True),
    )
    properties = {one["id"]: one["value"] for one in found["singleValueExtendedProperties"]}
    assert properties["String 0x1042"] == "<a@x.example>"
    assert properties["String 0x1039"] == "<a@x.example>"
    names = {one.rpartition(" ")[2] for one in properties}
    assert {"List-Unsubscribe", "List-Unsubscribe-Post"} <= names


def test_a_file_that_the_html_shows() -> None:
    """It says so, and under what name."""
    made = submission(
        html="<img src='cid:l@a'>",
        attachments=[Attachment("l.png", b"x", "image/png", inline=True, content_id="l@a")],
    )
    (leaf,) = parts.read(made.content).files
    assert fields.described(leaf) == {
        "name": "l.png",
        "contentType": "image/png",
        "isInline": True,
        "contentId": "l@a",
    }


def test_an_envelope_that_the_header_does_not_name() -> None:
    """Graph has none, so it would go to others."""
    made = submission(to=["a@x.example", "b@x.example"])
    part = attrs.evolve(made, envelope=Envelope("orders@acme.example", ("b@x.example",)))
    head = parts.header_of(made)
    fields.require_all(head, made)
    with pytest.raises(MessageError, match="to others than it names"):
        fields.require_all(head, part)


@pytest.mark.parametrize(
    "address", ['"john doe"@x.example', "o'neill_%$#@x.example", "UPPER+tag@X.example", "a@bücher.example"]
)
def test_odd_addresses_are_named_as_they_are(address: str) -> None:
    """The envelope and the header say the same."""
    made = submission(to=[address], bcc=["h@x.example"])
    fields.require_all(parts.header_of(made), made)
