"""Gmail's errors, as they are on the wire."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from pillarbox.testing.gmail import Answer, FakeGmail, Fault
from pillarbox.testing.gmail._errors import KINDS
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, client

TABLE = [
    (401, "authError", "global", "UNAUTHENTICATED"),
    (403, "rateLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED"),
    (403, "userRateLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED"),
    (403, "dailyLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED"),
    (403, "quotaExceeded", "usageLimits", "RESOURCE_EXHAUSTED"),
    (403, "accessNotConfigured", "usageLimits", "PERMISSION_DENIED"),
    (403, "domainPolicy", "usageLimits", "PERMISSION_DENIED"),
    (403, "insufficientPermissions", "global", "PERMISSION_DENIED"),
    (429, "rateLimitExceeded", "usageLimits", "RESOURCE_EXHAUSTED"),
    (400, "failedPrecondition", "global", "FAILED_PRECONDITION"),
    (404, "notFound", "global", "NOT_FOUND"),
    (413, "uploadTooLarge", "global", "INVALID_ARGUMENT"),
    (500, "backendError", "global", "INTERNAL"),
    (503, "backendError", "global", "UNAVAILABLE"),
]


@pytest.mark.parametrize(("status", "reason", "domain", "name"), TABLE)
def test_an_error_has_googles_shape(gmail: FakeGmail, status: int, reason: str, domain: str, name: str):
    gmail.fault("messages.send", Answer(status, reason, "Because."))
    said = client(gmail).send()
    error = said.json["error"]
    (one,) = error["errors"]
    assert (said.status, error["code"], error["message"], error["status"]) == (
        status,
        status,
        "Because.",
        name,
    )
    assert (one["domain"], one["reason"], one["message"]) == (domain, reason, "Because.")
    assert gmail.sent(ORDERS) == []


def test_every_kind_is_usual_for_its_status():
    """No kind lacks a text, and its status is an error's."""
    assert all(kind.text and 400 <= kind.status < 600 for kind in KINDS.values())


def test_a_word_that_nobody_knows_is_said_all_the_same(gmail: FakeGmail):
    gmail.fault("profile", Answer(418, "teapot", headers={"X-Tea": "green"}))
    said = client(gmail).ask("GET", "profile")
    assert (said.status, said.reason, said.headers["x-tea"]) == (418, "teapot", "green")


def retry_at(text: str) -> dt.datetime:
    found = re.fullmatch(r"User-rate limit exceeded\.  Retry after (\S+Z)", text)
    assert found is not None
    return dt.datetime.fromisoformat(found[1])


@pytest.mark.parametrize(("given", "seconds", "header"), [(None, 900, None), (7, 7, "7")])
def test_throttling_says_in_its_text_when_to_come_back(
    gmail: FakeGmail, given: int | None, seconds: int, header: str | None
):
    """The header comes only where a test asks for it."""
    gmail.fault("drafts.send", Fault.THROTTLED, retry_after=given)
    before = dt.datetime.now(dt.UTC)
    said = client(gmail).post("drafts/send", {"id": "r1"})
    wait = retry_at(said.json["error"]["message"]) - before
    assert (said.status, said.headers.get("retry-after")) == (429, header)
    assert seconds - 1 < wait.total_seconds() < seconds + 60


def test_what_is_too_large_to_read_is_refused_in_the_same_shape(gmail: FakeGmail):
    said = client(gmail).send(MESSAGE + b"x" * 50 * 1024 * 1024)
    assert (said.status, said.reason) == (413, "uploadTooLarge")
