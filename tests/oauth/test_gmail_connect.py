"""Gmail, by each way to sign in that it has beside the page of a host on the web, and how a grant ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pillarbox import Connection, Grant, Refused, RefusedReason, SendDeferred, SettingsError
from pillarbox._connect.loopback import PASTED
from pillarbox.testing.gmail import Alias, FakeGmail
from tests.oauth.browser import ALICE
from tests.oauth.offices import ADMIN, BOB, CONFIRM, DEPLOYER, SEND, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
BASIC = "https://www.googleapis.com/auth/gmail.settings.basic"
Open = "Callable[..., Office]"


@pytest.fixture
def office(provider: Provider, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Opens an office with Gmail; by default its app is a desktop's, which has a secret at Google as well."""
    made: list[Office] = []

    def open_(client: str = "googleDesktop", **more: object) -> Office:
        made.append(opened(provider, "gmail", tmp_path, client, **more))
        return made[-1]

    yield open_
    for one in made:
        one.mailer.close()


def revoked(provider: Provider) -> list[str]:
    """Return whose grants have ended."""
    return [one.account for one in provider.google.events() if one.kind == "revoked"]


def test_on_this_computer(office: Open, browser: Browser) -> None:
    """The browser comes back to a port of ours, which says what came of it."""
    desktop, opener = office(), browser.opener()
    answer = desktop.mailer.connect_here(by=ADMIN, show=opener)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.issuer) == (ALICE, desktop.mount.issuer)
    assert opener.ended().text == f"Connected as {ALICE}. You can close this window."
    assert desktop.mount.introspect(desktop.token()) is not None


@pytest.mark.parametrize(
    ("said", "reason", "text", "ended"),
    [
        ({"cancel": True}, RefusedReason.CANCELLED, "Not connected: The sign-in was cancelled.", []),
        (
            {"account": BOB},
            RefusedReason.WRONG_ACCOUNT,
            f"Not connected: {BOB} signed in, and the account is {ALICE}.",
            [BOB],
        ),
        (
            {"untick": [CONFIRM["gmail"]]},
            RefusedReason.SCOPE_MISSING,
            f"Not connected: {ALICE} did not allow all that is needed: {CONFIRM['gmail']}.",
            [ALICE],
        ),
    ],
)
def test_on_this_computer_it_comes_to_nothing(
    office: Open,
    browser: Browser,
    provider: Provider,
    said: dict[str, object],
    reason: RefusedReason,
    text: str,
    ended: list[str],
) -> None:
    """Both who asked and who sits there are told, and a grant that nobody keeps is ended at Google."""
    desktop, opener = office(), browser.opener(**said)
    answer = desktop.mailer.connect_here(by=ADMIN, show=opener)
    assert isinstance(answer, Refused)
    assert answer.reason is reason
    assert opener.ended().text.startswith(text)
    assert revoked(provider) == ended
    assert provider.google.grants() == 0 or said.get("cancel")
    assert desktop.connected == []


def test_on_another_computer(office: Open, browser: Browser) -> None:
    """The browser ends where nobody listens, and what stands in its address bar is handed over."""
    server = office()
    _, page = server.redirected(browser, redirect_uri=PASTED, grant=Grant.SEND)
    assert page.url.startswith(f"{PASTED}/?code=")
    answer = server.mailer.finish_connect(page.url, by=ADMIN)
    assert isinstance(answer, Connection)
    assert SEND["gmail"] in answer.scopes


def test_on_another_computer_somebody_cancels(office: Open, browser: Browser) -> None:
    """That stands in the address bar as well."""
    server = office()
    _, page = server.redirected(browser, redirect_uri=PASTED, cancel=True)
    answer = server.mailer.finish_connect(page.url, by=ADMIN)
    assert isinstance(answer, Refused)
    assert answer.reason is RefusedReason.CANCELLED


def test_by_a_code(office: Open) -> None:
    """Google has none that allows mail; what helps is said."""
    with pytest.raises(SettingsError, match="no sign-in by a code") as refused:
        office().mailer.connect(by=ADMIN)
    assert "--paste" in refused.value.cure


def test_an_address_that_google_has_not_verified(office: Open, browser: Browser, provider: Provider) -> None:
    """It is nobody's word."""
    provider.google.describe(ALICE, email_verified=False)
    answer = office("googleWeb").by_redirect(browser)
    assert isinstance(answer, Refused)
    assert answer.reason is RefusedReason.FAILED
    assert "not verified the address" in answer.detail


@pytest.mark.parametrize(
    ("app", "stage"), [({"token_uri": "https://localhost:1/token"}, "connect"), ({"ca_file": ""}, "tls")]
)
def test_google_cant_be_reached(office: Open, browser: Browser, app: dict[str, str], stage: str) -> None:
    """Not at all, or not by somebody who is trusted: the code goes to nobody, and somebody begins again."""
    server = office("googleWeb", app=app)
    with pytest.raises(SendDeferred) as deferred:
        server.by_redirect(browser)
    assert deferred.value.stage == stage
    assert server.connected == []


def test_the_aliases_of_an_account(office: Open, browser: Browser) -> None:
    """Where they are asked for, those are known that Google has verified; unticked, the connection is good without."""
    with FakeGmail() as api:
        api.add_mailbox(ALICE, aliases=["sales@contoso.test", Alias("not-yet@contoso.test", verified=False)])
        server = office("googleWeb", app={"list_aliases": True}, api=api.url)
        api.accepts(server.mount.introspect)
        without = server.by_redirect(browser, untick=[BASIC])
        answer = server.by_redirect(browser)
    assert isinstance(without, Connection)
    assert isinstance(answer, Connection)
    assert without.aliases == ()
    assert "sales@contoso.test" in answer.aliases
    assert "not-yet@contoso.test" not in answer.aliases


def test_a_service_account(office: Open, provider: Provider) -> None:
    """Nobody has anything to do; it acts for the mailbox."""
    server = office("service", settings={"mode": "service"})
    answer = server.mailer.connect_here(by=DEPLOYER)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.subject) == (ALICE, f"{provider.clients['service'].address} for {ALICE}")
    token = provider.google.introspect(server.token())
    assert token is not None
    assert (token.address, token.scopes) == (ALICE, {CONFIRM["gmail"]})


def test_a_service_account_again(office: Open, provider: Provider) -> None:
    """A token that was refused is replaced."""
    server = office("service", settings={"mode": "service"})
    server.mailer.connect_here(by=DEPLOYER)
    before = server.token()
    assert server.another_token() != before
    assert [one.kind for one in provider.google.requests()] == ["granted", "granted"]


def test_a_service_account_that_nobody_lets(office: Open, provider: Provider) -> None:
    """That is the administrator's business, and said so."""
    server = office("service", settings={"mode": "service", "mailbox": "mallory@elsewhere.test"})
    with pytest.raises(SettingsError, match="Nobody has delegated the service account") as refused:
        server.mailer.connect_here(by=DEPLOYER)
    assert "Domain-wide delegation" in refused.value.cure
    assert server.connected == []
    assert [one.kind for one in provider.google.requests()] == ["refused"]


def test_disconnecting(office: Open, browser: Browser, provider: Provider) -> None:
    """Google is told, and what is stored is destroyed."""
    server = office("googleWeb")
    server.by_redirect(browser)
    token = server.token()
    assert server.mailer.disconnect(by=ADMIN) is True
    assert revoked(provider) == [ALICE]
    assert provider.google.introspect(token) is None
    assert server.connected == []


@pytest.mark.parametrize("fault", ["unavailable", "cut"])
def test_disconnecting_while_google_is_down(
    office: Open, browser: Browser, provider: Provider, fault: str
) -> None:
    """It is not told, which is said; what is stored is destroyed all the same."""
    server = office("googleWeb")
    server.by_redirect(browser)
    provider.google.fail(fault, endpoint="revoke")
    assert server.mailer.disconnect(by=ADMIN) is False
    assert server.connected == []
