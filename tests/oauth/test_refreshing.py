"""Tokens that are refreshed by many at once, at a provider that rotates them and ends a grant that is used twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pillarbox import SendDeferred, SignInNeeded
from tests.oauth.browser import ALICE
from tests.oauth.refreshing import workers

if TYPE_CHECKING:
    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office

pytestmark = pytest.mark.services
NEARLY_OVER = 200
"""Seconds of a token that is replaced before anything is begun with it."""


def connected(office: Office, browser: Browser, lifetime: int = 3600) -> None:
    """Connect the company; its first token lives so long, the next ones an hour."""
    office.mount.lifetime(lifetime)
    office.by_redirect(browser)
    office.mount.lifetime(3600)


def test_six_processes_and_one_expiry(office: Office, browser: Browser) -> None:
    """One of them refreshes, all get its token, and the account lives."""
    connected(office, browser, NEARLY_OVER)
    with workers(office, 6) as six:
        answers = six.ask()
    assert {kind for kind, _ in answers} == {"token"}
    assert len({token for _, token in answers}) == 1
    assert office.mount.refreshes() == 1
    assert office.mount.introspect(answers[0][1]) is not None
    assert office.mount.grants(ALICE) == 1


@pytest.mark.timeout(180)
def test_eight_processes_and_fifty_expiries(office: Office, browser: Browser) -> None:
    """As many refreshes as expiries, and the account lives: the interface refuses a token, and each of them asks."""
    connected(office, browser)
    with workers(office, 8) as eight:
        tokens = {token for _, token in eight.ask()}
        for number in range(1, 51):
            (refused,) = tokens
            office.mount.expire(ALICE)
            answers = eight.ask(refused)
            tokens = {token for _, token in answers}
            assert {kind for kind, _ in answers} == {"token"}, answers
            assert (len(tokens), office.mount.refreshes()) == (1, number)
            assert tokens != {refused}
    assert office.mount.introspect(*tokens) is not None
    assert [one.kind for one in office.mount.requests()] == ["granted"] * 51


def test_without_rotation(office: Office, browser: Browser) -> None:
    """The one refresh token is kept."""
    office.mount.rotate(False)
    connected(office, browser, NEARLY_OVER)
    before = office.kept()
    first = office.token()
    found = office.credentials()
    found.refuse(first)
    assert office.mount.introspect(found.token()) is not None
    assert office.mount.refreshes() == 2
    assert before.keys() == office.kept().keys()


def test_a_grant_that_is_over(office: Office, browser: Browser) -> None:
    """Six processes hear of it, one has asked, and nobody asks again, not in another process either."""
    connected(office, browser, NEARLY_OVER)
    office.mount.revoke(ALICE)
    with workers(office, 6) as six:
        answers = [*six.ask(), *six.ask()]
    assert {kind for kind, _ in answers} == {"SignInNeeded"}
    assert len({text for _, text in answers}) == 1
    assert len(office.mount.requests()) == 2  # the sign-in, and the one
    with pytest.raises(SignInNeeded) as needed:
        office.token()
    assert needed.value.detail == answers[0][1]
    assert len(office.mount.requests()) == 2


def test_connecting_again_mends_it(office: Office, browser: Browser) -> None:
    """The mark goes with the next sign-in."""
    connected(office, browser, NEARLY_OVER)
    office.mount.revoke(ALICE)
    with pytest.raises(SignInNeeded):
        office.token()
    connected(office, browser)
    assert office.mount.introspect(office.token()) is not None


@pytest.mark.parametrize(
    "fault", ["temporarily_unavailable", "unavailable", "garbage", "cut", "server_error"]
)
def test_a_provider_that_is_down(office: Office, browser: Browser, fault: str) -> None:
    """It is tried later; nothing is marked, and the refresh token is still good."""
    connected(office, browser, NEARLY_OVER)
    office.mount.fail(fault)
    with pytest.raises(SendDeferred):
        office.token()
    assert office.mount.introspect(office.token()) is not None


def test_a_provider_that_says_nothing(
    office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for so long and no longer; then the token is got."""
    connected(office, browser, NEARLY_OVER)
    monkeypatch.setattr("pillarbox_m365.authority.SECONDS", 0.5)
    monkeypatch.setattr("pillarbox_gmail.tokens.wire_of.__defaults__", (0.5,))
    office.mount.fail("hang")
    with pytest.raises(SendDeferred):
        office.token()
    monkeypatch.undo()
    assert office.mount.introspect(office.token()) is not None


def test_a_refused_registration(office: Office, browser: Browser) -> None:
    """It is the administrator's business, said once; six processes do not hammer the provider with it."""
    connected(office, browser, NEARLY_OVER)
    office.mount.fail(
        "invalid_client", times=-1, description="AADSTS7000222: The provided client secret keys are expired."
    )
    with workers(office, 6) as six:
        answers = six.ask()
    assert {kind for kind, _ in answers} == {"SignInNeeded"}
    assert len(office.mount.requests()) == 2
    with pytest.raises(SignInNeeded) as needed:
        office.token()
    assert "[apps]" in needed.value.cure


def test_a_registration_that_is_mended(
    office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again by itself some minutes later."""
    connected(office, browser, NEARLY_OVER)
    office.mount.fail("invalid_client")
    with pytest.raises(SignInNeeded):
        office.token()
    monkeypatch.setattr("pillarbox._connectors.LATER", 0.0)
    connected(office, browser, NEARLY_OVER)
    office.mount.fail("invalid_client")
    with pytest.raises(SignInNeeded):
        office.token()
    assert office.mount.introspect(office.token()) is not None


def test_an_answer_that_got_lost(office: Office, browser: Browser) -> None:
    """Its refresh token is used up and nobody has the next: the grant ends, and somebody connects again."""
    connected(office, browser, NEARLY_OVER)
    office.mount.fail("cut-after")
    with pytest.raises(SendDeferred):
        office.token()
    with pytest.raises(SignInNeeded):
        office.token()
    assert [one.kind for one in office.mount.requests()][1:] == ["fault", "granted", "refused"]
