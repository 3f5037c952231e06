"""Drafts: made, looked at, changed, removed, sent."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.core.testing.graph.asking import (
    ANNA,
    CUSTOMER,
    HIDDEN,
    IMMUTABLE,
    TAG,
    anna,
    file,
    message,
    mime,
    only,
    read,
    serving,
    to,
)


def test_a_draft_in_json_is_made_and_sent():
    with serving() as graph:
        client = anna(graph)
        said = client.post("/messages", message(bccRecipients=to(HIDDEN)))
        assert (said.status, said.json["isDraft"], said.json["subject"]) == (201, True, "Invoice 1001")
        (draft,) = graph.drafts(ANNA)
        assert (draft.recipients, draft.message_id) == ((CUSTOMER, HIDDEN), said.json["internetMessageId"])
        sent = client.post(f"/messages/{said.json['id']}/send")
        assert (sent.status, sent.octets, graph.drafts(ANNA)) == (202, b"", [])
        assert (only(graph).id, only(graph).message_id) == (draft.id, draft.message_id)


def test_a_draft_in_mime_goes_as_it_is():
    octets = mime(X_Order="7")
    with serving() as graph:
        client = anna(graph)
        said = client.mime("/messages", octets)
        assert (said.status, said.json["internetMessageId"]) == (201, "<1@acme.example>")
        client.post(f"/messages/{said.json['id']}/send")
        content = only(graph).content
    assert content.partition(b"\r\n\r\n")[2] == octets.partition(b"\r\n\r\n")[2]
    assert read(content)["X-Order"] == "7"


def test_a_tag_does_not_change_a_draft_in_mime_but_a_subject_does():
    octets = mime()
    with serving() as graph:
        client = anna(graph)
        draft = client.mime("/messages", octets).json["id"]
        tag = {"singleValueExtendedProperties": [{"id": TAG, "value": "key-1"}]}
        assert client.ask("PATCH", f"/messages/{draft}", tag).status == 200
        assert b"Message-ID: <1@acme.example>" in graph.drafts(ANNA)[0].content
        assert graph.drafts(ANNA)[0].properties == {TAG: "key-1"}
        client.ask("PATCH", f"/messages/{draft}", {"subject": "Invoice 1002"})
        client.post(f"/messages/{draft}/send")
        got = read(only(graph))
    assert (got["Subject"], got.get_content().strip()) == ("Invoice 1002", "Please find the invoice.")


def test_the_fields_of_mime_are_read():
    octets = mime(Cc="Grete <g@customer.example>", From=f"Anna Berg <{ANNA}>", Subject="Grüße")
    with serving() as graph:
        shown = anna(graph).mime("/messages", octets).json
    assert shown["from"] == {"emailAddress": {"name": "Anna Berg", "address": ANNA}}
    assert shown["ccRecipients"] == [{"emailAddress": {"name": "Grete", "address": "g@customer.example"}}]
    assert (shown["subject"], shown["body"]["contentType"]) == ("Grüße", "text")


def test_what_was_sent_is_changed_no_more():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        client.post(f"/messages/{draft}/send")
        assert client.ask("PATCH", f"/messages/{draft}", {"isRead": False}).status == 200
        for change in ({"subject": "x"}, {"internetMessageId": "<2@acme.example>"}):
            assert client.ask("PATCH", f"/messages/{draft}", change).error == (400, "ErrorInvalidPropertySet")
        assert client.post(f"/messages/{draft}/send").status == 400
        assert len(graph.sent(ANNA)) == 1


def test_a_draft_is_removed():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        assert client.ask("DELETE", f"/messages/{draft}").status == 204
        assert client.get(f"/messages/{draft}").error == (404, "ErrorItemNotFound")
        assert graph.drafts(ANNA) == []


def test_a_draft_can_lie_in_another_folder_and_is_one_still():
    with serving() as graph:
        client = anna(graph)
        said = client.post("/mailFolders/Inbox/messages", message())
        assert (said.status, said.json["isDraft"]) == (201, True)
        assert client.get("/mailFolders/drafts/messages").json["value"] == []
        assert client.post(f"/messages/{said.json['id']}/send").status == 202
        assert client.post("/mailFolders/nowhere/messages", message()).status == 404


def test_a_draft_that_can_t_be_a_mail_yet_is_shown_all_the_same():
    with serving() as graph:
        anna(graph).post("/messages", {"subject": "a\r\nBcc: x@y.example"})
        (draft,) = graph.drafts(ANNA)
    assert (draft.content, draft.recipients) == (b"", ())


def test_a_header_of_ones_own_begins_with_x():
    with serving() as graph:
        given = message(internetMessageHeaders=[{"name": "Received", "value": "x"}])
        assert anna(graph).post("/messages", given).error == (400, "InvalidInternetMessageHeader")


def test_a_line_break_in_a_header_is_refused():
    with serving() as graph:
        said = anna(graph).post("/sendMail", {"message": message(subject="a\r\nBcc: x@y.example")})
        assert (said.status, graph.sent(ANNA)) == (400, [])


@pytest.mark.parametrize("name", ["pillarbox", "String pillarbox", "String {66f5a359} Name x"])
def test_a_tag_has_a_name_of_its_kind(name: str):
    with serving() as graph:
        given = message(singleValueExtendedProperties=[{"id": name, "value": "x"}])
        assert anna(graph).post("/messages", given).status == 400


def test_ids_survive_the_path():
    """They hold `=`, which a client may write as it is or encoded."""
    with serving() as graph:
        client = anna(graph)
        draft = client.ask("POST", "/messages", message(), **IMMUTABLE).json["id"]
        assert "=" in draft
        assert client.get(f"/messages/{draft}").status == 200
        assert client.get(f"/messages/{quote(draft, safe='')}").status == 200
        assert client.get(f"/messages('{draft}')").status == 200


def test_the_octets_of_a_message_are_given():
    with serving() as graph:
        client = anna(graph)
        draft = client.mime("/messages", mime()).json["id"]
        assert client.get(f"/messages/{draft}/$value").octets == mime()


def test_small_attachments_are_added_looked_at_and_removed():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        added = client.post(f"/messages/{draft}/attachments", file(contentType="application/pdf"))
        assert (added.status, added.json["size"]) == (201, 4)
        at = f"/messages/{draft}/attachments/{added.json['id']}"
        assert [one["name"] for one in client.get(f"/messages/{draft}/attachments").json["value"]] == [
            "invoice.pdf"
        ]
        assert (client.get(at).json["contentBytes"], client.get(f"{at}/$value").octets) == (
            "JVBERg==",
            b"%PDF",
        )
        assert client.ask("DELETE", at).status == 204
        assert client.get(at).error == (404, "ErrorItemNotFound")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (file(content=bytes(3 * 1024 * 1024)), 413),
        ({**file(), "@odata.type": ""}, 400),
        ({**file(), "contentBytes": "%"}, 400),
        ({**file(), "name": ""}, 400),
    ],
)
def test_an_attachment_that_is_none_is_refused(given: dict, status: int):
    with serving() as graph:
        client = anna(graph)
        said = client.post(f"/messages/{client.draft()}/attachments", given)
        assert (said.status, read(graph.drafts(ANNA)[0]).is_multipart()) == (status, False)


def test_attachments_of_mime_are_kept_when_one_is_added():
    """And so are the headers and what is no plain body."""
    with serving() as graph:
        client = anna(graph)
        letter = read(
            mime(References="<0@acme.example>", Date="Thu, 26 Nov 2026 02:00:00 +0000", Importance="High")
        )
        letter.add_attachment(b"%PDF", "application", "pdf", filename="first.pdf")
        letter.add_attachment("BEGIN:VCALENDAR", "calendar", disposition="inline")
        draft = client.mime("/messages", letter.as_bytes()).json["id"]
        client.post(f"/messages/{draft}/attachments", file("second.pdf"))
        client.post(f"/messages/{draft}/send")
        got = read(only(graph))
    files = [(part.get_filename(), part.get_content_type()) for part in got.iter_attachments()]
    assert files == [
        ("first.pdf", "application/pdf"),
        ("attachment", "text/calendar"),
        ("second.pdf", "application/octet-stream"),
    ]
    assert (got["References"], got["Date"], got["Importance"]) == (
        "<0@acme.example>",
        "Thu, 26 Nov 2026 02:00:00 +0000",
        "high",
    )
    assert got.get_body().get_content().strip() == "Please find the invoice."
