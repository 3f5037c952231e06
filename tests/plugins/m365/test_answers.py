"""What Graph's answers mean: the table row by row, and what the status says where no row fits."""

from __future__ import annotations

import json

import pytest

from pillarbox import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SettingsError, SignInNeeded
from pillarbox.exchange import Answer
from pillarbox_m365.answers import (
    FLOOR,
    HOURS,
    LONGEST,
    ROWS,
    Means,
    codes_of,
    error_of,
    retry_after,
    words_of,
)

KINDS = {
    Means.MESSAGE: SendRejected,
    Means.ACCOUNT: SignInNeeded,
    Means.SETTINGS: SettingsError,
    Means.LATER: SendDeferred,
    Means.LIMIT: SendDeferred,
    Means.HOURS: SendDeferred,
}


def answer(status: int, code: str = "", *, inner: str = "", **headers: str) -> Answer:
    nested = {"innerError": {"code": inner, "innererror": {"date": "now"}}} if inner else {}
    body = (
        json.dumps({"error": {"code": code, "message": "What it says.", **nested}}).encode() if code else b""
    )
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("submits", [False, True])
@pytest.mark.parametrize("code", ROWS)
def test_each_code_that_is_known(code: str, submits: bool) -> None:
    """It is a refusal, whoever's business it is; the server's words are told."""
    error = error_of(answer(403, code), "send", submits=submits)
    assert type(error) is KINDS[ROWS[code].means]
    assert code in error.detail
    assert error.cure == ROWS[code].cure
    rests = ROWS[code].means in {Means.LIMIT, Means.HOURS}
    assert (
        getattr(error, "stage", "") == "limit"
    ) is rests  # then the whole lane rests, not this message alone


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SendRejected),
        (401, SignInNeeded),
        (403, SignInNeeded),
        (404, SendRejected),
        (409, SendDeferred),
        (412, SendDeferred),
        (413, SendRejected),
        (423, SendDeferred),
        (429, SendDeferred),
    ],
)
def test_each_status_with_a_code_that_is_not_known(status: int, kind: type[PillarboxError]) -> None:
    """A complete refusal of the call that submits is an answer too (rule 20)."""
    for submits in (False, True):
        assert type(error_of(answer(status, "SomethingNew"), "send", submits=submits)) is kind


@pytest.mark.parametrize("status", [200, 204, 408, 500, 502, 503, 504])
def test_what_is_no_refusal_leaves_open_what_was_submitted(status: int) -> None:
    """Whatever code stands in it; on any other step nothing was sent."""
    for code in ("", "ErrorServerBusy", "UnknownError", "ErrorInternalServerError"):
        assert type(error_of(answer(status, code), "send", submits=True)) is OutcomeUnknown
        assert type(error_of(answer(status, code), "draft")) is SendDeferred


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_was_not_followed(status: int) -> None:
    """So nothing was done."""
    assert (
        type(error_of(answer(status, location="https://evil.example"), "send", submits=True)) is SendDeferred
    )


def test_the_most_detailed_code_counts() -> None:
    """It is nested."""
    found = answer(403, "AccessDenied", inner="ErrorSendAsDenied")
    assert codes_of(found) == ["ErrorSendAsDenied", "AccessDenied"]
    assert isinstance(error_of(found, "send"), SendRejected)


def test_a_code_that_is_not_known_leaves_it_to_the_one_around_it() -> None:
    """Graph adds new ones."""
    assert isinstance(
        error_of(answer(429, "ApplicationThrottled", inner="MailboxConcurrency"), "draft"), SendDeferred
    )


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": {"code": 1}}', b"\xff"]
)
def test_a_body_that_is_no_error(body: bytes) -> None:
    """The status is all there is to say."""
    assert words_of(Answer(403, {}, body)) == "403"


def test_errors_nested_without_end() -> None:
    """They are read to a depth."""
    value: dict[str, object] = {"code": "x"}
    for _ in range(200):
        value = {"code": "x", "innerError": value}
    assert len(codes_of(Answer(400, {}, json.dumps({"error": value}).encode()))) < 20


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1", FLOOR), ("30", 30.0), ("99999999999999", LONGEST), ("", None), ("soon", None), ("-1", None)],
)
def test_when_to_come_again(said: str, seconds: float | None) -> None:
    """As the server says, within bounds."""
    assert retry_after(answer(429, retry_after=said)) == seconds


def test_when_to_come_again_as_a_date() -> None:
    """One that has passed is the floor."""
    assert retry_after(answer(429, retry_after="Thu, 26 Nov 2015 00:00:00 GMT")) == FLOOR
    assert retry_after(answer(429, retry_after="Thu, 26 Nov 2999 00:00:00 GMT")) == LONGEST


def test_a_mailbox_that_is_full_waits_for_hours() -> None:
    """Not for the seconds of the header."""
    error = error_of(answer(403, "ErrorQuotaExceeded", retry_after="1"), "send")
    assert isinstance(error, SendDeferred)
    assert error.retry_after == HOURS
