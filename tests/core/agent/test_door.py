"""A desk's way to its server: where the token goes, and what a server may answer."""

from __future__ import annotations

import pytest

from pillarbox import OutboxError, SendDeferred, SettingsError, SignInNeeded
from pillarbox._agent import door as module
from pillarbox._agent.door import Door
from pillarbox.agent import wire
from tests.core.agent.entries import entry as waiting
from tests.core.exchange.peer import Peer, answer

TOKEN = "pbx_YWNtZS9hbm5h." + "A" * 43


def says(status: str, body: bytes = b"", *headers: str) -> bytes:
    return answer(status, body, "Connection: close", *headers)


def ask(said: bytes, **more):
    with Peer(said) as peer:
        door = Door(peer.url, TOKEN)
        try:
            return door.call(wire.STATUS, {}, **more), peer.heard[0]
        finally:
            door.close()


def test_a_call_shows_the_token_and_its_run():
    found, heard = ask(says("200 OK", b'{"waiting":1}'))
    assert found == {"waiting": 1}
    assert heard.startswith(b"POST /status HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in heard
    assert b"Pillarbox-Session: " in heard


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.acme.example/mail/agent",
        "ftp://erp.acme.example",
        "erp.acme.example",
        "https://",
        "https://anna:secret@erp.acme.example",
        "https://erp.acme.example/?token=x",
        "https://erp.acme.example:x",
        "https://erp.acme.example/#x",
        "http://localhost.evil.example",
        "",
    ],
)
def test_the_token_travels_to_nothing_else_than_https(url):
    with pytest.raises(SettingsError, match=r"no address|in clear"):
        Door(url, TOKEN)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/agent", "http://localhost:8000", "http://[::1]:80"])
def test_this_computer_itself_needs_no_tls(url):
    Door(url, TOKEN).close()


@pytest.mark.parametrize("token", ["", "hunter2", "pbx_a\r\nX: y", "pbx_a b", "pbx_é"])
def test_what_is_no_token_is_not_shown(token):
    with pytest.raises(SettingsError, match="no token") as caught:
        Door("https://erp.acme.example", token)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (says("401 Unauthorized", b"{}"), SignInNeeded),
        (says("410 Gone", b"{}"), SignInNeeded),
        (says("403 Forbidden", b"{}"), SettingsError),
        (says("404 Not Found", b"<html>"), SettingsError),
        (says("302 Found", b"", "Location: http://evil.example/"), SendDeferred),
        (says("400 Bad Request", b"{}"), OutboxError),
        (says("500 Internal Server Error", b"oh"), SendDeferred),
        (says("503 Service Unavailable", b"", "Retry-After: 7"), SendDeferred),
        (says("200 OK", b"<html>a login page"), SendDeferred),
        (says("200 OK", b"[]"), SendDeferred),
        (says("200 OK", b'{"at": NaN}'), SendDeferred),
        (b"SSH-2.0-OpenSSH\r\n", SendDeferred),
        (b"", SendDeferred),
    ],
)
def test_what_a_server_may_answer(said, error):
    """A refusal says what to do; what is no answer is asked again; a redirect is not followed."""
    with pytest.raises(error) as caught:
        ask(said, seconds=2.0)
    assert TOKEN not in str(caught.value)
    if isinstance(caught.value, SendDeferred):
        assert caught.value.stage == "door"


def test_a_server_that_does_not_answer_is_asked_again():
    door = Door("http://127.0.0.1:1", TOKEN)
    with pytest.raises(SendDeferred) as caught:
        door.call(wire.STATUS, {})
    assert caught.value.stage == "door"


def test_what_a_server_says_of_a_refusal_is_told_with_bounds():
    body = b'{"error": {"detail": "\\u001b[31mNo' + b"x" * 100_000 + b'", "cure": "Do."}}'
    with pytest.raises(SignInNeeded) as caught:
        ask(says("401 Unauthorized", body))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 2_000


def test_an_answer_without_an_end_is_cut(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 16 * 1024)
    with pytest.raises(SendDeferred, match="too long"):
        ask(says("200 OK", b" " * 100_000))


def test_a_content_that_is_not_whole_is_none():
    entry = waiting()
    with pytest.raises(ValueError, match="whole"):
        wire.with_content(entry, b"x" * 10, 5)
    with pytest.raises(ValueError, match="whole"):
        wire.with_content(entry, b"", 5)


def test_nothing_of_the_token_is_shown():
    door = Door("https://erp.acme.example", TOKEN)
    assert TOKEN not in repr(door)
    assert TOKEN not in repr(vars(door)["_lines"])
