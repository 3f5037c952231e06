"""Errors: what they carry, in the form in which it may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import InvalidSettings, PillarboxError, SendDeferred, SendError, SettingsError, quotation


@given(st.text(max_size=3000) | st.binary(max_size=3000))
def test_a_quotation_is_one_short_line_of_printable_text(said):
    """Whatever a server says (rule 39)."""
    shown = quotation(said)
    assert "\n" not in shown
    assert len(shown.encode()) <= 512
    assert shown == shown.strip()
    assert quotation(shown) == shown


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x07", "\x00", "\x9b", "\U000e0041", "\ud800"]
)
def test_nothing_that_changes_how_text_is_read_gets_through(hidden):
    """Escapes, bidirectional marks, invisible characters, tags."""
    assert quotation(f"a{hidden}b") == "ab"


def test_an_error_says_the_fact_then_the_cure():
    """One sentence each."""
    assert str(SettingsError("It is broken.", cure="Mend it.")) == "It is broken. Mend it."
    assert str(SettingsError("It is broken.")) == "It is broken."


def test_a_send_error_quotes_what_it_was_told():
    """Detail and code come from a server."""
    error = SendDeferred("busy\r\n\x1b[2J now", code="450\r\n4.2.0", retry_after=7, stage="sender")
    assert (error.detail, error.code, error.retry_after) == ("busy [2J now", "450 4.2.0", 7)


def test_problems_stand_one_below_the_other():
    """With the place they were found in."""
    refusal = InvalidSettings(["a  is wrong", "b  too"], where="pillarbox.toml")
    assert str(refusal) == "pillarbox.toml has 2 problems\n  a  is wrong\n  b  too"
    assert str(InvalidSettings(["a  is wrong"])).startswith("the settings has 1 problem\n")


def test_every_error_is_a_pillarbox_error_with_a_line_in_the_tree():
    """The docstring of the module draws them all."""
    from pillarbox import _errors

    kinds = [
        value
        for value in vars(_errors).values()
        if isinstance(value, type) and issubclass(value, PillarboxError)
    ]
    assert all(kind.__name__ in _errors.__doc__ for kind in kinds)
    assert all(issubclass(kind, (PillarboxError, SendError)) and kind.__doc__ for kind in kinds)
