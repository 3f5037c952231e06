"""What the connector says without a provider; sign-ins themselves are tried at a real one (tests/oauth)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from pillarbox import (
    Account,
    App,
    Grant,
    Pending,
    Refused,
    RefusedReason,
    Secret,
    SettingsError,
    SignIn,
    SignInNeeded,
)
from pillarbox_m365 import M365App, M365Connector, M365Settings, Mode, signing_in
from pillarbox_m365.tokens import Kept

GUID = "22222222-0000-4000-8000-000000000002"


def app(tenant: str = "acme.example", **more: object) -> App:
    return App(M365App(client_id="client", tenant=tenant, **more))


def asked(owner: str = "company", mode: Mode = Mode.PERSON, **more: object) -> SignIn:
    account = Account(owner=owner, method="m365", mailbox="o@acme.example", settings=M365Settings(mode=mode))
    return SignIn(account=account, **more)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers"])
@pytest.mark.parametrize("mode", Mode)
def test_a_companys_account_has_a_tenant_of_its_own(tenant: str, mode: Mode) -> None:
    """Anybody could sign in by the shared ones (rule 37)."""
    with pytest.raises(SettingsError, match="lets anybody sign in"):
        M365Connector().start(app(tenant), asked(mode=mode))
    with pytest.raises(SettingsError, match="lets anybody sign in"):
        M365Connector().finish(app(tenant), asked(mode=mode), b"{}", {})


def test_an_application_alone_has_to_prove_who_it_is() -> None:
    """Before anybody is asked."""
    with pytest.raises(SettingsError, match="client secret or a certificate"):
        M365Connector().start(app(), asked(mode=Mode.APP))


def test_an_application_asks_nobody_to_do_anything() -> None:
    """Neither a page nor a code."""
    prompt = M365Connector().start(app(client_secret=Secret(env="X")), asked(mode=Mode.APP))
    assert (prompt.url, prompt.code) == (None, None)


def test_the_page_for_the_administrator() -> None:
    """Of the tenant, with what the provider gives back."""
    url = M365Connector().consent_url(app(), "https://erp.example/cb?a=b&c", "st&te")
    assert url is not None
    assert urlsplit(url).path == "/acme.example/adminconsent"
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["client"],
        "redirect_uri": ["https://erp.example/cb?a=b&c"],
        "state": ["st&te"],
    }


@pytest.mark.parametrize("purpose", ["smtp", "imap"])
def test_where_tokens_for_smtp_go(purpose: str) -> None:
    """To Exchange Online and nowhere else; Graph's are for nobody to name."""
    assert M365Connector().hosts(app(), purpose) == ("smtp.office365.com", "outlook.office365.com")
    assert M365Connector().hosts(app(), "send") is None


def test_a_token_in_hand_is_given_out() -> None:
    """Without asking anybody; that for SMTP serves IMAP."""
    secret = Kept().taken("smtp", {"access_token": "t", "expires_in": 60}, "{}").sealed()
    for purpose in ("smtp", "imap"):
        held = M365Connector().held(app(), secret, purpose)
        assert held is not None
        assert held.token == "t"
    assert M365Connector().held(app(), secret, "send") is None


@pytest.mark.parametrize("purpose", ["send", "smtp"])
def test_a_connection_for_another_purpose_is_not_stretched(purpose: str) -> None:
    """It says what is missing, and asks nobody."""
    other = "smtp" if purpose == "send" else "send"
    secret = Kept(scopes={other: ("x",)}).sealed()
    with pytest.raises(SignInNeeded, match="not connected for"):
        M365Connector().refresh(app(), secret, purpose)


def test_what_is_needed_to_keep_a_connection() -> None:
    """The scopes of the grant."""
    assert M365Connector().wanted(app(), asked(grant=Grant.CONFIRM)) == ("Mail.Send", "Mail.ReadWrite")
    assert M365Connector().wanted(app(), asked(mode=Mode.APP)) == ("Mail.Send",)


def test_a_redirect_is_waited_for() -> None:
    """A poll finds nothing."""
    wish = asked(redirect_uri="https://erp.example/cb")
    assert isinstance(M365Connector().finish(app(), wish, b'{"flow": {}, "issuer": ""}', None), Pending)


def test_a_redirect_that_says_no() -> None:
    """It is told in the provider's words, and nobody else is asked."""
    wish = asked(redirect_uri="https://erp.example/cb")
    said = {"error": "access_denied", "error_description": "AADSTS65004: User declined."}
    answer = M365Connector().finish(app(), wish, b'{"flow": {}, "issuer": ""}', said)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.detail) == (RefusedReason.CANCELLED, "AADSTS65004: User declined.")


@pytest.mark.parametrize(
    ("said", "known", "is_it"),
    [
        ("https://a.example/t/v2.0", "https://a.example/t/v2.0", True),
        ("https://a.example/t/v2.0/", "https://a.example/t/v2.0", False),
        ("https://evil.example/t/v2.0", "https://a.example/t/v2.0", False),
        (f"https://a.example/{GUID}/v2.0", "https://a.example/{tenantid}/v2.0", True),
        ("https://a.example/x/v2.0", "https://a.example/{tenantid}/v2.0", False),
        (f"https://a.example/{GUID}/../v2.0", "https://a.example/{tenantid}/v2.0", False),
        ("", "https://a.example/{tenantid}/v2.0", False),
    ],
)
def test_who_answered(said: str, known: str, is_it: bool) -> None:
    """It has to be who was asked (RFC 9207)."""
    assert signing_in.is_issuer(said, known) is is_it
