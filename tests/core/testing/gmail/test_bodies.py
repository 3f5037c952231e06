"""What a request brings, in JSON, alone or behind JSON."""

from __future__ import annotations

import base64
import json

import pytest

from pillarbox.testing.gmail import FakeGmail
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, RFC822, base64url, client

UPLOAD = "/upload/gmail/v1/users/me/messages/send?uploadType="
MIB = 1024 * 1024


@pytest.mark.parametrize("filler", [b"", b"1", b"12"])
@pytest.mark.parametrize("padded", [True, False])
def test_raw_is_base64url(gmail: FakeGmail, filler: bytes, padded: bool):
    """With its padding or without."""
    raw = base64url(MESSAGE + filler)
    said = client(gmail).post("messages/send", {"raw": raw if padded else raw.rstrip("=")})
    assert said.status == 200
    assert gmail.sent(ORDERS)[0].content.endswith(b"Hello.\r\n" + filler)


@pytest.mark.parametrize(
    "raw",
    [
        base64.b64encode(MESSAGE + b"\xfb\xff\xbf~~~").decode(),
        "VG86*",
        "VG86\nVG86",
        "VG86V",
        "é",
        5,
        ["VG86"],
    ],
)
def test_any_other_raw_is_refused(gmail: FakeGmail, raw: object):
    """The alphabet of plain base64, line ends, a letter too many."""
    said = client(gmail).post("messages/send", {"raw": raw})
    assert said.status == 400
    assert gmail.sent(ORDERS) == []


@pytest.mark.parametrize("said", [{}, {"raw": ""}, {"raw": None}, {"threadId": None}])
def test_a_message_has_to_be_there(gmail: FakeGmail, said: dict):
    error = client(gmail).post("messages/send", said).json["error"]
    assert (error["code"], error["message"][:30]) == (400, "'raw' RFC822 payload message s")


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b'{"rwa": "VG86"}', b'{"labelIds": "SENT"}', b"\xff", b"[" * 100_000],
)
def test_json_is_held_against_the_schema(gmail: FakeGmail, body: bytes):
    said = client(gmail).ask("POST", "messages/send", body, Content_Type="application/json")
    assert (said.status, said.reason) == (400, "invalid")


@pytest.mark.parametrize("message", [None, {}, {"payload": {"headers": [{"nam": "x"}]}}, {"raw": {}}, "raw"])
def test_a_draft_wraps_its_message(gmail: FakeGmail, message: object):
    assert client(gmail).post("drafts", {"message": message}).status == 400
    assert client(gmail).post("drafts", {"raw": base64url(MESSAGE)}).status == 400


def test_only_json_is_json(gmail: FakeGmail):
    said = client(gmail).ask("POST", "messages/send", MESSAGE, Content_Type="message/rfc822")
    assert (said.status, said.reason) == (400, "badRequest")


def test_a_message_goes_alone(gmail: FakeGmail):
    said = client(gmail, "gmail.send").ask("POST", f"{UPLOAD}media", MESSAGE, **RFC822)
    assert (said.status, gmail.sent(ORDERS)[0].recipients) == (200, ("ap@customer.example",))


@pytest.mark.parametrize(
    ("way", "media"), [("media", "text/plain"), ("", "message/rfc822"), ("mixed", "message/rfc822")]
)
def test_an_upload_of_another_kind_is_refused(gmail: FakeGmail, way: str, media: str):
    said = client(gmail).ask("POST", UPLOAD + way, MESSAGE, Content_Type=media)
    assert (said.status, said.reason) == (400, "badRequest")


@pytest.mark.parametrize("more", [0, 1])
def test_a_message_may_have_35_mib_and_no_octet_more(gmail: FakeGmail, more: int):
    """Counted without the base64 round it."""
    raw = MESSAGE + b"x" * (35 * MIB - len(MESSAGE) + more)
    anna = client(gmail)
    assert anna.ask("POST", f"{UPLOAD}media", raw, **RFC822).status == (413 if more else 200)
    assert anna.send(raw).status == (413 if more else 200)
    assert len(gmail.sent(ORDERS)) == (0 if more else 2)


def related(
    said: bytes, media: bytes, *, end: bytes = b"\r\n", encoding: bytes = b"", kind: bytes = b"message/rfc822"
) -> bytes:
    lines = [
        b"--b",
        b"Content-Type: application/json; charset=UTF-8",
        b"",
        said,
        b"--b",
        b"Content-Type: " + kind + (end + b"Content-Transfer-Encoding: " + encoding if encoding else b""),
        b"",
        media,
        b"--b--",
        b"",
    ]
    return end.join(lines)


def multipart(gmail: FakeGmail, body: bytes, kind: str = 'multipart/related; boundary="b"'):
    return client(gmail).ask("POST", f"{UPLOAD}multipart", body, Content_Type=kind)


TRICKY = MESSAGE + b"--bb\r\n--\r\n --b\r\n\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("encoding", [b"", b"binary", b"base64"])
def test_a_message_goes_behind_json(gmail: FakeGmail, end: bytes, encoding: bytes):
    """Whatever it looks like inside, not an octet is lost or added."""
    media = base64.encodebytes(TRICKY) if encoding == b"base64" else TRICKY
    said = multipart(gmail, related(b"{}", media, end=end, encoding=encoding))
    assert said.status == 200
    assert gmail.sent(ORDERS)[0].content.endswith(TRICKY.partition(b"\r\n\r\n")[2])


def test_the_json_before_a_message_counts(gmail: FakeGmail):
    said = multipart(gmail, related(json.dumps({"threadId": "gone"}).encode(), MESSAGE))
    assert said.reason == "notFound"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        MESSAGE,
        b"--b--",
        related(b"{}", MESSAGE)[:-8],
        related(b"{", MESSAGE),
        related(b"{}", MESSAGE, kind=b"text/plain"),
        related(b"{}", MESSAGE).replace(b"--b--", b"--b\r\n\r\n\r\n--b--"),
        b"--b\r\nA: 1\r\n--b\r\nB: 2\r\n--b--",
    ],
)
def test_a_multipart_that_is_none_is_refused(gmail: FakeGmail, body: bytes):
    assert multipart(gmail, body).status == 400
    assert gmail.sent(ORDERS) == []


@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=b", "multipart/related", "text/plain"])
def test_a_multipart_upload_is_related(gmail: FakeGmail, kind: str):
    assert multipart(gmail, related(b"{}", MESSAGE), kind).reason == "badRequest"
