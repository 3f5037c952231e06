"""The check says, stage by stage and sending nothing, whether the account would work."""

from __future__ import annotations

import pytest

from pillarbox import Account, Address, Route, SendDeferred, SettingsError, SignInNeeded
from pillarbox.testing.gmail import Answer, FakeGmail, Fault
from pillarbox_gmail.app import COMPOSE, SEND
from pillarbox_gmail.findings import finding_codes
from tests.plugins.gmail.conftest import Connect
from tests.plugins.gmail.givens import ANNA, GRANTS, Connected

ROUTE = Account(owner="user:anna", method="gmail", mailbox=ANNA)


def looked(made, shown: str = ANNA) -> dict[str, str]:
    made.route = Route(account=ROUTE, from_address=Address(shown)) if shown else None
    found = list(made.check())
    assert {one.code for one in found} <= set(finding_codes())
    assert all(
        one.cure for one in found if one.level.value in {"fail", "warn"} and one.code != "message-refused"
    )
    return {one.stage: one.code for one in found}


@pytest.mark.parametrize(
    ("scopes", "mailbox"), [((SEND,), "mailbox-answers"), ((COMPOSE,), "mailbox-reached")]
)
def test_all_is_well(gmail: FakeGmail, connect: Connect, scopes, mailbox: str) -> None:
    """As far as the grant lets it look; nothing is sent and no draft is made."""
    told = looked(connect(*scopes))
    assert told == {
        "token": "token-given",
        "mailbox": mailbox,
        "sender": "sender-accepted",
        "limits": "limits-known",
    }
    assert gmail.sent(ANNA) == gmail.drafts(ANNA) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SignInNeeded("No.", cure="Connect."), "token-refused"),
        (SendDeferred("Later.", cure="Wait."), "token-not-now"),
        (SettingsError("Bad.", cure="Mend."), "token-registration"),
    ],
)
def test_without_a_token_nothing_more_is_looked_at(
    gmail: FakeGmail, connect: Connect, error, code: str
) -> None:
    """And Gmail is not asked."""
    made = connect(SEND)
    assert isinstance(made.credentials, Connected)
    made.credentials.fails = error
    assert looked(made) == {
        "token": code,
        "mailbox": "not-reached",
        "sender": "not-reached",
        "limits": "not-reached",
    }
    assert gmail.requests == []


@pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Answer(403, "domainPolicy"), "domain-policy"),
        (Answer(403, "accessNotConfigured"), "api-off"),
        (Answer(403, "insufficientPermissions"), "scope-missing"),
        (Answer(400, "failedPrecondition", "Mail service not enabled"), "mail-off"),
        (Answer(400, "failedPrecondition"), "account-unusable"),
        (Answer(403, "forbidden"), "delegation-denied"),
        (Answer(403, "somethingNew"), "account-refused"),
        (Answer(403, "dailyLimitExceeded"), "daily-limit"),
        (Fault.THROTTLED, "rate-limit"),
        (Fault.ERROR, "mailbox-silent"),
        (Fault.CUT_BEFORE, "mailbox-silent"),
    ],
    ids=str,
)
def test_a_mailbox_that_is_not_to_be_used_is_told(
    gmail: FakeGmail, connect: Connect, scopes, fault, code: str
) -> None:
    """By the same codes, whichever way there is to look."""
    gmail.fault("profile" if COMPOSE in scopes else "messages.send", fault)
    assert looked(connect(*scopes))["mailbox"] == code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Answer(413, "uploadTooLarge"), "too-large"),
        (Answer(400, "invalidArgument", "Invalid To header"), "recipient-refused"),
        (Answer(400, "somethingNew"), "message-refused"),
    ],
    ids=str,
)
def test_an_answer_about_a_message_is_told_where_none_was_offered(
    gmail: FakeGmail, connect: Connect, fault: Answer, code: str
) -> None:
    """The profile was asked for: whatever Google means, the mailbox can't be used."""
    gmail.fault("profile", fault)
    assert looked(connect(COMPOSE))["mailbox"] == code


@pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))
def test_a_token_that_is_refused_twice_is_told(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """The grant is over, and Google has not said so yet."""
    gmail.fault("profile" if COMPOSE in scopes else "messages.send", Fault.UNAUTHORIZED, times=2)
    assert looked(connect(*scopes))["mailbox"] == "mailbox-refuses"


def test_a_mailbox_with_another_address_is_told(gmail: FakeGmail, connect: Connect) -> None:
    """It was renamed since."""
    made = connect(COMPOSE)
    assert isinstance(made.credentials, Connected)
    made.credentials.learned = {"address": "anna.maria@acme.example", "scopes": [COMPOSE]}
    assert looked(made)["mailbox"] == "mailbox-differs"


@pytest.mark.parametrize(
    ("shown", "aliases", "code"),
    [
        ("boss@acme.example", (), "sender-strange"),
        ("orders@acme.example", (), "sender-strange"),
        ("orders@acme.example", ("orders@acme.example",), "sender-accepted"),
        ("", (), "not-reached"),
    ],
)
def test_the_address_it_would_show_is_judged(connect: Connect, shown: str, aliases, code: str) -> None:
    """Gmail would replace it without a word."""
    assert looked(connect(SEND, aliases=aliases), shown)["sender"] == code


def test_gmail_tells_its_clock(gmail: FakeGmail, connect: Connect) -> None:
    """Every answer has a Date (RFC 9110 6.6.1)."""
    made = connect(SEND)
    looked(made)
    assert made.clock_skew is not None
    assert abs(made.clock_skew.total_seconds()) < 60
