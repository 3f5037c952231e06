"""What nobody means to send: the fake answers it, and does not break."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.testing.graph.asking import ANNA, CUSTOMER, HIDDEN, anna, file, mime, read, serving, to

GENTLY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.text(max_size=40)
PEOPLE = st.lists(
    st.builds(lambda name, address: {"emailAddress": {"name": name, "address": address}}, TEXT, TEXT),
    max_size=2,
)
FILES = st.lists(
    st.builds(
        lambda name, kind, inline: file(name, contentType=kind, isInline=inline, contentId=name),
        TEXT,
        st.sampled_from(["message/rfc822", "multipart/mixed", "text/plain; charset=x", "image/png", "x"])
        | TEXT,
        st.booleans(),
    ),
    max_size=2,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "subject": TEXT,
        "body": st.fixed_dictionaries({}, optional={"contentType": st.just("HTML"), "content": TEXT}),
        "ccRecipients": PEOPLE,
        "replyTo": PEOPLE,
        "from": PEOPLE.map(lambda people: people[0] if people else None),
        "internetMessageId": TEXT,
        "attachments": FILES,
        "internetMessageHeaders": st.lists(
            st.builds(lambda name, value: {"name": f"x-{name}", "value": value}, TEXT, TEXT), max_size=2
        ),
    },
)
WORDS = [
    *(
        "subject",
        "isDraft",
        "from/emailAddress/address",
        "toRecipients",
        "body",
        "eq",
        "ne",
        "ge",
        "and",
        "or",
    ),
    *("not", "(", ")", ",", "'x'", "'", "true", "null", "5", "startswith", "contains"),
    *("singleValueExtendedProperties/any", "ep:", "ep/id", "ep/value", "desc", "$filter=id"),
]


def test_any_message_is_taken_or_refused():
    with serving() as graph:
        client = anna(graph)

        @GENTLY
        @given(MESSAGES)
        def ask(fields: dict[str, Any]) -> None:
            body = {"message": {**fields, "toRecipients": to(CUSTOMER)}}
            assert client.post("/sendMail", body).status in {202, 400, 403}
            assert client.post("/messages", fields).status in {201, 400}

        ask()
        assert all(draft.shown for draft in graph.drafts(ANNA))


@pytest.mark.parametrize("option", ["filter", "orderby", "expand", "select", "top"])
def test_any_option_is_taken_or_refused(option: str):
    with serving() as graph:
        client = anna(graph)
        client.draft()

        @GENTLY
        @given(st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join) | TEXT)
        def ask(text: str) -> None:
            assert client.get("/messages", **{option: text}).status in {200, 400}

        ask()


def test_malformed_mime_is_taken_or_refused_and_its_bcc_hidden():
    chance = random.Random(1001)
    whole = f"Bcc: {HIDDEN}\r\n".encode() + mime(To=f"Ä <{CUSTOMER}>, x@customer.example", Subject="Grüße")
    pieces = [b"\n", b"\r\n", b"=?utf-8?q?", b"?=", b"<", b",", b":", b'"', b"\x00", b"(", b"\xff", b""]
    with serving() as graph:
        client = anna(graph)
        for _ in range(150):
            start = chance.randrange(30, len(whole))
            octets = whole[:start] + chance.choice(pieces) + whole[start + chance.randrange(20) :]
            assert client.mime("/sendMail", octets).status in {202, 400, 403}
        assert not [mail for mail in graph.sent(ANNA) if HIDDEN.encode() in mail.content]
        assert len(graph.sent(ANNA)) > 50


def test_a_head_in_utf_8_is_read_and_kept():
    octets = mime(Subject="").replace(b"To:", "Subject: Grüße\r\nTo:".encode())
    with serving() as graph:
        client = anna(graph)
        said = client.mime("/messages", octets)
        client.post(f"/messages/{said.json['id']}/send")
        (mail,) = graph.sent(ANNA)
    assert (said.json["subject"], "Grüße".encode() in mail.content) == ("Grüße", True)


def test_a_mail_within_a_mail_is_a_file():
    letter, inner = read(mime()), read(mime(Subject="Inner"))
    letter.add_attachment(inner)
    with serving() as graph:
        client = anna(graph)
        draft = client.mime("/messages", letter.as_bytes()).json["id"]
        (told,) = client.get(f"/messages/{draft}/attachments").json["value"]
    assert (told["contentType"], told["size"] > 100) == ("message/rfc822", True)
