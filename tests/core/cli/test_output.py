"""How results are printed: columns, tables, JSON, colour, and patience."""

from __future__ import annotations

import datetime as dt
import enum
import sys
import time

import attrs
import pytest

from pillarbox.cli import _output
from pillarbox.cli._output import clean, columns, folded, label, patience, plain, print_table


class Colour(enum.Enum):
    RED = "red"


@attrs.frozen
class Thing:
    colour: Colour
    at: dt.datetime
    inner: tuple[object, ...]


def test_values_become_what_json_has():
    """Objects, lists, enums by value, moments in ISO 8601."""
    thing = Thing(Colour.RED, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), ({"a": 1}, None, 1.5))
    assert plain(thing) == {
        "colour": "red",
        "at": "2026-01-02T00:00:00+00:00",
        "inner": [{"a": 1}, None, 1.5],
    }
    assert plain(b"x") == "b'x'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 山", "Grüße, 山"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\nb\tc", "a b c"),
        ("\u202ea\x9b\x00", "a"),
        ("a\xa0b", "a b"),
    ],
)
def test_text_of_any_origin_stays_on_its_line(text, shown):
    """No control, escape or bidirectional characters."""
    assert clean(text) == shown


def test_columns_are_aligned_and_folded_in_their_column(monkeypatch):
    """On a narrow terminal."""
    monkeypatch.setattr(_output, "width", lambda: 30)
    assert columns([("a", "short"), ("bcd", "one two three four five six seven")]) == [
        "a    short",
        "bcd  one two three four five",
        "     six seven",
    ]


def test_nothing_is_folded_where_there_is_no_terminal():
    """For grep, and for copying."""
    assert columns([("a", "word " * 100 + "end")]) == ["a  " + "word " * 100 + "end"]
    assert folded("word " * 100, 10) == ["word " * 100]


def test_a_long_word_is_not_broken():
    """A path has to stay whole to be copied."""
    assert folded(f"see {'x' * 50} there", 20) == ["see", "x" * 50, "there"]


def test_a_table_is_one_line_a_row_without_a_terminal(capsys):
    """No trailing blanks, no colour, however long."""
    print_table(("name", "what"), [("a", "x" * 300), ("b\x1b", "y")])
    head, rule, first, second = capsys.readouterr().out.splitlines()
    assert head == "name   what"
    assert set(rule) == {"─"}
    assert (first, second) == ("a      " + "x" * 300, "b      y")


def test_no_color_is_heeded(monkeypatch):
    """NO_COLOR, whatever its value; without it click leaves colour out where there is no terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert label("ok", "green") == "ok"
    monkeypatch.delenv("NO_COLOR")
    assert label("ok", "green") == "\x1b[32mok\x1b[0m"


def test_patience_is_shown_on_a_terminal_only(capsys, monkeypatch):
    """Nothing at all elsewhere, however long it takes."""
    monkeypatch.setattr(_output, "PATIENCE", 0.0)
    with patience("Sending ..."):
        time.sleep(0.05)
    assert capsys.readouterr() == ("", "")


def test_patience_shows_after_a_while_and_leaves_nothing(capsys, monkeypatch):
    """On standard error, standard output being for results."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(_output, "PATIENCE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with patience("Sending ..."):
        time.sleep(0.4)
    said = capsys.readouterr()
    assert said.out == ""
    assert "Sending ..." in said.err


def test_what_is_quick_shows_no_patience(capsys, monkeypatch):
    """Under a second."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with patience("Sending ..."):
        pass
    assert capsys.readouterr() == ("", "")
