"""Names of folders go over the wire and back, and whatever a server lists is read or left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox_smtp.imap_folders import (
    WELL_KNOWN,
    Folder,
    called_sent,
    decoded,
    encoded,
    listed,
    marked_sent,
    quoted,
)

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Sent", "Sent"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("Tom & Jerry", "Tom &- Jerry"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
        ("🎉", "&2DzfiQ-"),
    ],
)
def test_a_name_in_modified_utf_7(name: str, wire: str) -> None:
    """The examples of RFC 3501 5.1.3, and more."""
    assert encoded(name) == wire
    assert decoded(wire) == name


@given(NAMES)
def test_every_name_comes_back(name: str) -> None:
    """And is plain ASCII on the way."""
    assert encoded(name).isascii()
    assert decoded(encoded(name)) == name


@given(st.text())
def test_what_is_no_modified_utf_7_stays_as_it_is_or_is_read(wire: str) -> None:
    """No text makes it fail."""
    assert isinstance(decoded(wire), str)


@given(st.one_of(st.binary(), st.tuples(st.binary(), st.binary()), st.none()))
def test_whatever_is_listed_is_read_or_left_out(answer: object) -> None:
    """What comes out can be sent back without a line break in it."""
    for folder in listed([answer]):
        assert folder.wire.isascii()
        assert folder.wire.isprintable()


@pytest.mark.parametrize("name", ["a\r\nA1 DELETE x", "nul\0", "tab\t"])
def test_a_name_can_inject_nothing(name: str) -> None:
    """Control characters are encoded in a name, and refused in what is quoted as it is."""
    assert "\r" not in Folder.named(name).wire
    with pytest.raises(ValueError, match="can't be sent"):
        quoted(name)


def test_answers_as_servers_give_them() -> None:
    """Quoted, bare, by literal, without a separator, with a backslash for one."""
    answers = [
        b'(\\HasNoChildren \\Sent) "." "Gesendet &APw-"',
        b"(\\Noselect) NIL Sent",
        (b'(\\HasNoChildren) "/" {11}', b'INBOX/"odd"'),
        b"",
        b'() "\\\\" "a\\\\b"',
        b"nonsense",
    ]
    folders = listed(answers)
    assert [folder.name for folder in folders] == ["Gesendet ü", "Sent", 'INBOX/"odd"', "a\\b"]
    assert folders[0].is_marked
    assert not folders[1].is_place
    assert [folder.separator for folder in folders] == [".", "", "/", "\\"]
    assert (folders[3].last, folders[3].depth) == ("b", 1)
    assert folders[2].wire == '"INBOX/\\"odd\\""'


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_a_folder_that_is_called_so(name: str) -> None:
    """In any case of letters, at the top or below INBOX, and no deeper."""
    there = Folder(f"INBOX.{name.upper()}", "x", separator=".")
    assert called_sent([Folder("Other", "x"), there]) is there
    assert called_sent([Folder(f"a.b.{name}", "x", separator=".")]) is None
    assert marked_sent([there]) is None
