"""What a refusal means: by its reason, never by its words alone; and how long to wait."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from pillarbox import SendDeferred, SendRejected, SettingsError, SignInNeeded
from pillarbox_gmail.exchange import Answer
from pillarbox_gmail.findings import FINDINGS, finding_codes
from pillarbox_gmail.meanings import MEANINGS, Said, refusal
from pillarbox_gmail.refusals import REFUSALS
from pillarbox_gmail.waiting import LEAST, MOST, wait_asked

NOW = dt.datetime(2026, 11, 26, 10, 0, tzinfo=dt.UTC)


def answer(
    status: int,
    reason: str = "",
    text: str = "",
    details: str = "",
    domain: str = "global",
    name: str = "NAME",
    **headers: str,
) -> Answer:
    error: dict = {"code": status, "message": text, "status": name}
    if reason:
        error["errors"] = [{"reason": reason, "message": text, "domain": domain}]
    if details:
        error["details"] = [{"@type": "x"}, {"reason": details}]
    return Answer(
        status,
        {name.replace("_", "-"): one for name, one in headers.items()},
        json.dumps({"error": error}).encode(),
    )


@pytest.mark.parametrize(
    ("said", "kind", "finding"),
    [
        (answer(403, "insufficientPermissions"), SignInNeeded, "scope-missing"),
        (answer(403, details="ACCESS_TOKEN_SCOPE_INSUFFICIENT"), SignInNeeded, "scope-missing"),
        (answer(403, "accessNotConfigured"), SettingsError, "api-off"),
        (answer(403, details="SERVICE_DISABLED"), SettingsError, "api-off"),
        (answer(403, "domainPolicy"), SettingsError, "domain-policy"),
        (answer(403, "dailyLimitExceeded"), SendDeferred, "daily-limit"),
        (answer(429, "dailyLimitExceeded"), SendDeferred, "daily-limit"),
        (answer(403, "rateLimitExceeded"), SendDeferred, "rate-limit"),
        (answer(403, "userRateLimitExceeded"), SendDeferred, "rate-limit"),
        (answer(429, "rateLimitExceeded"), SendDeferred, "rate-limit"),
        (answer(429), SendDeferred, "rate-limit"),
        (answer(400, "failedPrecondition", "Mail service not enabled"), SettingsError, "mail-off"),
        (answer(400, "failedPrecondition", "Precondition check failed."), SettingsError, "account-unusable"),
        (answer(403, "forbidden", "Delegation denied for a@b"), SettingsError, "delegation-denied"),
        (answer(403, "variableTermLimitExceeded", domain="usageLimits"), SendDeferred, "rate-limit"),
        (answer(403, "somethingNew", name="RESOURCE_EXHAUSTED"), SendDeferred, "rate-limit"),
        (answer(403, "domainPolicy", domain="usageLimits"), SettingsError, "domain-policy"),
        (answer(403, "somethingNew"), SettingsError, "account-refused"),
        (answer(413, "uploadTooLarge"), SendRejected, "too-large"),
        (answer(413), SendRejected, "too-large"),
        (Answer(413, {}, b"<html>"), SendRejected, "too-large"),
        (answer(400, "invalidArgument", "Recipient address required"), SendRejected, "recipient-refused"),
        (answer(400, "invalidArgument", "Invalid To header"), SendRejected, "recipient-refused"),
        (answer(400, "invalidArgument"), SendRejected, "message-refused"),
        (answer(418, "teapot"), SendRejected, "message-refused"),
        (Answer(403, {}, b"<html>"), SendDeferred, "account-refused"),
        (Answer(407, {}, b""), SendDeferred, "message-refused"),
    ],
    ids=str,
)
def test_a_refusal_is_told_by_what_mends_it(said: Answer, kind: type, finding: str) -> None:
    """A person, an administrator, time, or another message."""
    assert type(refusal(said, "content")) is kind
    assert Said.read(said).meaning.finding == finding


def test_a_day_s_limit_waits_for_long() -> None:
    """Whether Google says so or not."""
    error = refusal(answer(403, "dailyLimitExceeded"), "content")
    assert isinstance(error, SendDeferred)
    assert error.retry_after == 3_600


def test_google_s_words_are_a_quotation() -> None:
    """Without controls, and cut (rule 39)."""
    error = refusal(answer(400, "x\x1b[31m", "bad\r\n\x1b[31m\u202e" + "y" * 5_000), "content")
    assert not re.search(r"[\x00-\x1f\u202e]", str(error))
    assert len(str(error)) < 700


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"error": 7}',
        b'{"error": {"errors": 7, "message": 8, "status": 9}}',
        b'{"error": {"errors": [7, {}]}}',
    ],
)
def test_what_is_no_error_of_google_s_has_no_reason(body: bytes) -> None:
    """However it is spelt."""
    assert (Said.read(Answer(400, {}, body)).reason, Said.read(Answer(400, {}, body)).text) == ("", "")


@pytest.mark.parametrize(
    ("header", "text", "wait"),
    [
        ("7", "", 7),
        ("0", "", LEAST),
        ("7.5", "", 7.5),
        ("Thu, 26 Nov 2026 10:01:00 GMT", "", 60),
        ("Thu, 26 Nov 2026 09:00:00 GMT", "", LEAST),
        ("99999999", "", MOST),
        ("soon", "", None),
        ("-5", "", None),
        ("", "", None),
        ("", "User-rate limit exceeded.  Retry after 2026-11-26T10:15:00.123Z", 900),
        ("", "User-rate limit exceeded.  Retry after 2026-11-26T10:15:00Z (Mail sending)", 900),
        ("", "Retry after 2026-13-26T10:15:00Z", None),
        ("", "Retry after 2036-11-26T10:15:00Z", MOST),
        ("", "Retry after 2016-11-26T10:15:00Z", LEAST),
        ("7", "Retry after 2026-11-26T10:15:00Z", 900),
        ("1000", "Retry after 2026-11-26T10:15:00Z", 1_000),
    ],
)
def test_how_long_to_wait(header: str, text: str, wait: float | None) -> None:
    """The longer of what header and text ask for, within reason."""
    assert wait_asked(answer(429, "rateLimitExceeded", text, retry_after=header), NOW) == wait


def test_codes_are_stable_names() -> None:
    """Each code is in kebab case and has a sentence; every row of the table is listed."""
    codes = finding_codes()
    assert list(codes) == sorted(codes)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in codes)
    assert all(re.fullmatch(r"[A-Z].*\.", told) for told in codes.values())
    assert {row.finding for row in MEANINGS} <= set(codes)
    assert not {row.finding for row in MEANINGS} & set(FINDINGS)


def test_every_row_has_a_cure() -> None:
    """A sentence; the meaning of the API's is a clause."""
    assert all(row.cure.endswith(".") for row in MEANINGS if row.finding != "message-refused")
    assert not any(row.meaning.endswith(".") for row in MEANINGS)
    assert all(row.cure.endswith(".") and row.meaning.endswith(".") for row in REFUSALS)
