"""Messages in chunks."""

from __future__ import annotations

import json
from http.client import RemoteDisconnected
from urllib.parse import urlsplit

import pytest

from pillarbox.testing.gmail import FakeGmail, Fault
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, Client, Said, client

CHUNK = 256 * 1024
LARGE = MESSAGE + b"x" * (2 * CHUNK + 1000)
SIZE = len(LARGE)
START = "/resumable/upload/gmail/v1/users/me/messages/send?uploadType=resumable"


def begin(anna: Client, path: str = START, said: object = None, **headers: str) -> Said:
    return anna.ask("POST", path, json.dumps(said or {}).encode(), Content_Type="application/json", **headers)


def place(anna: Client, path: str = START) -> str:
    """Begin, and return where the chunks go."""
    parts = urlsplit(begin(anna, path, X_Upload_Content_Type="message/rfc822").headers["location"])
    return f"{parts.path}?{parts.query}"


def put(anna: Client, where: str, start: int, end: int, size: object = SIZE) -> Said:
    """Put the octets from *start* up to, and not with, *end*."""
    return anna.ask("PUT", where, LARGE[start:end], Content_Range=f"bytes {start}-{end - 1}/{size}")


def question(anna: Client, where: str, size: object = SIZE) -> Said:
    return anna.ask("PUT", where, b"", Content_Range=f"bytes */{size}")


@pytest.mark.parametrize("path", [START, START.removeprefix("/resumable")])
def test_a_message_comes_in_chunks(gmail: FakeGmail, path: str):
    anna = client(gmail)
    where = place(anna, path)
    first = put(anna, where, 0, CHUNK)
    second = put(anna, where, CHUNK, 2 * CHUNK)
    assert (first.status, first.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert (second.status, second.headers["range"]) == (308, f"bytes=0-{2 * CHUNK - 1}")
    assert gmail.sent(ORDERS) == []
    last = put(anna, where, 2 * CHUNK, SIZE)
    assert (last.status, last.json["labelIds"]) == (200, ["SENT"])
    assert gmail.sent(ORDERS)[0].content.endswith(LARGE[-CHUNK:])
    assert [one.step for one in gmail.requests] == ["upload", "chunk", "chunk", "chunk"]


def test_it_can_be_asked_how_far_it_has_come(gmail: FakeGmail):
    anna = client(gmail)
    where = place(anna)
    assert "range" not in question(anna, where).headers
    put(anna, where, 0, CHUNK)
    assert (question(anna, where).status, question(anna, where).headers["range"]) == (
        308,
        f"bytes=0-{CHUNK - 1}",
    )


@pytest.mark.parametrize(
    ("fault", "come"), [(Fault.CUT_BEFORE, CHUNK), (Fault.CUT_AFTER, 2 * CHUNK), (Fault.UNAVAILABLE, CHUNK)]
)
def test_it_goes_on_where_a_chunk_failed(gmail: FakeGmail, fault: Fault, come: int):
    anna = client(gmail)
    where = place(anna)
    gmail.fault("chunk", fault, after=1)
    put(anna, where, 0, CHUNK)
    try:
        assert put(anna, where, CHUNK, 2 * CHUNK).status == 503
    except OSError:
        assert fault is not Fault.UNAVAILABLE
    assert question(anna, where).headers["range"] == f"bytes=0-{come - 1}"
    assert put(anna, where, come, SIZE).status == 200
    assert len(gmail.sent(ORDERS)) == 1


def test_less_may_be_kept_than_was_sent():
    """What the Range says counts."""
    with FakeGmail(keeps_of_chunk=CHUNK) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        where = place(anna)
        assert put(anna, where, 0, SIZE).headers["range"] == f"bytes=0-{CHUNK - 1}"
        assert put(anna, where, CHUNK, SIZE).headers["range"] == f"bytes=0-{2 * CHUNK - 1}"
        assert put(anna, where, 2 * CHUNK, SIZE).status == 200
        assert gmail.sent(ORDERS)[0].content.endswith(LARGE[-CHUNK:])


@pytest.mark.parametrize("octets", [0, -CHUNK, 1000])
def test_what_is_kept_is_a_multiple(octets: int):
    with pytest.raises(ValueError, match="multiple"):
        FakeGmail(keeps_of_chunk=octets)


def test_the_last_chunk_may_be_processed_without_an_answer(gmail: FakeGmail):
    """Then it was sent, and by default the upload can no longer say so."""
    anna = client(gmail)
    where = place(anna)
    gmail.fault("chunk", Fault.CUT_AFTER)
    with pytest.raises(RemoteDisconnected):
        put(anna, where, 0, SIZE)
    assert len(gmail.sent(ORDERS)) == 1
    assert question(anna, where).status == 404


def test_an_upload_may_remember_its_end():
    with FakeGmail(remembers_uploads=True) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        where = place(anna)
        said = put(anna, where, 0, SIZE)
        assert question(anna, where).json == said.json
        assert len(gmail.sent(ORDERS)) == 1


def test_a_draft_comes_in_chunks_of_a_size_that_is_told_at_the_end(gmail: FakeGmail):
    anna = client(gmail)
    where = place(anna, START.replace("messages/send", "drafts"))
    assert put(anna, where, 0, CHUNK, "*").status == 308
    assert put(anna, where, CHUNK, 2 * CHUNK, "*").status == 308
    assert put(anna, where, 2 * CHUNK, SIZE).json["message"]["labelIds"] == ["DRAFT"]
    assert gmail.drafts(ORDERS)[0].content == LARGE


def test_a_whole_message_needs_no_range(gmail: FakeGmail):
    anna = client(gmail)
    assert anna.ask("PUT", place(anna), MESSAGE).status == 200
    assert gmail.sent(ORDERS)[0].recipients == ("ap@customer.example",)


@pytest.mark.parametrize(
    ("start", "end", "size"),
    [
        (CHUNK, 2 * CHUNK, SIZE),  # not the next
        (0, CHUNK - 1, SIZE),  # no multiple of 256 KiB, and not the last
        (0, CHUNK, CHUNK // 2),  # beyond the end
        (0, 2 * CHUNK, SIZE + 1_000_000_000_000_000_000_000),  # no number
    ],
)
def test_a_chunk_out_of_place_is_refused(gmail: FakeGmail, start: int, end: int, size: int):
    anna = client(gmail)
    where = place(anna)
    assert put(anna, where, start, end, size).status == 400
    assert "range" not in question(anna, where, "*").headers


@pytest.mark.parametrize("said", ["bytes 0-9/20", "octets 0-5/6", "bytes 5-0/6", "bytes */6"])
def test_a_range_that_is_not_that_of_the_body_is_refused(gmail: FakeGmail, said: str):
    anna = client(gmail)
    assert anna.ask("PUT", place(anna), b"abcdef", Content_Range=said).status == 400
    assert gmail.sent(ORDERS) == []


def test_a_size_does_not_change(gmail: FakeGmail):
    anna = client(gmail)
    parts = urlsplit(begin(anna, X_Upload_Content_Length=str(SIZE)).headers["location"])
    assert put(anna, f"{parts.path}?{parts.query}", 0, CHUNK, SIZE + 1).status == 400


def test_too_much_is_refused_when_it_is_announced_and_when_it_comes(gmail: FakeGmail):
    anna = client(gmail)
    most = 35 * 1024 * 1024
    assert begin(anna, X_Upload_Content_Length=str(most + 1)).reason == "uploadTooLarge"
    assert begin(anna, X_Upload_Content_Length=str(most)).status == 200
    said = anna.ask("PUT", place(anna), b"x" * (most + 1))
    assert (said.status, said.reason) == (413, "uploadTooLarge")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X_Upload_Content_Type": "text/plain"}, {}),
        ({"X_Upload_Content_Length": "many"}, {}),
        ({}, {"rwa": "x"}),
    ],
)
def test_a_beginning_that_is_wrong_is_refused(gmail: FakeGmail, headers: dict, said: dict):
    assert begin(client(gmail), START, said, **headers).status == 400


def test_the_address_is_permission_enough(gmail: FakeGmail):
    """But a token that is sent along has to be good."""
    anna = client(gmail)
    where = place(anna)
    assert put(Client(gmail, "expired"), where, 0, SIZE).reason == "authError"
    assert put(Client(gmail, ""), where, 0, SIZE).status == 200


def test_an_upload_that_never_was_is_not_found(gmail: FakeGmail):
    assert question(client(gmail), f"{START}&upload_id=none").reason == "notFound"
