"""Microsoft 365, by each way to sign in that it has beside the page of a host on the web."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pillarbox import Connection, Grant, Pending, Refused, RefusedReason, SendDeferred, SettingsError
from tests.oauth.browser import ALICE
from tests.oauth.clients import WEB
from tests.oauth.mounts import TENANT
from tests.oauth.offices import ADMIN, AS_BOB, BOB, DEPLOYER, opened, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pillarbox import Prompt
    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
Open = "Callable[..., Office]"


@pytest.fixture
def office(provider: Provider, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Opens an office with Microsoft 365; by default its app has no secret, as on a desktop."""
    made: list[Office] = []

    def open_(client: str = "desktop", **more: object) -> Office:
        made.append(opened(provider, "m365", tmp_path, client, **more))
        return made[-1]

    yield open_
    for one in made:
        one.mailer.close()


def test_on_this_computer(office: Open, browser: Browser) -> None:
    """The browser comes back to a port of ours, which says what came of it."""
    desktop, opener = office(), browser.opener()
    answer = desktop.mailer.connect_here(by=ADMIN, show=opener)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.tenant, answer.issuer) == (ALICE, TENANT, desktop.mount.issuer)
    assert set(answer.scopes) >= {"Mail.Send", "Mail.ReadWrite"}
    assert opener.ended().text == f"Connected as {ALICE}. You can close this window."
    assert desktop.mount.introspect(desktop.token()) is not None


@pytest.mark.parametrize(
    ("said", "reason", "text"),
    [
        ({"cancel": True}, RefusedReason.CANCELLED, "Not connected: The sign-in was cancelled"),
        (
            {"account": BOB},
            RefusedReason.WRONG_ACCOUNT,
            f"Not connected: {BOB} signed in, and the account is {ALICE}.",
        ),
    ],
)
def test_on_this_computer_it_comes_to_nothing(
    office: Open, browser: Browser, said: dict[str, object], reason: RefusedReason, text: str
) -> None:
    """Whoever asked is told, and so is who sits before the browser."""
    desktop, opener = office(), browser.opener(**said)
    answer = desktop.mailer.connect_here(by=ADMIN, show=opener)
    assert isinstance(answer, Refused)
    assert answer.reason is reason
    assert opener.ended().text.startswith(text)


def test_on_this_computer_with_a_secret(office: Open, browser: Browser, provider: Provider) -> None:
    """An app that has a secret shows it, and where that is refused for a native redirect it goes without."""
    provider.entra.fail(
        "invalid_request", description="AADSTS700025: Client is public so neither should be presented."
    )
    secret = provider.folder / "some.secret"
    secret.touch(mode=0o600)
    secret.write_text("canary-of-a-secret")
    desktop = office(app={"client_secret": {"file": str(secret)}})
    assert isinstance(desktop.mailer.connect_here(by=ADMIN, show=browser.opener()), Connection)
    assert [one.kind for one in provider.entra.requests()] == ["fault", "granted"]
    assert provider.entra.introspect(desktop.token()) is not None


def begun_by_code(one: Office) -> Prompt:
    prompt = one.mailer.connect(by=ADMIN, grant=Grant.SEND)
    assert prompt.url is not None
    assert prompt.code is not None
    return prompt


def test_by_a_code(office: Open, browser: Browser) -> None:
    """Nothing yet; and once somebody entered the code on another device, the connection."""
    server = office()
    prompt = begun_by_code(server)
    assert isinstance(server.mailer.finish_connect({"state": prompt.state}, by=ADMIN), Pending)
    assert browser.sign_in(prompt.url, code=prompt.code).step == "done"
    answer = server.mailer.finish_connect({"state": prompt.state}, by=ADMIN)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.grant) == (ALICE, "send")
    assert server.mount.introspect(server.token()) is not None


@pytest.mark.parametrize(
    ("said", "reason"),
    [({"cancel": True}, RefusedReason.CANCELLED), ({"account": BOB}, RefusedReason.WRONG_ACCOUNT)],
)
def test_a_code_that_comes_to_nothing(
    office: Open, browser: Browser, said: dict[str, object], reason: RefusedReason
) -> None:
    """It is told as what it is, and a later poll that it is over."""
    server = office()
    prompt = begun_by_code(server)
    browser.sign_in(prompt.url, code=prompt.code, **said)
    answers = [server.mailer.finish_connect({"state": prompt.state}, by=ADMIN) for _ in range(2)]
    assert [one.reason for one in answers] == [reason, RefusedReason.EXPIRED]


def test_a_code_is_polled_by_its_beginner(office: Open, browser: Browser) -> None:
    """Nobody else gets the connection."""
    server = office()
    prompt = begun_by_code(server)
    browser.sign_in(prompt.url, code=prompt.code)
    stranger = server.mailer.finish_connect({"state": prompt.state}, by=AS_BOB)
    assert isinstance(stranger, Refused)
    assert isinstance(server.mailer.finish_connect({"state": prompt.state}, by=ADMIN), Connection)


@pytest.mark.parametrize("client", ["daemon", "certified"])
def test_the_app_by_itself(office: Open, provider: Provider, client: str) -> None:
    """Nobody has anything to do; the app has its secret, or its certificate."""
    server = office(client, settings={"mode": "app"})
    prompt = server.mailer.connect(by=DEPLOYER)
    assert (prompt.url, prompt.code) == (None, None)
    answer = server.mailer.finish_connect({"state": prompt.state}, by=DEPLOYER)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.tenant) == (ALICE, TENANT)
    token = provider.entra.introspect(server.token())
    assert token is not None
    assert (token.address, token.app) == ("", True)


def test_the_app_by_itself_again(office: Open, provider: Provider) -> None:
    """A token that was refused is replaced, with the app's own secret."""
    server = office("daemon", settings={"mode": "app"})
    server.mailer.connect_here(by=DEPLOYER)
    before = server.token()
    assert server.another_token() != before
    assert [one.kind for one in provider.entra.requests()] == ["granted", "granted"]


def test_the_app_with_a_wrong_secret(office: Open, provider: Provider) -> None:
    """That is the administrator's business, and said so."""
    secret = provider.folder / "wrong.secret"
    secret.touch(mode=0o600)
    secret.write_text("canary-of-a-wrong-secret")
    server = office("daemon", settings={"mode": "app"}, app={"client_secret": {"file": str(secret)}})
    with pytest.raises(SettingsError, match=r"client secret.*is wrong. \(AADSTS7000215\)") as refused:
        server.mailer.connect_here(by=DEPLOYER)
    assert "[apps.m365]" in refused.value.cure
    assert server.connected == []


@pytest.mark.parametrize("cancel", [False, True])
def test_an_administrator_allows_the_app(
    office: Open, browser: Browser, provider: Provider, cancel: bool
) -> None:
    """For everybody, at a page whose URL the host asks for; it comes back with the host's state."""
    server = office("daemon", settings={"mode": "app"})
    url = server.mailer.consent_url(WEB, state="ours")
    said = parameters(browser.sign_in(url, "admin@contoso.test", cancel=cancel))
    assert said["state"] == "ours"
    assert ("error" in said) is cancel
    assert [one.kind for one in provider.events()] == ([] if cancel else ["consented"])


def test_a_shared_tenant(office: Open, browser: Browser, provider: Provider) -> None:
    """A user's own account may be of any organisation; a company's may not."""
    server = office("web", app={"tenant": "organizations"})
    with pytest.raises(SettingsError, match="lets anybody sign in"):
        server.mailer.connect(by=ADMIN, redirect_uri=WEB)
    answer = server.by_redirect(browser, "bob", by=AS_BOB)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.tenant, answer.issuer) == (BOB, TENANT, provider.entra.issuer)
    assert provider.entra.introspect(server.another_token("bob")) is not None


def test_a_tenant_by_its_domain(office: Open, browser: Browser, provider: Provider) -> None:
    """It is the same tenant."""
    server = office("web", app={"tenant": provider.entra.domain})
    answer = server.by_redirect(browser)
    assert isinstance(answer, Connection)
    assert (answer.tenant, answer.issuer) == (TENANT, provider.entra.issuer)
    assert provider.entra.introspect(server.another_token()) is not None


@pytest.mark.parametrize(
    ("app", "stage"), [({"authority": "https://localhost:1"}, "connect"), ({"ca_file": ""}, "tls")]
)
def test_microsoft_cant_be_reached(office: Open, app: dict[str, str], stage: str) -> None:
    """Not at all, or not by somebody who is trusted: later, perhaps."""
    with pytest.raises(SendDeferred) as deferred:
        office("web", app=app).mailer.connect(by=ADMIN, redirect_uri=WEB)
    assert deferred.value.stage == stage


def test_a_shared_mailbox(office: Open, browser: Browser, provider: Provider) -> None:
    """Who has a right to it signs in, and is asked for what is shared."""
    settings = {"mailbox": "sales@contoso.test", "signs_in_as": BOB}
    server = office("web", settings=settings)
    answer = server.by_redirect(browser, account=BOB)
    assert isinstance(answer, Connection)
    assert answer.address == BOB
    assert set(answer.scopes) >= {"Mail.Send.Shared", "Mail.ReadWrite.Shared"}


def test_disconnecting(office: Open, browser: Browser) -> None:
    """Microsoft has no call for it, which is told; what is stored is destroyed."""
    server = office("web")
    server.by_redirect(browser)
    assert server.mailer.disconnect(by=ADMIN) is False
    assert server.connected == []
    assert server.mailer.disconnect(by=ADMIN) is None
