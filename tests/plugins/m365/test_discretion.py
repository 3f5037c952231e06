"""What was sent is neither logged by MSAL nor quoted of an answer."""

from __future__ import annotations

import logging

import msal
import pytest

from pillarbox_m365.discretion import discreet, without_sent

SECRET = "canary~of/a secret"


@pytest.mark.parametrize("field", ["code", "code_verifier", "device_code", "client_assertion"])
def test_msal_does_not_log_it(caplog: pytest.LogCaptureFixture, field: str) -> None:
    """It logs the rest of the event, and keeps the token."""
    cache = discreet(msal.SerializableTokenCache())
    with caplog.at_level(logging.DEBUG):
        cache.add(
            {
                "client_id": "a-host",
                "scope": ["Mail.Send"],
                "token_endpoint": "https://login.example/tenant/oauth2/v2.0/token",
                "data": {field: SECRET, "redirect_uri": "http://localhost"},
                "response": {"access_token": "canary-token", "expires_in": 3600},
            }
        )
    assert "redirect_uri" in caplog.text
    assert "canary" not in caplog.text
    assert "canary-token" in cache.serialize()


@pytest.mark.parametrize("echo", [SECRET, "canary%7Eof%2Fa+secret".replace("%7E", "~")])
@pytest.mark.parametrize("value", [SECRET, SECRET.encode()])
def test_an_answer_that_repeats_it(echo: str, value: str | bytes) -> None:
    """It is not repeated, as it was or as it went over the wire."""
    assert without_sent(f"bad: {echo}.", {"client_secret": value}) == "bad: ...."


@pytest.mark.parametrize("form", [None, "grant_type=x", {}, {"code": ""}, {"code": None}, {"code": "short"}])
def test_an_answer_to_something_else(form: object) -> None:
    """It stays as it is."""
    assert without_sent("a short answer", form) == "a short answer"
