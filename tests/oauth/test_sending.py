"""Mail from the host to the provider's interface, with tokens that the provider gave and is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import Grant, PillarboxError, Receipt, SendDeferred, SignInNeeded
from pillarbox.outbox import State
from tests.oauth.browser import ALICE
from tests.oauth.offices import BOB, DEPLOYER, METHODS, opened
from tests.oauth.postboxes import FAKES, LETTER, Postbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services


def outcome(postbox: Postbox, user: str | None = None) -> Receipt | PillarboxError:
    """Return what came of one letter."""
    try:
        return postbox.office.mailer.send(LETTER, user=user)
    except PillarboxError as error:
        return error


@pytest.mark.parametrize("grant", Grant)
def test_a_letter(postbox: Postbox, browser: Browser, grant: Grant) -> None:
    """It goes by the connected account, once, with either grant."""
    postbox.office.by_redirect(browser, grant=grant)
    assert isinstance(outcome(postbox), Receipt)
    (mail,) = postbox.api.sent(ALICE)
    assert mail.recipients == ("customer@customer.example",)
    assert postbox.refusals == 0


def test_a_letter_of_a_users_own(postbox: Postbox, browser: Browser) -> None:
    """It goes by theirs."""
    postbox.office.by_redirect(browser, "bob")
    assert isinstance(outcome(postbox, "bob"), Receipt)
    assert (len(postbox.api.sent(ALICE)), len(postbox.api.sent(BOB))) == (0, 1)


@pytest.mark.parametrize("grant", Grant)
def test_a_token_that_ended_before_its_time(postbox: Postbox, browser: Browser, grant: Grant) -> None:
    """The interface refuses it before it does anything; another is got once, and the mail goes once."""
    postbox.office.by_redirect(browser, grant=grant)
    postbox.office.mount.expire(ALICE)
    assert isinstance(outcome(postbox), Receipt)
    assert (len(postbox.api.sent(ALICE)), postbox.refusals) == (1, 1)
    assert postbox.office.mount.refreshes() == 1


def test_a_grant_that_is_over(postbox: Postbox, browser: Browser) -> None:
    """The first letter finds out, the next asks nobody; connecting again mends it."""
    postbox.office.by_redirect(browser)
    postbox.office.mount.revoke(ALICE)
    answers = [outcome(postbox), outcome(postbox)]
    assert [type(one) for one in answers] == [SignInNeeded, SignInNeeded]
    assert len(postbox.office.mount.requests()) == 2
    postbox.office.by_redirect(browser)
    assert isinstance(outcome(postbox), Receipt)
    assert len(postbox.api.sent(ALICE)) == 1


def test_nobody_has_connected(postbox: Postbox) -> None:
    """It says so, and nobody is asked."""
    error = outcome(postbox)
    assert isinstance(error, PillarboxError)
    assert "connect" in f"{error.detail} {error.cure}".lower()
    assert postbox.api.requests == []


@pytest.mark.parametrize("fault", ["unavailable", "cut"])
def test_the_provider_is_down(postbox: Postbox, browser: Browser, fault: str) -> None:
    """Nothing is sent, nothing marked, and the next letter goes."""
    postbox.office.by_redirect(browser)
    postbox.office.mount.expire(ALICE)
    postbox.office.mount.fail(fault)
    assert isinstance(outcome(postbox), SendDeferred)
    assert postbox.api.sent(ALICE) == []
    assert isinstance(outcome(postbox), Receipt)
    assert len(postbox.api.sent(ALICE)) == 1


def test_a_queue_whose_grant_is_over(postbox: Postbox, browser: Browser) -> None:
    """Its letters wait, one request told why, and go once somebody has connected again."""
    mailer = postbox.office.mailer
    postbox.office.by_redirect(browser)
    postbox.office.mount.revoke(ALICE)
    keys = [mailer.enqueue(LETTER).submission.key for _ in range(3)]
    mailer.worker().run(drain=True)
    assert len(postbox.office.mount.requests()) == 2
    assert {mailer.queue.known(key).state for key in keys} <= {State.QUEUED, State.DEFERRED}
    postbox.office.by_redirect(browser)
    mailer.worker().run(drain=True)
    assert {mailer.queue.known(key).state for key in keys} == {State.ACCEPTED}
    assert len(postbox.api.sent(ALICE)) == 3


@pytest.mark.parametrize(
    ("method", "client", "settings"),
    [
        ("m365", "daemon", {"mode": "app"}),
        ("m365", "certified", {"mode": "app"}),
        ("gmail", "service", {"mode": "service"}),
    ],
)
def test_an_account_that_nobody_signs_in(
    provider: Provider, tmp_path: Path, method: str, client: str, settings: dict[str, Any]
) -> None:
    """The app itself, or a service account, sends for the mailbox; also after its token was refused."""
    assert method in METHODS
    with FAKES[method]() as api:
        api.add_mailbox(ALICE)
        server = opened(provider, method, tmp_path, client, settings=settings, api=api.url)
        api.accepts(server.mount.introspect)
        with server.mailer as mailer:
            mailer.connect_here(by=DEPLOYER)
            mailer.send(LETTER)
            server.mount.expire()
            mailer.send(LETTER)
        assert len(api.sent(ALICE)) == 2
    assert [one.kind for one in server.mount.requests()] == ["granted", "granted"]
