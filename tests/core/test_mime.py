"""Bodies and parts: seven bits, CRLF, short lines, and the same bytes on the other side."""

from __future__ import annotations

import base64
import pickle
import quopri
import tracemalloc
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pillarbox import Attachment, Calendar, Message
from pillarbox._mime import Part, base64_lines, crlf, entity, file_part, is_clean, quoted_printable, text_part
from tests.core import messages
from tests.core.messages import INVITATION, KEY, patient

HTML = "<p>Hello</p>"
PICTURE = Attachment("logo.png", b"PNG", inline=True, content_id="logo@acme")
PDF = Attachment("invoice.pdf", b"%PDF")


def body(part: Part) -> bytes:
    """Return the encoded body, which has to be fit for any server."""
    octets = b"".join(part.body)
    assert octets.isascii()
    assert b"\0" not in octets
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in octets.split(b"\r\n"))
    return octets


def encoding(part: Part) -> str:
    """Return the Content-Transfer-Encoding."""
    return str(parsed(part)["Content-Transfer-Encoding"])


def parsed(part: Part) -> EmailMessage:
    """Return *part* as the standard library reads it."""
    email = message_from_bytes(part.head.encode() + b"\r\n" + body(part), policy=policy.default)
    assert isinstance(email, EmailMessage)
    return email


def shape(email: MIMEPart) -> object:
    """Return the types of *email* as they are nested."""
    kind = email.get_content_type()
    return {kind: [shape(child) for child in email.iter_parts()]} if email.is_multipart() else kind


ALTERNATIVE = {"multipart/alternative": ["text/plain", "text/html"]}
INVITED = {"multipart/alternative": ["text/plain", "text/html", "text/calendar"]}
SHAPES: list[tuple[dict[str, object], object]] = [
    ({}, "text/plain"),
    ({"text": "a"}, "text/plain"),
    ({"html": HTML}, "text/html"),
    ({"text": "a", "html": HTML}, ALTERNATIVE),
    ({"text": "a", "attachments": PDF}, {"multipart/mixed": ["text/plain", "application/pdf"]}),
    ({"attachments": PDF}, {"multipart/mixed": ["text/plain", "application/pdf"]}),
    ({"html": HTML, "attachments": PICTURE}, {"multipart/related": ["text/html", "image/png"]}),
    ({"text": "a", "attachments": PICTURE}, {"multipart/mixed": ["text/plain", "image/png"]}),
    (
        {"text": "a", "html": HTML, "attachments": [PDF, PICTURE]},
        {"multipart/mixed": [{"multipart/related": [ALTERNATIVE, "image/png"]}, "application/pdf"]},
    ),
    ({"calendar": Calendar(INVITATION)}, {"multipart/mixed": ["text/calendar", "application/ics"]}),
    (
        {"text": "a", "html": HTML, "calendar": Calendar(INVITATION)},
        {"multipart/mixed": [INVITED, "application/ics"]},
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SHAPES)
def test_parts_are_nested_only_where_there_is_something_to_hold(
    fields: dict[str, object], expected: object
) -> None:
    """mixed(related(alternative(...), pictures), attachments), each level when it is needed."""
    message = Message(to="a@b.example", **fields)  # type: ignore[arg-type]
    assert shape(parsed(entity(message, KEY))) == expected


def test_a_related_names_the_type_of_its_root() -> None:
    """RFC 2387 3.1 requires it."""
    email = parsed(entity(Message(to="a@b.example", text="a", html=HTML, attachments=PICTURE), KEY))
    assert email["Content-Type"].params["type"] == "multipart/alternative"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello\n", "7bit"),
        ("", "7bit"),
        ("a" * 990, "7bit"),
        ("a" * 991, "quoted-printable"),
        ("Grüße aus Köln, mit freundlichem Dank", "quoted-printable"),
        ("日本語のメール", "base64"),
        ("ü" * 10, "base64"),
    ],
)
def test_a_text_takes_the_shortest_encoding_that_is_needed(text: str, name: str) -> None:
    """It stands as it is where ASCII and line lengths allow."""
    assert encoding(text_part(text, "plain")) == name


@patient
@given(messages.texts)
@example("a \n b\t\n.\n..\nFrom x\n=\n=20\n")
@example(" " * 80 + "\n" + "ü" + "a" * 74 + " \n")
@example("\r\r\n\n\r")
def test_every_text_is_read_back_with_its_lines(text: str) -> None:
    """Whatever its alphabet, its line breaks and its spaces at the ends of lines."""
    for subtype in ("plain", "html"):
        part = text_part(text, subtype)
        payload = parsed(part).get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode("utf-8") == crlf(text)


@patient
@given(messages.texts)
def test_each_line_break_becomes_crlf(text: str) -> None:
    """CR, LF and CRLF alike, with one at the end; the words stay."""
    ended = crlf(text)
    assert ended.replace("\r\n", "").count("\n") + ended.replace("\r\n", "").count("\r") == 0
    assert (
        ended.split("\r\n")[:-1]
        == text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        or not text
    )
    assert crlf(ended) == ended


@patient
@given(messages.texts.map(lambda text: crlf(text).encode()))
@example(b" " * 76 + b"\r\n")
@example(b"a" * 74 + b" \r\n")
@example(b"a" * 75 + b"\t\r\n")
@example(b"=" * 25 + b" \r\n")
@example(b".\r\n")
@example(b"\r\n \r\n")
def test_quoted_printable_is_read_back_from_lines_of_76(octets: bytes) -> None:
    """RFC 2045 6.7; the standard library's encoder makes some of 78 and, without a line break, ends them by LF."""
    encoded = quoted_printable(octets)
    assert quopri.decodestring(encoded) == octets
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert encoded.replace(b"\r\n", b"").translate(None, b"\r\n") == encoded.replace(b"\r\n", b"")
    assert not any(line.endswith((b" ", b"\t")) for line in encoded.split(b"\r\n"))


def test_an_attachment_that_is_sent_again_is_encoded_no_more() -> None:
    """From the second time on the very same octets are given out; they are no part of its value, nor of a pickle."""
    attachment = Attachment("invoice.pdf", bytes(100_000))
    first, second, third = (file_part(attachment).body for _ in range(3))

    assert first == second
    assert third is second
    assert attachment == Attachment("invoice.pdf", bytes(100_000))
    assert len(pickle.dumps(attachment)) < 110_000
    assert file_part(pickle.loads(pickle.dumps(attachment))).body == first


def test_an_attachment_that_is_sent_once_keeps_no_second_copy() -> None:
    """A host may hold a thousand messages until they are sent."""
    attachment = Attachment("invoice.pdf", bytes(1_000_000))
    tracemalloc.start()
    try:
        file_part(attachment)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak > 1_300_000
    assert kept < 100_000


@patient
@given(st.one_of(st.binary(max_size=200), st.integers(29_100, 29_300).map(bytes), st.just(bytes(2 * 29_184))))
def test_base64_is_read_back_from_lines_of_76(octets: bytes) -> None:
    """RFC 2045 6.8: all of them full but the last, whatever falls on the edge of a block."""
    lines = b"".join(base64_lines(octets)).split(b"\r\n")
    assert base64.b64decode(b"".join(lines), validate=True) == octets
    assert {len(line) for line in lines[:-1]} <= {76}
    assert 0 < len(lines[-1]) <= 76 or not octets


def test_the_pieces_of_a_large_file_are_not_joined() -> None:
    """A copy of five megabytes costs as much as the network write."""
    pieces = base64_lines(bytes(100_000))
    assert len(pieces) == 4
    assert all(piece.endswith(b"\r\n") for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("octets", "clean"),
    [
        (b"", True),
        (b"a" * 990, True),
        (b"a" * 990 + b"\r\n" + b"b" * 990, True),
        (b"a\r\n" + b"b" * 991, False),
        (b"\xe4", False),
    ],
)
def test_clean_is_what_every_server_takes(octets: bytes, clean: bool) -> None:
    """RFC 2045 2.7, with room for a doubled dot."""
    assert is_clean(octets) is clean


@patient
@given(
    st.lists(st.sampled_from([0, 1, 2, 78, 500, 988, 989, 990, 991, 992, 2000]), max_size=6), st.booleans()
)
def test_a_line_is_long_wherever_it_stands(lengths: list[int], ends: bool) -> None:
    """Whatever stands before and behind it, and whether the last one ends or not."""
    octets = b"\r\n".join(b"a" * length for length in lengths) + b"\r\n" * ends
    assert is_clean(octets) is all(length <= 990 for length in lengths)


@patient
@given(messages.attachments)
def test_a_file_keeps_its_bytes(file: Attachment) -> None:
    """Also a text, whose line breaks are its own."""
    email = parsed(file_part(file))
    assert email.get_payload(decode=True) == file.content
    assert email.get_content_type() == file.kind
    assert dict(file.parameters).items() <= dict(email["Content-Type"].params).items()


def test_a_file_has_one_name_whatever_its_type_says() -> None:
    """The name in the parameters gives way to the file name."""
    part = file_part(Attachment("a.csv", b"", 'text/csv; name="b.csv"; NAME*0="c.csv"; charset=utf-8'))
    assert (
        part.head.split("Content-Transfer")[0]
        == 'Content-Type: text/csv;\r\n charset=utf-8;\r\n name="a.csv"\r\n'
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Subject: a\r\n\r\nbody\r\n", "message/rfc822"),
        (b"Subject: a\n\nbody\n.\n", "message/rfc822"),
        (b"Subject: a\r\n\r\nbody\n", "application/octet-stream"),
        (b"Subject: a\r\n\r\nbo\rdy", "application/octet-stream"),
        (b"Subject: a\r\n\r\nb\xc3\xb6dy\r\n", "application/octet-stream"),
        (b"Subject: a\r\n\r\n" + b"b" * 999, "application/octet-stream"),
        (b"Subject: a\r\n\r\nbo\0dy\r\n", "application/octet-stream"),
    ],
)
def test_a_message_is_attached_as_one_only_where_it_is_clean(content: bytes, kind: str) -> None:
    """RFC 2046 5.2.1 forbids base64 for message/rfc822: what needs it goes as a file, every byte kept."""
    email = parsed(file_part(Attachment("mail.eml", content)))
    assert email.get_content_type() == kind
    if kind == "message/rfc822":
        assert email["Content-Transfer-Encoding"] == "7bit"
        assert email.get_content()["Subject"] == "a"
    else:
        assert email.get_payload(decode=True) == content


def test_an_invitation_is_shown_and_attached_with_one_method() -> None:
    """RFC 6047: the parameter is the METHOD of the text, and both parts hold the same text."""
    email = parsed(entity(Message(to="a@b.example", text="a", calendar=Calendar(INVITATION)), KEY))
    shown, attached = (part for part in email.walk() if part.get_content_subtype() in {"calendar", "ics"})
    assert shown["Content-Type"].params["method"] == "REQUEST"
    assert shown.get_payload(decode=True) == attached.get_payload(decode=True) == INVITATION.encode()
    assert attached.get_filename() == "invite.ics"


def test_boundaries_come_from_the_key() -> None:
    """A retry makes the same bytes, another submission others."""
    message = Message(to="a@b.example", text="a", html=HTML)
    assert entity(message, KEY) == entity(message, KEY)
    assert f'boundary="=_alternative_{KEY}"' in entity(message, KEY).head
    assert entity(message, KEY).body != entity(message, "f" * 32).body


@pytest.mark.parametrize("place", ["text", "html", "attachments"])
def test_whoever_knows_the_key_can_not_write_a_boundary(place: str) -> None:
    """A quoted mail or an attached message may hold what the next mail's boundary would have been."""
    forged = f"--=_mixed_{KEY}\n\nforged\n--=_alternative_{KEY}--\n"
    values: dict[str, object] = {"text": "a", "html": HTML, "attachments": PDF}
    values[place] = Attachment("mail.eml", forged.encode()) if place == "attachments" else forged
    email = parsed(entity(Message(to="a@b.example", **values), KEY))  # type: ignore[arg-type]
    assert next(part.get_content_maintype() for part in email.iter_parts()) == "multipart"
    assert len(list(email.iter_parts())) == 2
    assert KEY not in email["Content-Type"].params["boundary"]


def test_the_lines_of_a_clean_text_survive_dot_stuffing() -> None:
    """The dots are the wire's business: the writer leaves them and leaves room for one more."""
    part = text_part(".\n..\n" + "." * 990 + "\n", "plain")
    assert encoding(part) == "7bit"
    assert body(part) == b".\r\n..\r\n" + b"." * 990 + b"\r\n"
