"""What looks like Google, as Google's own library finds it: people, and service accounts that act for them."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token, service_account
from google.oauth2.credentials import Credentials

from tests.oauth.clients import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oauth.browser import Browser
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
SEND = "https://www.googleapis.com/auth/gmail.send"
COMPOSE = "https://www.googleapis.com/auth/gmail.compose"
ALICE = "alice@contoso.test"


@pytest.fixture
def session(provider: Provider) -> Iterator[requests.Session]:
    """What google-auth speaks through: it trusts the provider's authority, whatever the environment says."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(provider.ca_file)
        yield session


def asked(provider: Provider, verifier: str, redirect_uri: str = WEB, **more: str) -> str:
    """Return the URL that a host sends somebody to."""
    digest = hashlib.sha256(verifier.encode()).digest()
    given = {
        "client_id": provider.clients["googleWeb"].id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": f"openid email {SEND} {COMPOSE}",
        "state": "state-1",
        "access_type": "offline",
        "prompt": "consent",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "login_hint": "hint@contoso.test",
    }
    return f"{provider.google.auth_uri}?{urlencode({**given, **more})}"


def signed_in(
    provider: Provider,
    session: requests.Session,
    browser: Browser,
    more: dict[str, str] | None = None,
    **said: Any,
) -> dict[str, Any]:
    """Sign somebody in as a host on the web does, and return the tokens."""
    verifier, client = secrets.token_urlsafe(48), provider.clients["googleWeb"]
    page = browser.sign_in(asked(provider, verifier, **(more or {})), **said)
    code = dict(parse_qsl(urlsplit(page.url).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": WEB}
    form |= {"client_id": client.id, "client_secret": client.secret}
    answer: dict[str, Any] = session.post(provider.google.token_uri, form, timeout=20).json()
    return answer


def credentials(provider: Provider, tokens: dict[str, Any]) -> Credentials:
    """Return what google-auth refreshes."""
    client = provider.clients["googleWeb"]
    return Credentials(
        None,
        refresh_token=tokens["refresh_token"],
        token_uri=provider.google.token_uri,
        client_id=client.id,
        client_secret=client.secret,
    )


def test_somebody(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """They sign in; the scopes have their long names, and the id token their verified address."""
    tokens = signed_in(provider, session, browser)
    token = provider.introspect(tokens["access_token"])
    assert token is not None
    assert (token.address, token.app) == (ALICE, False)
    assert set(tokens["scope"].split()) == {
        "openid",
        "https://www.googleapis.com/auth/userinfo.email",
        SEND,
        COMPOSE,
    }
    claims = id_token.verify_token(
        tokens["id_token"], Request(session), provider.clients["googleWeb"].id, provider.google.certs_uri
    )
    assert (claims["email"], claims["email_verified"], claims["iss"]) == (ALICE, True, provider.google.issuer)
    assert provider.entra.introspect(tokens["access_token"]) is None


def test_the_redirect(provider: Provider, browser: Browser) -> None:
    """It brings the code, the state, and who the provider is (RFC 9207)."""
    page = browser.sign_in(asked(provider, "v" * 43))
    redirect = dict(parse_qsl(urlsplit(page.url).query))
    assert page.url.startswith(WEB)
    assert redirect.keys() == {"code", "state", "iss"}
    assert (redirect["state"], redirect["iss"]) == ("state-1", provider.google.issuer)


def test_a_redirect_to_where_nobody_can_be(provider: Provider, browser: Browser) -> None:
    """It stays in the address bar, from where somebody can copy it."""
    client = provider.clients["googleDesktop"].id
    page = browser.sign_in(asked(provider, "v" * 43, "http://localhost:1", client_id=client))
    assert page.url.startswith("http://localhost:1/?code=")


def test_somebody_cancels(provider: Provider, browser: Browser) -> None:
    """The host is told."""
    page = browser.sign_in(asked(provider, "v" * 43), cancel=True)
    assert dict(parse_qsl(urlsplit(page.url).query))["error"] == "access_denied"


def test_a_scope_that_is_unticked(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """It is not granted; the rest is."""
    tokens = signed_in(provider, session, browser, untick=[COMPOSE])
    assert SEND in tokens["scope"].split()
    assert COMPOSE not in tokens["scope"].split()


@pytest.mark.parametrize("more", [{"access_type": "online"}, {"prompt": "select_account"}])
def test_no_refresh_token(
    provider: Provider, session: requests.Session, browser: Browser, more: dict[str, str]
) -> None:
    """Who does not ask for access offline, and for consent, gets none."""
    assert "refresh_token" not in signed_in(provider, session, browser, more)


@pytest.mark.parametrize("rotates", [True, False])
def test_a_refresh(provider: Provider, session: requests.Session, browser: Browser, rotates: bool) -> None:
    """It brings another token, and another refresh token only where those rotate, which Google's do not."""
    provider.google.rotate(rotates)
    known = credentials(provider, before := signed_in(provider, session, browser))
    known.refresh(Request(session))
    assert known.valid
    assert known.token != before["access_token"]
    assert (known.refresh_token != before["refresh_token"]) is rotates
    assert provider.google.refreshes() == 1


def test_a_grant_that_is_over(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """Google's library says invalid_grant, and that it is of no use to try again."""
    known = credentials(provider, signed_in(provider, session, browser))
    assert provider.google.revoke(ALICE) == 1
    with pytest.raises(exceptions.RefreshError) as refused:
        known.refresh(Request(session))
    assert refused.value.args[1]["error"] == "invalid_grant"
    assert not refused.value.retryable


def test_revoking(provider: Provider, session: requests.Session, browser: Browser) -> None:
    """Either token ends the grant, and who has it needs no secret; a second time it is none."""
    tokens = signed_in(provider, session, browser)
    form = {"token": tokens["access_token"]}
    assert session.post(provider.google.revoke_uri, form, timeout=20).status_code == 200
    assert provider.google.grants(ALICE) == 0
    assert provider.introspect(tokens["access_token"]) is None
    assert [one.account for one in provider.events() if one.kind == "revoked"] == [ALICE]
    again = session.post(provider.google.revoke_uri, {"token": tokens["refresh_token"]}, timeout=20)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


def acting(provider: Provider, subject: str, scope: str = SEND) -> service_account.Credentials:
    """Return what google-auth gets a service account's tokens by."""
    info = provider.google.service_account
    known = service_account.Credentials.from_service_account_info(info, scopes=[scope])
    return known.with_subject(subject)


def test_a_service_account(provider: Provider, session: requests.Session) -> None:
    """It acts for somebody of a domain whose administrator lets it."""
    known = acting(provider, ALICE)
    known.refresh(Request(session))
    token = provider.google.introspect(known.token)
    assert token is not None
    assert (token.address, token.scopes, token.app) == (ALICE, {SEND}, False)


@pytest.mark.parametrize(
    ("subject", "scope"), [("mallory@elsewhere.test", SEND), (ALICE, "https://mail.google.com/")]
)
def test_a_service_account_that_nobody_lets(
    provider: Provider, session: requests.Session, subject: str, scope: str
) -> None:
    """Another domain, or a scope that was not delegated."""
    with pytest.raises(exceptions.RefreshError) as refused:
        acting(provider, subject, scope).refresh(Request(session))
    assert refused.value.args[1]["error"] == "unauthorized_client"
    assert [one.kind for one in provider.google.requests()] == ["refused"]


def test_a_service_account_with_another_key(provider: Provider, session: requests.Session) -> None:
    """Its signature is wrong."""
    info = {**provider.google.service_account, "private_key": provider.clients["certified"].key}
    known = service_account.Credentials.from_service_account_info(info, scopes=[SEND])
    with pytest.raises(exceptions.RefreshError) as refused:
        known.with_subject(ALICE).refresh(Request(session))
    assert refused.value.args[1]["error"] == "invalid_grant"
