"""What Gmail makes of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.gmail._content import Content, Sender, as_sent
from pillarbox.testing.gmail._errors import Refused
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, client

SENDER = Sender(ORDERS, "Acme Ltd", frozenset({"sales@acme.example"}))


def sent(raw: bytes, *, replaces: bool = False) -> Content:
    return as_sent(
        Content.read(raw), SENDER, replaces=replaces, date=lambda: "Thu, 26 Nov 2026 09:00:00 +0000"
    )


def test_recipients_are_those_of_three_headers():
    """Folded, repeated, named, in groups, encoded, in any case of letters."""
    content = Content.read(
        b"bcc: z@c.example\r\nTO: =?utf-8?q?J=C3=B6rg?= <a@c.example>,\r\n\tb@c.example\r\n"
        b'To: Team: "c, d"@c.example, E <e@c.example>;\r\nCc: undisclosed:;\r\nX-To: x@c.example\r\n\r\nTo: y@c.example'
    )
    assert content.addresses() == (
        "a@c.example",
        "b@c.example",
        '"c, d"@c.example',
        "e@c.example",
        "z@c.example",
    )


def test_a_recipient_is_one_once():
    content = Content.read(b"To: A@c.example, b@c.example\r\nCc: a@c.example\r\n\r\n")
    assert content.addresses() == ("A@c.example", "b@c.example")


def test_reading_changes_no_octet():
    raw = b"A: 1\nB:\r\n 2\r\n\tTo: x\r\nno header\r\n\r\nTo: y\r\n\x00\xff"
    assert Content.read(raw).octets == raw


@given(
    st.lists(
        st.sampled_from([b"To: a@b", b"\r\n", b"\n", b" ", b"\t", b"x", b":", b"Bcc:", b"\r", b"\xff\x00"])
    )
)
def test_reading_never_changes_an_octet(pieces: list[bytes]):
    raw = b"".join(pieces)
    assert Content.read(raw).octets == raw


@pytest.mark.parametrize("raw", [b"", b"\r\nBody", b"Subject: only", b"no header at all"])
def test_a_message_may_be_odd(raw: bytes):
    assert Content.read(raw).octets == raw
    assert Content.read(raw).addresses() == ()


@pytest.mark.parametrize("value", [b"customer", b"<>", b"a@", b"@c.example", b"a@c.example, bob"])
def test_a_recipient_without_an_address_is_refused(value: bytes):
    with pytest.raises(Refused) as caught:
        Content.read(b"To: " + value + b"\r\n\r\n").addresses()
    assert caught.value.reply.status == 400


def test_hidden_recipients_stay_hidden(gmail: FakeGmail):
    """However they are written, nobody who gets the mail sees them; the sender does."""
    hidden = b"BCC: boss@acme.example,\r\n audit@acme.example\r\nbcc: c@acme.example\r\n"
    client(gmail).send(hidden + MESSAGE)
    (mail,) = gmail.sent(ORDERS)
    assert mail.recipients == (
        "ap@customer.example",
        "boss@acme.example",
        "audit@acme.example",
        "c@acme.example",
    )
    assert b"acme.example>\r\nDate" not in mail.content
    assert b"boss" not in mail.content.lower()
    assert b"audit" not in mail.content
    assert mail.copy is not None
    assert hidden in mail.copy


@pytest.mark.parametrize("shown", ["orders@acme.example", "Anna <ORDERS@acme.example>", "sales@acme.example"])
def test_the_mailbox_and_its_verified_aliases_may_be_shown(shown: str):
    raw = f"From: {shown}\r\nDate: x\r\nMessage-ID: <1@a>\r\n\r\n".encode()
    assert sent(raw).octets == raw


@pytest.mark.parametrize(
    "shown", ["anna@acme.example", "new@acme.example", "orders@acme.example, anna@acme.example"]
)
def test_any_other_is_replaced_in_silence(gmail: FakeGmail, shown: str):
    """An alias nobody has verified, too. The answer is 200."""
    said = client(gmail).send(f"From: {shown}\r\n".encode() + MESSAGE.partition(b"\r\n")[2])
    (mail,) = gmail.sent(ORDERS)
    assert (said.status, mail.shown, mail.sender) == (200, ORDERS, ORDERS)
    assert b"\r\nFrom: Acme Ltd <orders@acme.example>\r\n" in mail.content
    assert b"\r\nFrom: " + shown.encode() not in mail.content


def test_what_is_missing_is_added():
    content = sent(b"To: a@c.example\r\n\r\n")
    assert content.value("from") == "Acme Ltd <orders@acme.example>"
    assert content.value("date") == "Thu, 26 Nov 2026 09:00:00 +0000"
    assert content.value("message-id").endswith("@mail.gmail.com>")


def test_line_ends_stay_what_they_are():
    """A message with bare line feeds gets no other."""
    assert b"\r" not in sent(b"To: a@c.example\n\nHello\n").octets


def test_a_message_id_is_replaced_or_kept():
    assert sent(MESSAGE, replaces=True).values("message-id") != ["<1001@acme.example>"]
    assert len(sent(MESSAGE, replaces=True).values("message-id")) == 1
    assert sent(MESSAGE).octets == MESSAGE
