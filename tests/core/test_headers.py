"""Header fields: folded where they may be, encoded where they must be."""

from __future__ import annotations

import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import Address
from pillarbox._headers import (
    address_field,
    encoded_words,
    extended_parameter,
    folded,
    old_parameter,
    parameter,
    parameter_field,
    text_field,
)
from tests.core import messages
from tests.core.messages import patient

ENCODED_WORD = re.compile(r"=\?utf-8\?[bq]\?[!-~]+\?=")


def unfolded(field: str) -> str:
    """Return the value of *field*, which has to be well folded, as RFC 5322 2.2.3 unfolds it."""
    assert field.endswith("\r\n")
    lines = field[:-2].split("\r\n")
    assert all(line.strip() and line[0] == " " for line in lines[1:])
    assert all(len(line) <= 998 for line in lines)
    return "".join(lines).partition(":")[2].strip(" ")


def decoded(text: str) -> str:
    """Return *text* with its encoded words decoded."""
    return str(make_header(decode_header(text)))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Invoice 1001", "Subject: Invoice 1001\r\n"),
        ("", "Subject:\r\n"),
        ("Invoice  1001", "Subject: Invoice  1001\r\n"),
        ("Rechnung für März", "Subject: =?utf-8?b?UmVjaG51bmcgZsO8ciBNw6Ryeg==?=\r\n"),
        (
            "Rechnungen für April, Mai und Juni",
            "Subject: =?utf-8?q?Rechnungen_f=C3=BCr_April=2C_Mai_und_Juni?=\r\n",
        ),
        ("日本", "Subject: =?utf-8?b?5pel5pys?=\r\n"),
        ("=?utf-8?q?x?=", "Subject: =?utf-8?b?PT91dGYtOD9xP3g/PQ==?=\r\n"),
        (" a", "Subject: =?utf-8?q?_a?=\r\n"),
        ("a ", "Subject: =?utf-8?q?a_?=\r\n"),
    ],
)
def test_a_subject_stands_as_it_is_where_it_can(text: str, field: str) -> None:
    """Else it goes as encoded words, the shorter way."""
    assert text_field("Subject", text) == field


def test_a_text_is_folded_between_its_words() -> None:
    """Within 78 characters, and unfolds to the same."""
    text = "word " * 60 + "end"
    field = text_field("Subject", text)
    assert unfolded(field) == text
    assert max(map(len, field.split("\r\n"))) <= 78


def test_a_row_of_spaces_is_never_folded() -> None:
    """Some readers make one space of a fold."""
    text = ("ab  cd " * 40).strip()
    assert unfolded(text_field("X-Note", text)) == text
    assert "\r\n  " not in text_field("X-Note", text)


@pytest.mark.parametrize("length", [78, 900, 901, 8_000])
def test_a_word_too_long_for_a_line_is_encoded(length: int) -> None:
    """In a subject from 77 characters on, in another header where RFC 5322 2.1.1 needs it."""
    text = f"a {'x' * length} z"
    subject, other = text_field("Subject", text, 76), text_field("X-Note", text)
    assert max(map(len, subject.split("\r\n"))) <= 76
    assert decoded(unfolded(subject)) == decoded(unfolded(other)) == text
    assert ("=?" in other) is (length > 900)


@patient
@given(st.sampled_from(["Subject", "X-Note", "X" * 76]), messages.lines(2_000))
def test_every_text_is_read_back_from_short_lines(name: str, text: str) -> None:
    """Encoded words have at most 75 characters, their lines 76 (RFC 2047 2), but behind a name as long as a line."""
    field = text_field(name, text, 76)
    assert field.isascii()
    assert decoded(unfolded(field)) == text
    for line in field.split("\r\n"):
        words = ENCODED_WORD.findall(line)
        assert all(len(word) <= 75 for word in words)
        assert not words or len(line) <= 76 or len(name) > 30


@patient
@given(st.text(messages.characters, min_size=1, max_size=300), st.integers(12, 75))
def test_no_character_is_cut_in_two(text: str, first: int) -> None:
    """RFC 2047 5: each encoded word is a text of its own."""
    words = encoded_words(text, first)
    assert "".join(decoded(word) for word in words) == text
    assert len(words[0]) <= max(first, 40)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "a@b.example"),
        ("Anna Berg", "Anna Berg <a@b.example>"),
        ("Acme, Ltd.", '"Acme, Ltd." <a@b.example>'),
        ('A "B" \\ C', '"A \\"B\\" \\\\ C" <a@b.example>'),
        ("a@b.example", '"a@b.example" <a@b.example>'),
        ("Jörg", "=?utf-8?b?SsO2cmc=?= <a@b.example>"),
        ("two  spaces", "=?utf-8?q?two__spaces?= <a@b.example>"),
        (" ", "=?utf-8?q?_?= <a@b.example>"),
        ("=?x", "=?utf-8?b?PT94?= <a@b.example>"),
    ],
)
def test_a_display_name_is_quoted_or_encoded(name: str, shown: str) -> None:
    """Rule 13: never trusted to be atoms."""
    assert address_field("To", [Address("a@b.example", name)]) == f"To: {shown}\r\n"


def test_addresses_are_folded_between_and_never_inside() -> None:
    """An addr-spec of 254 octets stays on one line."""
    long = f"{'a' * 64}@{'.'.join(['b' * 58] * 3)}.example"
    field = address_field("To", [Address(long, "Jörg " * 30), *[Address("x@y.example", "Anna Berg")] * 30])
    assert f"<{long}>," in field
    assert field.count("Anna Berg <x@y.example>") == 30
    assert all(len(line) <= 78 or long in line for line in field.split("\r\n"))


def test_an_address_goes_with_its_a_labels_and_its_local_part_as_it_is() -> None:
    """Rule 31; RFC 6532 for the local part."""
    assert address_field("To", [Address("jörg@bücher.example")]) == "To: jörg@xn--bcher-kva.example\r\n"


@patient
@given(
    st.lists(
        st.builds("{}{}".format, st.integers(1, 899).map("a".__mul__), st.sampled_from(["", ":"])), max_size=8
    )
)
def test_words_stay_whole_in_lines_that_are_never_too_long(words: list[str]) -> None:
    """References and unsubscribe addresses are such words."""
    field = folded("References", words)
    assert field.removesuffix("\r\n").replace("\r\n", "").split(" ")[1:] == words
    assert all(len(line) <= 998 for line in field.split("\r\n"))
    assert all(line for line in field.removesuffix("\r\n").split("\r\n"))


@pytest.mark.parametrize(
    ("value", "shown"), [("utf-8", "a=utf-8"), ("two words", 'a="two words"'), ('"', 'a="\\""'), ("", 'a=""')]
)
def test_a_parameter_is_quoted_where_it_is_no_token(value: str, shown: str) -> None:
    """RFC 2045 5.1."""
    assert parameter("a", value) == shown
    assert parameter_field("X", "y", [shown]) == f"X: y;\r\n {shown}\r\n"


@pytest.mark.parametrize(
    ("filename", "new", "old"),
    [
        ("invoice.pdf", 'filename="invoice.pdf"', 'name="invoice.pdf"'),
        ("it's 100%.pdf", 'filename="it\'s 100%.pdf"', 'name="it\'s 100%.pdf"'),
        ("für.pdf", "filename*=utf-8''f%C3%BCr.pdf", 'name="=?utf-8?b?ZsO8ci5wZGY=?="'),
        ('a"b\\.pdf', "filename*=utf-8''a%22b%5C.pdf", 'name="=?utf-8?b?YSJiXC5wZGY=?="'),
        ("a'b*ü%", "filename*=utf-8''a%27b%2A%C3%BC%25", 'name="=?utf-8?b?YSdiKsO8JQ==?="'),
        (
            "=?utf-8?q?a?=",
            "filename*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D",
            'name="=?utf-8?b?PT91dGYtOD9xP2E/PQ==?="',
        ),
    ],
)
def test_a_file_name_goes_both_ways(filename: str, new: str, old: str) -> None:
    """RFC 2231 for today's readers, RFC 2047 for those that know no better."""
    assert extended_parameter("filename", filename) == [new]
    assert old_parameter("name", filename) == old


@patient
@given(st.text(messages.characters, min_size=60, max_size=255))
def test_a_long_file_name_continues_in_numbered_pieces(filename: str) -> None:
    """RFC 2231 4.1: the charset once, no character cut in two, lines of at most 78."""
    pieces = extended_parameter("filename", filename)
    assert all(len(piece) <= 76 for piece in pieces) or pieces == [f'filename="{filename}"']
    for at, piece in enumerate(pieces[1:], 1):
        name, _, octets = piece.partition("=")
        assert name == f"filename*{at}*"
        assert bytes.fromhex("".join(re.findall("%(..)", octets))).decode("utf-8") is not None


@patient
@given(st.text(messages.characters, max_size=255))
def test_an_old_name_is_read_back_from_its_encoded_words(filename: str) -> None:
    """In short lines, inside of the quotes."""
    lines = old_parameter("name", filename).split("\r\n ")
    assert all(len(line) <= 77 for line in lines) or lines == [f'name="{filename}"']
    assert decoded(" ".join(lines).removeprefix('name="').removesuffix('"')) == filename
