"""A message and a route become bytes that two other projects' parsers read back to the same fields."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys

import attrs
import pytest
from hypothesis import given

from pillarbox import (
    Account,
    Address,
    Attachment,
    Calendar,
    Message,
    MessageError,
    Route,
    Submission,
    Unsubscribe,
    compose,
)
from pillarbox._composition import date
from tests.core import messages
from tests.core.messages import ANNA, AT, INVITATION, KEY, ROUTE, patient
from tests.core.reading import File, Seen, by_mailparser, by_stdlib, shown

TO = "ap@customer.example"
CLIENT = Route(account=Account(owner="company", method="mapi"), from_address=None)

READERS = [by_stdlib, pytest.param(by_mailparser, marks=pytest.mark.services)]


def composed(message: Message, route: Route = ROUTE) -> Submission:
    """Return *message* composed with the key and the moment that all tests share."""
    return compose(message, route, key=KEY, at=AT)


def header(submission: Submission) -> list[str]:
    """Return the header's fields, unfolded."""
    octets = submission.content[: submission.header_size].decode()
    return octets.replace("\r\n ", " ").removesuffix("\r\n").split("\r\n")


def field(submission: Submission, name: str) -> str | None:
    """Return the value of the field *name*, or None without it; there may be no second."""
    found = [line.partition(": ")[2] for line in header(submission) if line.startswith(f"{name}:")]
    assert len(found) < 2
    return found[0] if found else None


def assert_fit_for_any_server(submission: Submission) -> None:
    """RFC 5322 2.3 and RFC 5321 4.5.3.1.6: CRLF only, lines of at most 998, seven bits but for SMTPUTF8 headers."""
    content = submission.content
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in lines)
    assert b"\0" not in content
    assert content.endswith(b"\r\n")
    assert content[submission.header_size :].isascii()
    assert content.isascii() or submission.smtputf8
    assert content[: submission.header_size + 2].endswith(b"\r\n\r\n")


def pairs(addresses: tuple[Address, ...]) -> list[tuple[str, str]]:
    """Return *addresses* as a reader shows them."""
    return [(one.name, one.wire) for one in addresses]


def files(message: Message) -> list[tuple[object, ...]]:
    """Return the files of *message* as a reader finds them, in any order."""
    found = [
        File(
            one.filename,
            one.kind,
            "inline" if one.inline else "attachment",
            one.content_id or None,
            one.content,
        )
        for one in message.attachments
    ]
    if message.calendar is not None:
        content = message.calendar.content.encode()
        found.append(File(message.calendar.filename, "application/ics", "attachment", None, content))
    return sorted(map(attrs.astuple, found), key=repr)


def assert_reads_back(message: Message, seen: Seen) -> None:
    """Every field that a reader sees is the one that the host wrote."""
    assert seen.sender == [(ANNA.name, ANNA.wire)]
    assert (seen.to, seen.cc, seen.bcc) == (pairs(message.to), pairs(message.cc), [])
    assert seen.reply_to == pairs(message.reply_to)
    assert seen.subject == message.subject
    assert (seen.text or "", seen.html or "") == (shown(message.text or ""), shown(message.html or ""))
    assert seen.references == list(message.references)
    assert seen.message_id == f"<{KEY}@acme.example>"
    found = [attrs.astuple(one) for one in seen.files if one.disposition]
    assert sorted(found, key=repr) == files(message)


@patient
@given(messages.messages)
def test_every_message_is_read_back_by_the_standard_library(message: Message) -> None:
    """Subjects, names, file names, texts and files of every kind; extra headers too."""
    submission = composed(message)
    assert_fit_for_any_server(submission)
    seen = by_stdlib(submission.content)
    assert_reads_back(message, seen)
    assert seen.headers.items() >= {(name.lower(), value) for name, value in message.headers}


@pytest.mark.services
@patient
@given(messages.messages)
def test_every_message_is_read_back_by_mailparser(message: Message) -> None:
    """The parser of another language and other people; its `headers` stay undecoded, so they are not compared."""
    submission = composed(message)
    assert_fit_for_any_server(submission)
    assert_reads_back(message, by_mailparser(submission.content))


EVERYTHING = Message(
    to=['"Berg, Anna" <a@bücher.example>', Address("b@c.example", "=?utf-8?q?x?= ")],
    cc="Otto Lind <otto@acme.example>",
    bcc="hidden@acme.example",
    reply_to="Support <support@acme.example>",
    subject="Rechnung 1001 für März " * 10,
    text="Grüße\n.\nFrom us\n",
    html='<p>Grüße</p><img src="cid:logo@acme">',
    attachments=[
        Attachment("Rechnung für März.pdf", b"%PDF" * 30_000),
        Attachment("logo.png", b"PNG", inline=True, content_id="logo@acme"),
        Attachment("rows.csv", "a;ü\n".encode("latin-1"), "text/csv; charset=iso-8859-1"),
        Attachment("日本" * 60 + ".bin", bytes(100)),
    ],
    headers={"X-Document": "INV-1001", "X-Note": "für später"},
    in_reply_to=f"<{'i' * 300}@acme.example>",
    references=[f"<{'r' * 200}@acme.example>"] * 4,
    calendar=Calendar(INVITATION, "Einladung für Köln.ics"),
)


@pytest.mark.parametrize("read", READERS)
def test_a_message_with_everything_is_read_back(read: object) -> None:
    """All at once, nested as deep as it gets."""
    submission = composed(EVERYTHING)
    assert_fit_for_any_server(submission)
    seen = read(submission.content)  # type: ignore[operator]
    assert_reads_back(EVERYTHING, seen)
    assert seen.in_reply_to == EVERYTHING.in_reply_to[0]


@pytest.mark.parametrize("read", READERS)
def test_a_local_part_beyond_ascii_is_read_back_as_utf_8(read: object) -> None:
    """RFC 6532; an encoded word in an addr-spec would be another address."""
    submission = composed(Message(to="Jörg <jörg@bücher.example>", text="a"))
    assert submission.smtputf8
    assert_fit_for_any_server(submission)
    assert read(submission.content).to == [("Jörg", "jörg@xn--bcher-kva.example")]  # type: ignore[operator]


@pytest.mark.parametrize("place", ["from_address", "reply_to", "sender", "envelope_sender"])
def test_smtputf8_is_needed_for_an_address_of_the_header_too(place: str) -> None:
    """RFC 6531 3.4: also where the envelope could do without."""
    value: object = "jörg@acme.example" if place == "envelope_sender" else Address("jörg@acme.example")
    route = attrs.evolve(ROUTE, **{place: (value,) if place == "reply_to" else value})  # type: ignore[arg-type]
    assert composed(Message(to=TO), route).smtputf8
    assert not composed(Message(to="a@bücher.example"), ROUTE).smtputf8


def test_the_plain_case_is_what_a_person_would_write() -> None:
    """Every octet of it."""
    assert composed(
        Message(to="Otto <ap@customer.example>", subject="Invoice 1001", text="Hello")
    ).content == (
        b"Date: Tue, 24 Nov 2026 09:30:05 +0000\r\n"
        b"From: Anna Berg <anna@acme.example>\r\n"
        b"To: Otto <ap@customer.example>\r\n"
        b"Message-ID: <0123456789abcdef0123456789abcdef@acme.example>\r\n"
        b"Subject: Invoice 1001\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello\r\n"
    )


def test_the_same_arguments_make_the_same_submission() -> None:
    """A retry carries the same bytes, on another day and another machine."""
    assert composed(EVERYTHING) == composed(EVERYTHING)


def test_by_default_each_submission_has_its_own_key_and_the_present_moment() -> None:
    """The key is the left side of the Message-ID, so that one finds the other."""
    before = dt.datetime.now(dt.UTC)
    one, two = compose(EVERYTHING, ROUTE), compose(EVERYTHING, ROUTE)
    assert one.key != two.key
    assert one.message_id == f"<{one.key}@acme.example>"
    assert before <= one.composed_at <= two.composed_at


def test_the_from_is_the_routes() -> None:
    """Its name kept, its domain on the wire, also in the Message-ID: never this machine's name."""
    route = attrs.evolve(ROUTE, from_address=Address("anna@bücher.example", "Berg, Anna"))
    submission = composed(Message(to=TO), route)
    assert field(submission, "From") == '"Berg, Anna" <anna@xn--bcher-kva.example>'
    assert submission.from_header == "anna@xn--bcher-kva.example"
    assert submission.message_id == f"<{KEY}@xn--bcher-kva.example>"


def test_where_the_program_on_the_desktop_decides_there_is_no_from() -> None:
    """Nor an envelope sender; the Message-ID names no real domain."""
    submission = composed(Message(to=TO), CLIENT)
    assert (field(submission, "From"), submission.from_header, submission.envelope.sender) == (
        None,
        None,
        None,
    )
    assert submission.message_id == f"<{KEY}@pillarbox.invalid>"


def test_reply_to_is_the_messages_else_the_routes() -> None:
    """The caller's wins."""
    route = attrs.evolve(ROUTE, reply_to=(Address("office@acme.example"),))
    assert field(composed(Message(to=TO), ROUTE), "Reply-To") is None
    assert field(composed(Message(to=TO), route), "Reply-To") == "office@acme.example"
    assert (
        field(composed(Message(to=TO, reply_to="Anna <me@acme.example>"), route), "Reply-To")
        == "Anna <me@acme.example>"
    )


def test_sender_is_written_only_for_on_behalf_of() -> None:
    """Rule 13."""
    route = attrs.evolve(ROUTE, sender=Address("bot@acme.example"))
    assert field(composed(Message(to=TO), route), "Sender") == "bot@acme.example"
    assert field(composed(Message(to=TO)), "Sender") is None


def test_the_envelope_is_the_routes_sender_and_each_recipient_once() -> None:
    """On the wire, with A-labels; hidden recipients too."""
    route = attrs.evolve(ROUTE, envelope_sender="bounces@bücher.example")
    message = Message(to=["a@bücher.example", TO], cc="a@XN--bcher-kva.example", bcc="hidden@acme.example")
    envelope = composed(message, route).envelope
    assert envelope.sender == "bounces@xn--bcher-kva.example"
    assert envelope.recipients == ("a@xn--bcher-kva.example", TO, "hidden@acme.example")


def test_a_null_reverse_path_stays_one() -> None:
    """RFC 5321 4.5.5: mail that nobody should bounce to."""
    assert composed(Message(to=TO), attrs.evolve(ROUTE, envelope_sender="")).envelope.sender == ""


def test_bcc_stands_in_the_hidden_header_and_nowhere_else() -> None:
    """Rule 29."""
    submission = composed(Message(to=TO, bcc=["Jörg <hidden@acme.example>", "b@c.example"], text="a"))
    assert b"hidden" not in submission.content
    assert submission.bcc_header == b"Bcc: =?utf-8?b?SsO2cmc=?= <hidden@acme.example>, b@c.example\r\n"
    assert by_stdlib(submission.content_with_bcc()).bcc == [
        ("Jörg", "hidden@acme.example"),
        ("", "b@c.example"),
    ]
    assert composed(Message(to=TO)).bcc_header == b""


@pytest.mark.parametrize("read", READERS)
def test_a_message_with_only_hidden_recipients_says_so(read: object) -> None:
    """RFC 5322 3.6.3: an empty group, for servers that put a To of their own otherwise."""
    submission = composed(Message(bcc="hidden@acme.example", text="a"))
    assert field(submission, "To") == "undisclosed-recipients:;"
    assert read(submission.content).to == []  # type: ignore[operator]
    assert field(composed(Message(cc=TO)), "To") is None


@pytest.mark.parametrize(
    ("importance", "expected"), [("high", ("high", "1")), ("low", ("low", "5")), ("normal", (None, None))]
)
def test_importance_is_said_in_both_ways(importance: str, expected: tuple[str | None, str | None]) -> None:
    """RFC 2156's and the one that many programs read."""
    submission = composed(Message(to=TO, importance=importance))  # type: ignore[arg-type]
    assert (field(submission, "Importance"), field(submission, "X-Priority")) == expected


@pytest.mark.parametrize(
    ("route", "reply_to", "receipts_to"),
    [
        (ROUTE, None, "Anna Berg <anna@acme.example>"),
        (ROUTE, "me@acme.example", "Anna Berg <anna@acme.example>"),
        (CLIENT, "me@acme.example", "me@acme.example"),
        (attrs.evolve(CLIENT, reply_to=(ANNA,)), None, "Anna Berg <anna@acme.example>"),
    ],
)
def test_a_read_receipt_goes_to_who_is_shown(route: Route, reply_to: str | None, receipts_to: str) -> None:
    """RFC 8098 2.1: the From, or where answers go."""
    submission = composed(Message(to=TO, read_receipt=True, reply_to=reply_to), route)
    assert field(submission, "Disposition-Notification-To") == receipts_to


def test_a_read_receipt_that_nobody_would_get_is_refused() -> None:
    """Under a desktop program's From, with no Reply-To: the wish would be lost silently."""
    with pytest.raises(MessageError, match="reply_to"):
        composed(Message(to=TO, read_receipt=True), CLIENT)


@pytest.mark.parametrize(
    ("unsubscribe", "listed", "post"),
    [
        (Unsubscribe("https://a.example/u"), "<https://a.example/u>", "List-Unsubscribe=One-Click"),
        (Unsubscribe("https://a.example/u", one_click=False), "<https://a.example/u>", None),
        (Unsubscribe(mailto="u@a.example"), "<mailto:u@a.example>", None),
        (Unsubscribe(mailto="mailto:u@a.example?subject=x"), "<mailto:u@a.example?subject=x>", None),
        (
            Unsubscribe("https://a.example/u", "u@a.example"),
            "<https://a.example/u>, <mailto:u@a.example>",
            "List-Unsubscribe=One-Click",
        ),
    ],
)
def test_a_list_can_be_left(unsubscribe: Unsubscribe, listed: str, post: str | None) -> None:
    """RFC 2369, with one click by RFC 8058 where there is a page."""
    submission = composed(Message(to=TO, unsubscribe=unsubscribe))
    assert field(submission, "List-Unsubscribe") == listed
    assert field(submission, "List-Unsubscribe-Post") == post


def test_mail_that_nobody_in_particular_writes_is_marked() -> None:
    """Rule 6, RFC 3834: an autoresponder leaves it alone. The host's own word goes first."""
    route = attrs.evolve(ROUTE, automatic=True)
    assert field(composed(Message(to=TO), route), "Auto-Submitted") == "auto-generated"
    assert field(composed(Message(to=TO)), "Auto-Submitted") is None
    replied = Message(to=TO, headers={"auto-submitted": "auto-replied"})
    assert field(composed(replied, route), "Auto-Submitted") is None
    assert field(composed(replied, route), "auto-submitted") == "auto-replied"


def test_what_the_host_asks_of_one_transport_goes_with_it() -> None:
    """And nothing of what it asks of another; its reference and time limit too, which are not sent."""
    until = AT + dt.timedelta(hours=1)
    message = Message(
        to=TO, options={"smtp": {"dsn": True}, "m365": {"x": 1}}, reference="INV-1", not_after=until
    )
    submission = composed(message)
    assert submission.options == {"dsn": True}
    assert composed(Message(to=TO)).options == {}
    assert (submission.reference, submission.not_after) == ("INV-1", until)
    assert b"INV-1" not in submission.content


def test_a_message_id_of_the_host_is_used() -> None:
    """In brackets, whole, whatever its length."""
    given = f"{'a' * 300}@acme.example"
    submission = compose(Message(to=TO), ROUTE, message_id=given)
    assert submission.message_id == f"<{given}>" == field(submission, "Message-ID")


@pytest.mark.parametrize("wrong", ["a", "<a b@c>", "a@b\r\nBcc: x@y.example", "<a@b> <c@d>", "ä@b"])
def test_what_is_no_message_id_is_refused_before_anything(wrong: str) -> None:
    """Rule 32."""
    with pytest.raises(MessageError):
        compose(Message(to=TO), ROUTE, message_id=wrong)


@pytest.mark.parametrize("wrong", ["", "a", "A" * 32, "g" * 32, f"{KEY}\n", f"{KEY}0"])
def test_what_is_no_key_is_refused(wrong: str) -> None:
    """It stands in the Message-ID and in boundaries."""
    with pytest.raises(MessageError):
        compose(Message(to=TO), ROUTE, key=wrong)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-24T09:05:03+00:00", "Tue, 24 Nov 2026 09:05:03 +0000"),
        ("2026-01-01T00:00:00+05:30", "Thu, 01 Jan 2026 00:00:00 +0530"),
        ("2026-02-28T23:59:59-03:30", "Sat, 28 Feb 2026 23:59:59 -0330"),
        ("2026-07-01T12:00:00+00:53:28", "Wed, 01 Jul 2026 11:06:32 +0000"),
        ("0999-07-01T12:00:00-00:30", "Mon, 01 Jul 0999 12:00:00 -0030"),
    ],
)
def test_the_date_is_english_and_in_its_own_offset(moment: str, said: str) -> None:
    """RFC 5322 3.3, in any locale; an offset with seconds has no form there."""
    assert date(dt.datetime.fromisoformat(moment)) == said


def test_a_moment_without_a_time_zone_is_refused() -> None:
    """It would be another moment on another machine."""
    with pytest.raises(MessageError, match="time zone"):
        compose(Message(to=TO), ROUTE, at=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_small_pieces_are_one_chunk_and_the_large_stay_as_they_are() -> None:
    """A text is one write; five megabytes are not copied to be joined."""
    assert len(composed(Message(to=TO, text="a", html="b")).chunks) == 1
    chunks = composed(Message(to=TO, attachments=Attachment("a.bin", bytes(3 * 57 * 512 + 1)))).chunks
    assert [len(chunk) > 30_000 for chunk in chunks] == [False, True, True, True, False]


def test_the_size_is_known_before_anything_is_sent() -> None:
    """Rule 34: on the encoded bytes."""
    submission = composed(EVERYTHING)
    assert submission.size == len(submission.content) == sum(map(len, submission.chunks))


def test_composing_imports_nothing_of_the_email_package() -> None:
    """It costs more than all of ours; only older messages and carriers by fields need it."""
    program = """if True:
        import sys
        from pillarbox import Account, Address, Attachment, Message, Route, compose
        route = Route(account=Account(owner="company", method="smtp"), from_address=Address("a@b.example", "Jörg"))
        compose(Message(to="a@b.example", subject="ü", text="ü", attachments=[Attachment("ü.pdf", b"")]), route)
        print([name for name in sys.modules if name.split(".")[0] in {"email", "mimetypes", "quopri", "base64"}])
    """
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_no_line_of_the_header_holds_two_fields() -> None:
    """Every line begins a field of ours or goes on with one."""
    octets = composed(EVERYTHING).content[: composed(EVERYTHING).header_size].decode()
    assert all(
        re.match(r"[A-Z][A-Za-z-]+:( |$)| \S", line) for line in octets.removesuffix("\r\n").split("\r\n")
    )
