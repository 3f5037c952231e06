"""Fields of a head, taken out and put in."""

from __future__ import annotations

import pytest

from pillarbox.testing.graph._heads import field, with_field, without

BODY = b"\r\n\r\nBcc: in the body\r\n"


@pytest.mark.parametrize(
    ("head", "left"),
    [
        (b"To: a\r\nBcc: b\r\nCc: c", b"To: a\r\nCc: c"),
        (b"BCC : b,\r\n\tc,\r\n d\r\nTo: a", b"To: a"),
        (b"Bcc: b\r\nTo: a\r\nbcc: c", b"To: a"),
        (b"Subject: Bcc: b\r\nX-Bcc: c", b"Subject: Bcc: b\r\nX-Bcc: c"),
        (b"X Bcc: b\r\nTo: a", b"X Bcc: b\r\nTo: a"),
    ],
)
def test_a_field_is_taken_out_and_nothing_else(head: bytes, left: bytes):
    assert without(head + BODY, "Bcc") == left + BODY


def test_a_field_at_the_end_of_a_head_alone_is_taken_out():
    assert without(b"To: a\nBcc: b\n", "bcc") == b"To: a\n"
    assert without(b"Bcc: b\n\nx", "bcc") == b"\nx"


def test_a_field_is_put_in_place_of_all_of_its_name():
    given = b"To: a\r\nMessage-ID: <1@a>\r\nmessage-id: <2@a>" + BODY
    put = with_field(given, "Message-ID", "<3@a>")
    assert put == b"Message-ID: <3@a>\r\nTo: a" + BODY
    assert (field(given, "message-id"), field(put, "Message-ID"), field(put, "Bcc")) == ("<1@a>", "<3@a>", "")
