"""A secret is found in whatever disguise protocols and programs give it, and nothing else is."""

from __future__ import annotations

import base64
import json
import traceback
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox.testing._contract._canary import disguises, told, words_of

SECRET = "canary-55+sécret/\\"


@pytest.mark.parametrize(
    "disguise",
    [
        str,
        repr,
        ascii,
        json.dumps,
        urllib.parse.quote_plus,
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(f"\0anna@acme.example\0{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"anna:{secret}".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"user=anna\1auth={secret}\1\1".encode()).decode(),
    ],
    ids=["plain", "repr", "ascii", "json", "percent", "hex", "AUTH PLAIN", "Basic", "XOAUTH2"],
)
def test_a_secret_is_found_in_its_disguise(disguise):
    """As it is, escaped, encoded, and in a sign-in."""
    assert told([SECRET], ["nothing here", f"sent {disguise(SECRET)} to the server"])


@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_in_base64_it_is_found_behind_and_before_anything(before, after):
    """At each alignment."""
    assert told([SECRET], [base64.b64encode(before + SECRET.encode() + after).decode()])


@given(st.text(max_size=200))
def test_text_without_it_is_innocent(text):
    """No false alarm."""
    assert told([SECRET], [text.replace("canary", "")]) is None


def test_what_was_found_is_shown_without_the_secret():
    """A report on a leak is no leak."""
    assert told([SECRET], [f"AUTH PLAIN {SECRET}"]) == "AUTH PLAIN [the secret]"
    shown = told([SECRET], ["a" * 100 + SECRET + "b" * 40 + SECRET])
    assert shown == "a" * 60 + "[the secret]" + "b" * 40 + "[the secret]"


def test_a_secret_too_short_to_be_told_from_text_is_refused():
    """It would be found in innocent words."""
    with pytest.raises(ValueError, match="at least 12"):
        disguises("password")


def raised() -> BaseException:
    try:
        try:
            raise ValueError("innermost")
        except ValueError:
            raise KeyError("middle")  # noqa: B904
    except KeyError as error:
        outer = RuntimeError("outer")
        outer.add_note("a note")
        outer.request = "an attribute"
        try:
            raise outer from ExceptionGroup("several", [OSError("one of several"), error])
        except RuntimeError as found:
            return found


@pytest.mark.parametrize(
    "word", ["outer", "a note", "an attribute", "several", "one of several", "middle", "innermost"]
)
def test_all_that_an_error_says_is_listened_to(word):
    """Its text, notes and attributes, its cause, its context, and those of a group."""
    assert any(word in text for text in words_of(raised()))


def test_errors_that_go_in_a_circle_end():
    """A cause that is its own is heard once."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    words = list(words_of(one))
    assert sum(text == "one" for text in words) == 1
    assert traceback.format_exception(one)
