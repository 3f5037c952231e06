"""What looks like Entra, as Microsoft's own library finds it: every way to sign in, unmodified."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests

from tests.oauth.clients import WEB
from tests.oauth.mounts import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oauth.browser import Browser, Page
    from tests.oauth.provider import Provider

pytestmark = [
    pytest.mark.services,
    pytest.mark.filterwarnings("ignore:response_mode"),  # nobody is there whom a browser could post a form to
]
GRAPH = "https://graph.microsoft.com/"
SEND = [f"{GRAPH}Mail.Send", f"{GRAPH}User.Read"]
ALICE = "alice@contoso.test"


@pytest.fixture
def session(provider: Provider) -> Iterator[requests.Session]:
    """What MSAL speaks through: it trusts the provider's authority, whatever the environment says."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(provider.ca_file)
        yield session


def public(provider: Provider, session: requests.Session, **given: Any) -> msal.PublicClientApplication:
    common = {"authority": provider.entra.authority, "instance_discovery": False, "http_client": session}
    return msal.PublicClientApplication(provider.clients["desktop"].id, **{**common, **given})


def confidential(
    provider: Provider, session: requests.Session, name: str, credential: Any
) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        provider.clients[name].id,
        client_credential=credential,
        authority=provider.entra.authority,
        instance_discovery=False,
        http_client=session,
    )


def interactively(
    app: msal.PublicClientApplication, browser: Browser, scopes: list[str], **said: Any
) -> dict[str, Any]:
    """Sign in as a desktop program does: MSAL listens on loopback, and somebody signs in there."""
    opener = browser.opener(**said)
    answer: dict[str, Any] = {}

    def ask() -> None:
        answer.update(
            app.acquire_token_interactive(
                scopes, timeout=40, auth_uri_callback=opener, login_hint="hint@contoso.test"
            )
        )

    thread = threading.Thread(target=ask)
    thread.start()
    page = opener.ended()
    thread.join(40)
    return {**answer, "page": page}


def redirected(page: Page) -> dict[str, str]:
    """Return the parameters of the redirect that the browser ended on."""
    return dict(parse_qsl(urlsplit(page.url).query))


def by_code(
    app: msal.ConfidentialClientApplication, browser: Browser, **said: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Sign in as for a host on the web; return MSAL's flow and the redirect."""
    flow = app.initiate_auth_code_flow(SEND, redirect_uri=WEB, login_hint="hint@contoso.test")
    return flow, redirected(browser.sign_in(flow["auth_uri"], **said))


def test_a_desktop_program(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """Somebody signs in in the browser; the token is theirs, with the scopes asked for."""
    answer = interactively(public(provider, session), browser, SEND)
    token = provider.introspect(answer["access_token"])
    assert token is not None
    assert (token.address, token.app) == (ALICE, False)
    assert token.scopes >= {"Mail.Send", "User.Read"}
    claims = answer["id_token_claims"]
    assert (claims["preferred_username"], claims["tid"], claims["iss"]) == (
        ALICE,
        TENANT,
        provider.entra.issuer,
    )
    assert provider.google.introspect(answer["access_token"]) is None


def test_somebody_cancels(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """MSAL says access_denied, in Entra's words."""
    answer = interactively(public(provider, session), browser, SEND, cancel=True)
    assert answer["error"] == "access_denied"
    assert answer["error_description"].startswith("AADSTS65004")
    assert provider.entra.requests() == []


def test_an_account_as_msal_names_it(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """The tenant's domain leads to the same tenant, and an account is named by object id and tenant."""
    app = public(provider, session, authority=f"{provider.entra.base}/{provider.entra.domain}")
    claims = interactively(app, browser, SEND)["id_token_claims"]
    (account,) = app.get_accounts()
    assert account["home_account_id"] == f"{claims['oid']}.{TENANT}"
    assert account["username"] == ALICE


def test_a_device_code(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """Nothing yet, then a token once somebody entered the code elsewhere."""
    app = public(provider, session)
    flow = app.initiate_device_flow(SEND)
    assert "verification_uri_complete" not in flow
    assert flow["user_code"] in flow["message"]
    pending = app.acquire_token_by_device_flow({**flow, "expires_at": time.time()})
    assert pending["error"] == "authorization_pending"
    page = browser.sign_in(flow["verification_uri"], code=flow["user_code"])
    assert page.step == "done"
    token = provider.introspect(app.acquire_token_by_device_flow(flow)["access_token"])
    assert token is not None
    assert token.address == ALICE


def test_a_device_code_that_somebody_refuses(
    provider: Provider, session: requests.Session, browser: Browser
) -> None:
    """The program that waits is told."""
    app = public(provider, session)
    flow = app.initiate_device_flow(SEND)
    assert browser.sign_in(flow["verification_uri"], code=flow["user_code"], cancel=True).step == "refused"
    assert app.acquire_token_by_device_flow(flow)["error"] == "access_denied"


def test_a_host_on_the_web(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """The redirect brings a code and the state, and no issuer; the code is worth a token once."""
    app = confidential(provider, session, "web", provider.clients["web"].secret)
    flow, redirect = by_code(app, browser)
    assert redirect.keys() == {"code", "state", "session_state"}
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, redirect)
    assert app.acquire_token_by_auth_code_flow(flow, redirect)["error"] == "invalid_grant"


def test_another_person(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """Who signs in is who signs in, whatever the program hinted at."""
    app = confidential(provider, session, "web", provider.clients["web"].secret)
    claims = app.acquire_token_by_auth_code_flow(*by_code(app, browser, account="bob@contoso.test"))[
        "id_token_claims"
    ]
    assert claims["preferred_username"] == "bob@contoso.test"


def test_an_address_given_to_somebody_else(
    provider: Provider, session: requests.Session, browser: Browser
) -> None:
    """The same address, another object id and subject."""
    app = confidential(provider, session, "web", provider.clients["web"].secret)
    before = app.acquire_token_by_auth_code_flow(*by_code(app, browser))["id_token_claims"]
    provider.entra.replace(ALICE)
    after = app.acquire_token_by_auth_code_flow(*by_code(app, browser))["id_token_claims"]
    assert before["preferred_username"] == after["preferred_username"]
    assert before["oid"] != after["oid"]
    assert before["sub"] != after["sub"]


def test_a_scope_that_is_unticked(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """It is not granted; the rest is."""
    app = confidential(provider, session, "web", provider.clients["web"].secret)
    answer = app.acquire_token_by_auth_code_flow(*by_code(app, browser, untick=[f"{GRAPH}Mail.Send"]))
    token = provider.introspect(answer["access_token"])
    assert token is not None
    assert "Mail.Send" not in token.scopes
    assert f"{GRAPH}User.Read" in answer["scope"].split()
    assert "offline_access" not in answer["scope"].split()


@pytest.mark.parametrize("rotates", [True, False])
def test_a_refresh(provider: Provider, session: requests.Session, browser: Browser, rotates: bool) -> None:
    """It brings another token, and uses up the refresh token where those rotate."""
    provider.entra.rotate(rotates)
    app = public(provider, session)
    interactively(app, browser, SEND)
    (account,) = app.get_accounts()
    assert app.acquire_token_silent(SEND, account)["token_source"] == "cache"
    refreshed = app.acquire_token_silent_with_error(SEND, account, force_refresh=True)
    assert refreshed["token_source"] == "identity_provider"
    assert provider.entra.refreshes() == 1
    assert sum(one.kind == "consumed" for one in provider.events()) == rotates


def test_a_refresh_token_used_twice(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """The grant is over: who uses it again has stolen it, or raced."""
    app = public(provider, session, token_cache=(cache := msal.SerializableTokenCache()))
    interactively(app, browser, SEND)
    racing = msal.SerializableTokenCache()
    racing.deserialize(cache.serialize())
    (account,) = app.get_accounts()
    app.acquire_token_silent_with_error(SEND, account, force_refresh=True)
    late = public(provider, session, token_cache=racing)
    said = late.acquire_token_silent_with_error(SEND, account, force_refresh=True)
    assert said["error"] == "invalid_grant"
    assert provider.entra.grants(ALICE) == 0
    assert [one.why for one in provider.entra.events() if one.kind == "refused"] == [
        "refresh token already used"
    ]


def test_a_resource_that_nobody_allowed(
    provider: Provider, session: requests.Session, browser: Browser
) -> None:
    """Somebody has to consent first."""
    app = public(provider, session)
    interactively(app, browser, SEND)
    smtp = ["https://outlook.office.com/SMTP.Send"]
    said = app.acquire_token_silent_with_error(smtp, app.get_accounts()[0])
    assert (said["error"], said["suberror"]) == ("invalid_grant", "consent_required")


@pytest.mark.parametrize("name", ["daemon", "certified"])
def test_an_app_by_itself(provider: Provider, session: requests.Session, name: str) -> None:
    """It proves itself by a secret or a certificate, and acts for nobody, with what an administrator allowed."""
    client = provider.clients[name]
    credential = client.secret or {"private_key": client.key, "public_certificate": client.certificate}
    app = confidential(provider, session, name, credential)
    token = provider.introspect(app.acquire_token_for_client([f"{GRAPH}.default"])["access_token"])
    assert token is not None
    assert (token.address, token.scopes, token.app) == ("", {"Mail.Send", "Mail.ReadWrite"}, True)


def test_a_wrong_secret(provider: Provider, session: requests.Session) -> None:
    """The app is refused, in Entra's words."""
    said = confidential(provider, session, "daemon", "wrong").acquire_token_for_client([f"{GRAPH}.default"])
    assert (said["error"], said["error_codes"]) == ("invalid_client", [7000215])


@pytest.mark.parametrize(
    ("account", "cancel", "said"),
    [
        ("admin@contoso.test", False, {"admin_consent": "True"}),
        ("admin@contoso.test", True, {"error": "access_denied"}),
    ],
)
def test_the_consent_for_everybody(
    provider: Provider, browser: Browser, account: str, cancel: bool, said: dict[str, str]
) -> None:
    """An administrator allows the app or does not, and the host is told, with its state."""
    url = f"{provider.entra.authority}/adminconsent?client_id={provider.clients['daemon'].id}&redirect_uri={WEB}&state=s"
    redirect = redirected(browser.sign_in(url, account, cancel=cancel))
    assert {"state": "s", "tenant": TENANT, **said}.items() <= redirect.items()
    assert [one.kind for one in provider.events()] == ([] if cancel else ["consented"])


def test_faults(provider: Provider, session: requests.Session) -> None:
    """Each is met as often as it was ordered, and noted."""
    daemon, url = provider.clients["daemon"], f"{provider.entra.authority}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": daemon.id, "client_secret": daemon.secret}

    def ask(timeout: float = 20.0) -> requests.Response:
        return session.post(url, {**form, "scope": f"{GRAPH}.default"}, timeout=timeout)

    provider.entra.fail("invalid_grant", description="AADSTS50173: revoked", suberror="bad_token")
    provider.entra.fail("temporarily_unavailable")
    provider.entra.fail("unavailable")
    provider.entra.fail("garbage")
    assert ask().json() == {
        "error": "invalid_grant",
        "error_description": "AADSTS50173: revoked",
        "suberror": "bad_token",
    }
    answers = [ask() for _ in range(3)]
    assert [one.status_code for one in answers] == [503, 503, 200]
    assert [one.headers["content-type"].partition(";")[0] for one in answers[1:]] == ["text/html"] * 2
    provider.entra.fail("cut")
    with pytest.raises(requests.ConnectionError):
        ask()
    provider.entra.fail("hang")
    with pytest.raises(requests.ReadTimeout):
        ask(timeout=0.2)
    assert ask().ok
    assert [one.kind for one in provider.entra.requests()] == ["fault"] * 6 + ["granted"]


def test_a_token_that_ends(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """It ends at its time, or before, and with its grant."""
    app = confidential(provider, session, "web", provider.clients["web"].secret)
    provider.entra.lifetime(60)
    answer = app.acquire_token_by_auth_code_flow(*by_code(app, browser))
    assert 55 <= answer["expires_in"] <= 60
    assert provider.introspect(answer["access_token"]) is not None
    assert provider.entra.expire(ALICE) == 1
    assert provider.introspect(answer["access_token"]) is None
    assert provider.entra.revoke(ALICE) == 1
    said = app.acquire_token_silent_with_error(SEND, app.get_accounts()[0])
    assert said["error"] == "invalid_grant"
