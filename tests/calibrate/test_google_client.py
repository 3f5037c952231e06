"""The fake Gmail, as Google's own client meets it, unmodified."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

import pytest

from pillarbox.testing.gmail import Alias, Answer, FakeGmail, Fault
from tests.gmail_discovery import discovery

pytest.importorskip("googleapiclient.discovery", reason="nox -s calibrate installs it")

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseUpload

ORDERS, CUSTOMER, HIDDEN = "orders@acme.example", "ap@customer.example", "boss@acme.example"
MIB = 1024 * 1024
NEVER = dt.datetime(2999, 1, 1)  # noqa: DTZ001  (google-auth's own are naive)
Users = Callable[..., Any]


@pytest.fixture
def gmail() -> Iterator[FakeGmail]:
    with FakeGmail(discovery=discovery()) as fake:
        fake.add_mailbox(
            ORDERS, "Acme Ltd", aliases=["sales@acme.example", Alias("new@acme.example", verified=False)]
        )
        yield fake


@contextmanager
def users(gmail: FakeGmail, *scopes: str) -> Iterator[Any]:
    """Google's client, signed in with *scopes*; where the API is, is said in the document."""
    document = {**discovery(), "rootUrl": f"{gmail.url}/"}

    def refresh(request: Any, scopes: Any) -> tuple[str, dt.datetime]:
        return gmail.token(ORDERS, *granted), NEVER

    granted = scopes
    credentials = Credentials(token=gmail.token(ORDERS, *scopes), refresh_handler=refresh)
    with build_from_document(json.dumps(document), credentials=credentials) as service:
        yield service.users()


def message(attached: bytes = b"") -> bytes:
    """An invoice, with a hidden copy, as EmailMessage writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Bcc"] = f"Acme Ltd <{ORDERS}>", CUSTOMER, HIDDEN
    mail["Subject"], mail["Message-ID"] = "Invoice 1001", "<1001@acme.example>"
    mail.set_content("Please find the invoice.")
    if attached:
        mail.add_attachment(attached, maintype="application", subtype="pdf", filename="invoice.pdf")
    return mail.as_bytes()


def raw(octets: bytes) -> dict[str, str]:
    return {"raw": base64.urlsafe_b64encode(octets).decode()}


def test_a_message_in_json_is_sent(gmail: FakeGmail):
    with users(gmail, "gmail.send") as api:
        said = api.messages().send(userId="me", body=raw(message())).execute()
    (mail,) = gmail.sent(ORDERS)
    assert (mail.id, said["labelIds"], mail.recipients) == (said["id"], ["SENT"], (CUSTOMER, HIDDEN))
    assert HIDDEN.encode() not in mail.content
    assert HIDDEN.encode() in (mail.copy or b"")


def test_a_message_beside_json_is_sent(gmail: FakeGmail):
    """Multipart, which the client writes with bare line feeds."""
    content = message(b"%PDF" * 1000)
    media = MediaInMemoryUpload(content, "message/rfc822")
    with users(gmail, "gmail.compose") as api:
        draft = api.drafts().create(userId="me", body={"message": {}}, media_body=media).execute()
    assert [mail.id for mail in gmail.drafts(ORDERS)] == [draft["id"]]
    assert gmail.drafts(ORDERS)[0].content == content.replace(f"Bcc: {HIDDEN}\n".encode(), b"")


def test_a_message_alone_is_sent(gmail: FakeGmail):
    """The simple upload: without a body the client sends the media alone."""
    media = MediaInMemoryUpload(message(), "message/rfc822")
    with users(gmail, "gmail.send") as api:
        api.messages().send(userId=ORDERS, media_body=media).execute()
    assert "uploadType=media" in gmail.requests[-1].query
    assert gmail.sent(ORDERS)[0].recipients == (CUSTOMER, HIDDEN)


def large() -> bytes:
    return message(bytes(range(256)) * 18 * 1024)


def test_six_megabytes_go_in_chunks(gmail: FakeGmail):
    content = large()
    media = MediaIoBaseUpload(io.BytesIO(content), "message/rfc822", chunksize=MIB, resumable=True)
    with users(gmail, "gmail.send") as api:
        request = api.messages().send(userId="me", body={}, media_body=media)
        seen, said = [], None
        while said is None:
            status, said = request.next_chunk()
            seen.append(status and status.resumable_progress)
    assert len(content) > 5 * MIB
    assert seen[:3] == [MIB, 2 * MIB, 3 * MIB]
    assert gmail.sent(ORDERS)[0].content.endswith(content[-MIB:])


def test_chunks_go_on_after_one_failed(gmail: FakeGmail):
    """The client asks how far it has come, and goes on from there."""
    content = large()
    gmail.fault("chunk", Fault.UNAVAILABLE, after=2)
    media = MediaIoBaseUpload(io.BytesIO(content), "message/rfc822", chunksize=MIB, resumable=True)
    with users(gmail, "gmail.compose") as api:
        request = api.drafts().create(userId="me", body={"message": {}}, media_body=media)
        with pytest.raises(HttpError):
            _to_the_end(request)
        _to_the_end(request)
    asked = [
        one.headers["content-range"] for one in gmail.requests if one.octets == 0 and one.step == "chunk"
    ]
    assert asked == ["bytes */" + str(len(content))]
    assert gmail.drafts(ORDERS)[0].content.endswith(content[-MIB:])


def test_chunks_go_on_where_less_was_kept():
    """The client goes by the Range of each answer."""
    content = large()
    with FakeGmail(discovery=discovery(), keeps_of_chunk=MIB // 2) as gmail:
        gmail.add_mailbox(ORDERS)
        media = MediaIoBaseUpload(io.BytesIO(content), "message/rfc822", chunksize=MIB, resumable=True)
        with users(gmail, "gmail.compose") as api:
            _to_the_end(api.drafts().create(userId="me", body={"message": {}}, media_body=media))
        assert gmail.drafts(ORDERS)[0].content.endswith(content[-MIB:])
        assert len(gmail.requests) > len(content) // (MIB // 2)


def _to_the_end(request: Any) -> None:
    while request.next_chunk()[1] is None:
        pass


def test_a_message_that_is_too_large_is_refused(gmail: FakeGmail):
    with users(gmail, "gmail.send") as api:
        request = api.messages().send(userId="me", body=raw(b"To: a@b.example\r\n\r\n" + b"x" * 35 * MIB))
        assert problem(request) == (413, "uploadTooLarge")


def test_a_draft_is_made_looked_at_and_sent(gmail: FakeGmail):
    with users(gmail, "gmail.compose") as api:
        drafts = api.drafts()
        made = drafts.create(userId="me", body={"message": raw(message())}).execute()
        got = drafts.get(userId="me", id=made["id"], format="raw").execute()
        assert [one["id"] for one in drafts.list(userId="me").execute()["drafts"]] == [made["id"]]
        sent = drafts.send(userId="me", body={"id": made["id"]}).execute()
        assert problem(drafts.get(userId="me", id=made["id"])) == (404, "notFound")
    assert base64.urlsafe_b64decode(got["message"]["raw"]) == message()
    assert sent["id"] not in {made["message"]["id"], made["id"]}
    assert gmail.drafts(ORDERS) == []


def test_a_draft_is_deleted(gmail: FakeGmail):
    with users(gmail, "gmail.compose") as api:
        made = api.drafts().create(userId="me", body={"message": raw(message())}).execute()
        assert api.drafts().delete(userId="me", id=made["id"]).execute() == ""
        assert problem(api.drafts().delete(userId="me", id=made["id"])) == (404, "notFound")


def test_the_addresses_that_may_be_shown_are_listed(gmail: FakeGmail):
    with users(gmail, "gmail.settings.basic") as api:
        listed = api.settings().sendAs().list(userId="me").execute()["sendAs"]
    assert [
        one["sendAsEmail"] for one in listed if one.get("verificationStatus", "accepted") == "accepted"
    ] == [
        ORDERS,
        "sales@acme.example",
    ]


def test_a_sent_message_is_found_and_read(gmail: FakeGmail):
    """By the Message-ID it travels with; not by ours, which was replaced."""
    with users(gmail, "gmail.send", "gmail.readonly") as api:
        messages = api.messages()
        said = messages.send(userId="me", body=raw(message())).execute()
        own = gmail.sent(ORDERS)[0].message_id
        found = messages.list(userId="me", q=f"in:sent rfc822msgid:{own}").execute()
        nothing = messages.list(userId="me", q="rfc822msgid:<1001@acme.example>").execute()
        got = messages.get(
            userId="me", id=said["id"], format="metadata", metadataHeaders=["message-id"]
        ).execute()
    assert [one["id"] for one in found["messages"]] == [said["id"]]
    assert nothing == {"resultSizeEstimate": 0}
    assert [one["value"] for one in got["payload"]["headers"]] == [own]


def test_a_list_is_paged(gmail: FakeGmail):
    with users(gmail, "gmail.compose", "gmail.readonly") as api:
        for _ in range(5):
            api.drafts().create(userId="me", body={"message": raw(message())}).execute()
        seen, request = [], api.messages().list(userId="me", maxResults=2)
        while request is not None:
            page = request.execute()
            seen.append(len(page["messages"]))
            request = api.messages().list_next(request, page)
    assert seen == [2, 2, 1]


def test_a_profile_says_whose_it_is(gmail: FakeGmail):
    with users(gmail, "gmail.metadata") as api:
        assert api.getProfile(userId="me").execute()["emailAddress"] == ORDERS


def problem(request: Any) -> tuple[int, str]:
    """Return the status and the reason of the error that the client reads."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    details = caught.value.error_details
    return caught.value.status_code, details[0]["reason"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (403, "dailyLimitExceeded"),
        (403, "domainPolicy"),
        (400, "failedPrecondition"),
        (413, "uploadTooLarge"),
        (500, "backendError"),
    ],
)
def test_an_error_is_read(gmail: FakeGmail, status: int, reason: str):
    gmail.fault("messages.send", Answer(status, reason))
    with users(gmail, "gmail.send") as api:
        assert problem(api.messages().send(userId="me", body=raw(message()))) == (status, reason)


def test_a_refused_token_is_renewed_and_the_send_repeated(gmail: FakeGmail):
    """A 401 comes before processing."""
    gmail.fault("messages.send", Fault.UNAUTHORIZED)
    with users(gmail, "gmail.send") as api:
        api.messages().send(userId="me", body=raw(message())).execute()
    assert [one.status for one in gmail.requests] == [401, 200]
    assert len(gmail.sent(ORDERS)) == 1


def test_a_token_that_is_refused_again_and_again_is_an_error(gmail: FakeGmail):
    gmail.fault("messages.send", Fault.UNAUTHORIZED, times=5)
    with users(gmail, "gmail.send") as api:
        assert problem(api.messages().send(userId="me", body=raw(message()))) == (401, "authError")
    assert gmail.sent(ORDERS) == []


def test_throttling_says_when_to_come_back(gmail: FakeGmail):
    gmail.fault("messages.send", Fault.THROTTLED)
    with users(gmail, "gmail.send") as api, pytest.raises(HttpError) as caught:
        api.messages().send(userId="me", body=raw(message())).execute()
    assert (caught.value.status_code, caught.value.error_details[0]["reason"]) == (429, "rateLimitExceeded")
    assert re.search(r"Retry after \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", caught.value.reason)


@pytest.mark.parametrize("scope", ["gmail.send", "gmail.settings.basic"])
def test_a_scope_that_is_missing_is_a_403(gmail: FakeGmail, scope: str):
    with users(gmail, scope) as api:
        assert problem(api.drafts().list(userId="me")) == (403, "insufficientPermissions")
        assert problem(api.messages().list(userId="me")) == (403, "insufficientPermissions")


def test_metadata_alone_may_not_search(gmail: FakeGmail):
    with users(gmail, "gmail.metadata") as api:
        assert problem(api.messages().list(userId="me", q="in:sent")) == (403, "forbidden")
        assert api.messages().list(userId="me").execute() == {"resultSizeEstimate": 0}
