"""Requests, answers and tokens as values."""

from __future__ import annotations

import pytest

from pillarbox.testing._http.values import Call, Mail, Reply, Token


def call(target: str = "/", **headers: str) -> Call:
    return Call(
        method="GET",
        target=target,
        headers={name.lower(): value for name, value in headers.items()},
        body=b"",
    )


def test_a_path_is_decoded_after_it_was_parted():
    asked = call("/users/a%40b%2Fc/x?q=a%20b&q=c+d&empty=")
    assert asked.segments == ("users", "a@b/c", "x")
    assert asked.path == "/users/a@b/c/x"
    assert (asked.asked, asked.asked_all["q"]) == ({"q": "c d", "empty": ""}, ["a b", "c d"])


@pytest.mark.parametrize(
    ("header", "token"), [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("", "")]
)
def test_a_token_is_a_bearers(header: str, token: str):
    assert call(authorization=header).bearer == token


def test_a_media_type_is_told_without_its_parameters():
    one = Call(method="POST", target="/", headers={"content-type": "Text/Plain; charset=x"}, body=b"")
    assert (one.media_type, call().media_type) == ("text/plain", "")


def test_scopes_may_be_one_string():
    assert Token("a@b", "one two") == Token("a@b", ["two", "one"])


def test_values_do_not_spill_bodies():
    """What a failing test prints is short."""
    mail = Mail(
        id="1",
        content=b"x" * 9999,
        recipients=(),
        sender="",
        shown="",
        message_id="",
        copy=None,
        properties={},
    )
    assert all(len(repr(one)) < 300 for one in (mail, Reply(200, b"x" * 9999)))
