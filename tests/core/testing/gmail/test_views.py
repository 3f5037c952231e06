"""What Gmail shows of messages, drafts, lists and aliases; all of it is in Google's schemas."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.gmail._api import Api
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, client
from tests.gmail_discovery import discovery

API = Api.discovered(discovery())
PARTS = MESSAGE.replace(
    b"\r\n\r\nHello.", b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello."
) + (b"--b\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--b--\r\n")


def unknown(value: Any, kind: str) -> list[str]:
    """Return the fields of *value* that the schema *kind* does not have, or has with another type."""
    if kind.startswith("["):
        return [name for one in value for name in unknown(one, kind[1:-1])]
    if not kind.startswith("#"):
        wanted = {"string": str, "integer": int, "boolean": bool}.get(kind.partition(":")[0], str)
        return [] if isinstance(value, wanted) else [f"{kind}: {value!r}"]
    known = API.schemas[kind[1:]]
    inner = [one for name, said in value.items() if name in known for one in unknown(said, known[name])]
    return inner + [name for name in value if name not in known]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("profile", "Profile"),
        ("messages", "ListMessagesResponse"),
        ("drafts", "ListDraftsResponse"),
        ("settings/sendAs", "ListSendAsResponse"),
        *((f"messages/ID?format={form}", "Message") for form in ("full", "raw", "metadata", "minimal")),
        *((f"drafts/DRAFT?format={form}", "Draft") for form in ("full", "raw", "metadata", "minimal")),
    ],
)
def test_an_answer_is_in_googles_schema(gmail: FakeGmail, path: str, schema: str):
    anna = client(gmail)
    ids = {"ID": anna.send(PARTS).json["id"], "DRAFT": anna.draft(PARTS)}
    said = anna.ask(
        "GET", "/".join(ids.get(part, part) for part in path.replace("?", "/?").split("/")).replace("/?", "?")
    )
    assert said.status == 200
    assert unknown(said.json, f"#{schema}") == []


def test_what_a_write_answers_is_in_googles_schema(gmail: FakeGmail):
    anna = client(gmail)
    made = anna.post("drafts", {"message": {"raw": base64.urlsafe_b64encode(MESSAGE).decode()}}).json
    assert (
        unknown(made, "#Draft")
        == unknown(anna.post("drafts/send", {"id": made["id"]}).json, "#Message")
        == []
    )


def test_a_message_is_read_raw(gmail: FakeGmail):
    """The copy in Sent, hidden recipients included."""
    anna = client(gmail)
    said = anna.send(b"Bcc: boss@acme.example\r\n" + MESSAGE).json
    got = anna.ask("GET", f"messages/{said['id']}?format=raw").json
    assert base64.urlsafe_b64decode(got["raw"]) == gmail.sent(ORDERS)[0].copy


def test_metadata_has_the_headers_that_were_asked_for(gmail: FakeGmail):
    anna = client(gmail)
    said = anna.send().json
    got = anna.ask(
        "GET", f"messages/{said['id']}?format=metadata&metadataHeaders=message-ID&metadataHeaders=To"
    ).json
    names = [one["name"] for one in got["payload"]["headers"]]
    assert sorted(names) == ["Message-ID", "To"]
    assert "raw" not in got
    assert "body" not in got["payload"]


def test_minimal_has_no_headers(gmail: FakeGmail):
    anna = client(gmail)
    got = anna.ask("GET", f"messages/{anna.send().json['id']}?format=minimal").json
    assert not {"payload", "raw"} & set(got)


def test_the_usual_format_has_the_parts(gmail: FakeGmail):
    anna = client(gmail)
    payload = anna.ask("GET", f"messages/{anna.send(PARTS).json['id']}").json["payload"]
    assert [(part["partId"], part["filename"]) for part in payload["parts"]] == [("0", ""), ("1", "a.pdf")]
    assert base64.urlsafe_b64decode(payload["parts"][1]["body"]["data"]) == b"%PDF"


def test_an_empty_list_lacks_its_name(gmail: FakeGmail):
    """As Gmail's does: a client must not expect the key."""
    anna = client(gmail)
    assert anna.ask("GET", "messages").json == anna.ask("GET", "drafts").json == {"resultSizeEstimate": 0}


def test_the_newest_come_first_and_in_pages(gmail: FakeGmail):
    anna = client(gmail)
    sent = [anna.send().json["id"] for _ in range(3)]
    first = anna.ask("GET", "messages?maxResults=2").json
    rest = anna.ask("GET", f"messages?maxResults=2&pageToken={first['nextPageToken']}").json
    assert [one["id"] for one in first["messages"] + rest["messages"]] == sent[::-1]
    assert "nextPageToken" not in rest


@pytest.mark.parametrize("query", ["pageToken=x", "pageToken=99", "maxResults=-1", "maxResults=many"])
def test_a_page_that_is_none_is_refused(gmail: FakeGmail, query: str):
    assert client(gmail).ask("GET", f"messages?{query}").status == 400


def test_lists_may_be_of_a_label(gmail: FakeGmail):
    anna = client(gmail)
    anna.draft()
    sent = anna.send().json["id"]
    assert [one["id"] for one in anna.ask("GET", "messages?labelIds=SENT").json["messages"]] == [sent]
    assert "messages" not in anna.ask("GET", "messages?labelIds=SENT&labelIds=DRAFT").json


def test_aliases_say_whether_they_are_verified(gmail: FakeGmail):
    """The mailbox's own address has no verificationStatus: it needs none."""
    listed = client(gmail).ask("GET", "settings/sendAs").json["sendAs"]
    assert [(one["sendAsEmail"], one.get("verificationStatus")) for one in listed] == [
        (ORDERS, None),
        ("sales@acme.example", "accepted"),
        ("new@acme.example", "pending"),
    ]
    assert [one["sendAsEmail"] for one in listed if one.get("isPrimary")] == [ORDERS]
