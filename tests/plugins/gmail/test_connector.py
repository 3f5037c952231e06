"""The sign-in with Google: what is asked for, what is believed of the answer, and what is told where it fails."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import trustme

from pillarbox import (
    Connected,
    Grant,
    PillarboxError,
    Prompt,
    Refused,
    RefusedReason,
    SendDeferred,
    SettingsError,
    SignInNeeded,
)
from pillarbox_gmail import GmailConnector
from pillarbox_gmail.app import BASIC, COMPOSE, FULL, READONLY, SEND
from tests.plugins.gmail.google import (
    ACCESS,
    ALICE,
    CLIENT,
    CODE,
    REFRESH,
    SECRET,
    Google,
    answered,
    asked,
    by_service,
    keys,
)

CONNECTOR = GmailConnector()
CANARIES = (SECRET, CODE, REFRESH, ACCESS, keys()[0][40:80])


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    with Google(tmp_path) as endpoints:
        yield endpoints


def query(prompt: Prompt) -> dict[str, str]:
    assert prompt.url is not None
    return dict(parse_qsl(urlsplit(prompt.url).query))


def finished(google: Google, scopes: str = SEND, wish=None, app=None, callback=None, **claims):
    """Sign in, and return what came of it."""
    wish, app = wish or asked(), app or google.app()
    prompt = CONNECTOR.start(app, wish)
    google.grants(claims.pop("nonce", query(prompt)["nonce"]), f"openid email {scopes}", **claims)
    return CONNECTOR.finish(app, wish, prompt.kept, callback or {"state": "state-1", "code": CODE})


def test_the_page_asks_for_all_that_is_needed(google: Google) -> None:
    """PKCE, core's state, the address, offline access, and a consent each time; nothing of other apps."""
    prompt = CONNECTOR.start(google.app(), asked())
    given = query(prompt)
    assert prompt.url is not None
    assert prompt.url.startswith(f"{google.url}/auth?")
    assert given.pop("nonce")
    assert len(given.pop("code_challenge")) == 43
    assert given == {
        "client_id": CLIENT,
        "redirect_uri": "http://localhost:1",
        "response_type": "code",
        "scope": f"openid email {SEND}",
        "state": "state-1",
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent select_account",
        "include_granted_scopes": "false",
        "login_hint": ALICE,
    }
    assert prompt.kept.decode() not in repr(prompt)


@pytest.mark.parametrize(
    ("wish", "app", "scopes"),
    [
        (asked(Grant.SEND), {}, [SEND]),
        (asked(Grant.SEND), {"list_aliases": True, "look_in_sent": True}, [SEND]),
        (asked(Grant.CONFIRM), {}, [COMPOSE]),
        (asked(Grant.CONFIRM), {"list_aliases": True}, [COMPOSE, BASIC]),
        (asked(Grant.CONFIRM), {"look_in_sent": True}, [COMPOSE, READONLY]),
        (asked(Grant.CONFIRM, purpose="smtp"), {"list_aliases": True}, [FULL]),
        (asked(Grant.SEND, purpose="imap"), {}, [FULL]),
    ],
)
def test_scopes_follow_the_grant(google: Google, wish, app, scopes) -> None:
    """And only the first is one that it can't do without."""
    made = google.app(**app)
    assert query(CONNECTOR.start(made, wish))["scope"].split() == ["openid", "email", *scopes]
    assert CONNECTOR.wanted(made, wish) == (scopes[0],)


def test_there_is_no_code_to_type(google: Google) -> None:
    """Google's limited-input devices can't ask for mail; the cure names the other way."""
    with pytest.raises(SettingsError, match="code to type") as caught:
        CONNECTOR.start(google.app(), asked(redirect_uri=None))
    assert "--paste" in caught.value.cure
    assert not CONNECTOR.has_codes


def test_a_sign_in_is_told_and_sealed(google: Google) -> None:
    """Who, by Google's own name of them; what was granted; and what gets more tokens."""
    answer = finished(google)
    assert isinstance(answer, Connected)
    learned = answer.connection
    assert (learned.issuer, learned.subject, learned.address) == (google.url, "1007", ALICE)
    assert learned.scopes == ("openid", "email", SEND)
    kept = json.loads(answer.secret)
    assert (kept["refresh_token"], kept["access_token"]) == (REFRESH, ACCESS)
    (form,) = google.asked
    assert form.pop("code_verifier")
    assert form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": "http://localhost:1",
        "client_id": CLIENT,
        "client_secret": SECRET,
    }
    held = CONNECTOR.held(google.app(), answer.secret, "send")
    assert held is not None
    assert held.token == ACCESS
    assert 3500 < held.expires_at - time.time() <= 3600
    assert REFRESH not in repr(answer) + repr(held)


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "somebody-else"}, "signature, time or audience"),
        ({"exp": 1_000}, "signature, time or audience"),
        ({"iat": 99_999_999_999, "exp": 99_999_999_999}, "signature, time or audience"),
        ({"nonce": "of-another-sign-in"}, "signature|another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": None}, "not verified"),
        ({"email": None}, "names nobody"),
        ({"sub": ""}, "names nobody"),
        ({"sub": 7}, "names nobody"),
        ({"email": "no address\r\n@x"}, "names nobody"),
        ({"azp": "somebody-else"}, "another client"),
    ],
    ids=str,
)
def test_an_identity_that_is_not_proven_is_not_believed(google: Google, claims, detail: str) -> None:
    """Nobody is connected by it (rule 37)."""
    wish, app = asked(), google.app()
    prompt = CONNECTOR.start(app, wish)
    google.grants(
        claims.get("nonce", query(prompt)["nonce"]), SEND, **{k: v for k, v in claims.items() if k != "nonce"}
    )
    answer = CONNECTOR.finish(app, wish, prompt.kept, {"state": "state-1", "code": CODE})
    assert isinstance(answer, Refused)
    assert answer.reason is RefusedReason.FAILED
    import re

    assert re.search(detail, answer.detail)
    assert not any(canary in repr(answer) for canary in CANARIES)


def test_an_identity_that_another_key_signed_is_not_believed(google: Google) -> None:
    """Only Google's certificates count."""
    stranger = (
        trustme.CA().issue_cert("x.test", key_type=trustme.KeyType.RSA).private_key_pem.bytes().decode()
    )
    answer = finished(google, key=stranger)
    assert isinstance(answer, Refused)
    assert "can't be trusted" in answer.detail


def test_certificates_that_can_t_be_got_are_asked_for_later(google: Google) -> None:
    """Not held against anybody."""
    google.answers["/certs"] = answered(503, {})
    with pytest.raises(SendDeferred):
        finished(google)


@pytest.mark.parametrize("page", [b"<html>", b"[1]", b"[" * 200_000])
def test_a_page_in_the_place_of_tokens_is_no_answer(google: Google, page: bytes) -> None:
    """Nobody is sent to Google's settings for what a proxy said."""
    wish, app = asked(), google.app()
    prompt = CONNECTOR.start(app, wish)
    google.answers["/token"] = answered(200, page)
    with pytest.raises(SendDeferred):
        CONNECTOR.finish(app, wish, prompt.kept, {"code": CODE})


@pytest.mark.parametrize("lacking", ["access_token", "refresh_token", "id_token"])
def test_tokens_that_are_not_whole_are_of_no_use(google: Google, lacking: str) -> None:
    """Without a refresh token the account would work for an hour."""
    tokens = {"access_token": ACCESS, "refresh_token": REFRESH, "id_token": "x.y.z", "scope": SEND}
    wish, app = asked(), google.app()
    prompt = CONNECTOR.start(app, wish)
    google.answers["/token"] = answered(200, {name: one for name, one in tokens.items() if name != lacking})
    answer = CONNECTOR.finish(app, wish, prompt.kept, {"code": CODE})
    assert isinstance(answer, Refused)
    assert lacking.replace("_", " ") in answer.detail


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        ({"error": "access_denied"}, RefusedReason.CANCELLED),
        ({"error": "interaction_required"}, RefusedReason.FAILED),
        ({"error": "org_internal"}, RefusedReason.FAILED),
        ({"error": "\x1b[31mred" * 90}, RefusedReason.FAILED),
        ({}, RefusedReason.FAILED),
        ({"code": ""}, RefusedReason.FAILED),
        ({"code": CODE, "iss": "https://evil.example"}, RefusedReason.FAILED),
    ],
)
def test_a_redirect_without_a_code_is_told(google: Google, callback, reason: RefusedReason) -> None:
    """And nobody is asked for a token."""
    answer = CONNECTOR.finish(google.app(), asked(), b"{}", {"state": "state-1", **callback})
    assert isinstance(answer, Refused)
    assert answer.reason is reason
    assert google.asked == []


@pytest.mark.parametrize(
    "error", ["invalid_client", "admin_policy_enforced", "redirect_uri_mismatch", "deleted_client"]
)
def test_a_registration_that_is_refused_is_the_deployer_s_business(google: Google, error: str) -> None:
    """Whether the page says so or the token endpoint."""
    with pytest.raises(SettingsError):
        CONNECTOR.finish(google.app(), asked(), b"{}", {"error": error})
    wish, app = asked(), google.app()
    prompt = CONNECTOR.start(app, wish)
    google.answers["/token"] = answered(401, {"error": error, "error_description": f"no {SECRET}"})
    with pytest.raises(SettingsError) as caught:
        CONNECTOR.finish(app, wish, prompt.kept, {"code": CODE})
    assert SECRET not in str(caught.value)


def test_a_code_that_was_used_is_told(google: Google) -> None:
    """Begin again."""
    wish, app = asked(), google.app()
    prompt = CONNECTOR.start(app, wish)
    google.answers["/token"] = answered(400, {"error": "invalid_grant"})
    answer = CONNECTOR.finish(app, wish, prompt.kept, {"code": CODE})
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.detail) == (RefusedReason.FAILED, "invalid_grant")


def test_aliases_are_learned_where_they_are_asked_for(google: Google) -> None:
    """Those that Google has verified."""
    listed = [
        {"sendAsEmail": ALICE, "isPrimary": True},
        {"sendAsEmail": "orders@contoso.test", "verificationStatus": "accepted"},
        {"sendAsEmail": "boss@contoso.test", "verificationStatus": "pending"},
        {"sendAsEmail": 7, "verificationStatus": "accepted"},
        {"sendAsEmail": "no address", "verificationStatus": "accepted"},
        "nonsense",
    ]
    google.answers["/gmail/v1/users/me/settings/sendAs"] = answered(200, {"sendAs": listed})
    app = google.app(list_aliases=True)
    answer = finished(google, f"{COMPOSE} {BASIC}", asked(Grant.CONFIRM), app)
    assert isinstance(answer, Connected)
    assert answer.connection.aliases == (ALICE, "orders@contoso.test")


@pytest.mark.parametrize("said", [answered(500, {}), answered(200, b"x"), answered(200, {"sendAs": 7}), b""])
def test_aliases_that_can_t_be_listed_stop_nobody(google: Google, said: bytes) -> None:
    """The account shows its own address."""
    google.answers["/gmail/v1/users/me/settings/sendAs"] = said or answered(204, b"")
    answer = finished(google, f"{COMPOSE} {BASIC}", asked(Grant.CONFIRM), google.app(list_aliases=True))
    assert isinstance(answer, Connected)
    assert answer.connection.aliases == ()


def sealed(google: Google) -> bytes:
    answer = finished(google)
    assert isinstance(answer, Connected)
    google.asked.clear()
    return answer.secret


def test_a_refresh_asks_our_endpoint(google: Google) -> None:
    """Not Google's own, which google-auth would put in its place; a rotated refresh token is kept."""
    secret = sealed(google)
    google.answers["/token"] = answered(
        200, {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": 1800}
    )
    again = json.loads(CONNECTOR.refresh(google.app(), secret, "send"))
    (form,) = google.asked
    assert form == {
        "grant_type": "refresh_token",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "refresh_token": REFRESH,
    }
    assert (again["access_token"], again["refresh_token"]) == ("new-access", "new-refresh")
    assert 1700 < again["expires_at"] - time.time() <= 1800


@pytest.mark.parametrize(
    ("status", "value", "kind", "words"),
    [
        (400, {"error": "invalid_grant"}, SignInNeeded, "seven days"),
        (400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}, SignInNeeded, "policy"),
        (400, {"error": "invalid_grant", "error_subtype": "rapt_required"}, SignInNeeded, "policy"),
        (401, {"error": "invalid_client"}, SettingsError, "does not know the client"),
        (401, {"error": "deleted_client"}, SettingsError, "deleted"),
        (401, {"error": "unauthorized_client"}, SettingsError, "may not sign people in"),
        (400, {"error": "invalid_request"}, SettingsError, "invalid_request"),
        (403, {"error": "admin_policy_enforced"}, SettingsError, "administrator"),
        (400, {"error": "server_error"}, SendDeferred, "400"),
        (400, {"error": "temporarily_unavailable"}, SendDeferred, "400"),
        (500, {"error": "invalid_grant"}, SendDeferred, "500"),
        (503, b"<html>", SendDeferred, "503"),
        (429, {}, SendDeferred, "429"),
        (400, b"<html>", SendDeferred, "its answer is none"),
        (403, {"error": {"code": 403}}, SendDeferred, "its answer is none"),
        (200, b"<html>", SendDeferred, "its answer is none"),
        (200, {"access_token": ""}, SendDeferred, "no token"),
        (200, {"access_token": 7}, SendDeferred, "no token"),
        (200, {"access_token": "a", "expires_in": "never"}, SendDeferred, "its answer is none"),
        (200, [], SendDeferred, "its answer is none"),
        (200, b"[" * 90_000, SendDeferred, "its answer is none"),
        (200, {"access_token": "a", "expires_in": 10**18}, SendDeferred, "its answer is none"),
        (302, b"", SendDeferred, "its answer is none"),
    ],
)
def test_a_refresh_that_fails_is_told_by_what_mends_it(
    google: Google, status: int, value, kind, words: str
) -> None:
    """A person, the deployer, or time. No word of the answer is repeated, and nothing of it is in the chain."""
    secret = sealed(google)
    said = {**value, "error_description": f"{REFRESH} {SECRET}"} if isinstance(value, dict) else value
    google.answers["/token"] = answered(status, said)
    with pytest.raises(kind, match=words) as caught:
        CONNECTOR.refresh(google.app(), secret, "send")
    assert isinstance(caught.value, PillarboxError)
    assert len(google.asked) == 1
    error: BaseException | None = caught.value
    while error is not None:
        assert not any(canary in repr(error) + str(error) for canary in CANARIES)
        assert type(error).__module__.startswith("pillarbox")
        error = error.__cause__ or error.__context__


def test_a_network_that_is_down_is_no_refusal(google: Google) -> None:
    """Nobody has to connect again for that."""
    secret = sealed(google)
    with pytest.raises(SendDeferred):
        CONNECTOR.refresh(google.app(token_uri="http://127.0.0.1:1/token"), secret, "send")


@pytest.mark.parametrize(
    "secret", [b"", b"[]", b"{}", b'{"mode": "person", "x": 1}', b'{"mode": "?"}', b"\xff"]
)
def test_what_can_t_be_read_needs_a_sign_in(google: Google, secret: bytes) -> None:
    """A vault of another version, say."""
    for call in (CONNECTOR.held, CONNECTOR.refresh):
        with pytest.raises(SignInNeeded, match="can't be read"):
            call(google.app(), secret, "send")


@pytest.mark.parametrize(("status", "value"), [(200, {}), (400, {"error": "invalid_token"})])
def test_a_sign_in_is_ended(google: Google, status: int, value) -> None:
    """By the refresh token, in the body; one that is over already is ended as well."""
    secret = sealed(google)
    google.answers["/revoke"] = answered(status, value)
    assert CONNECTOR.revoke(google.app(), secret) is True
    assert google.asked == [{"token": REFRESH}]


def test_a_sign_in_that_is_not_ended_is_told(google: Google) -> None:
    """And where there is nobody to tell, that is told too."""
    secret = sealed(google)
    for said in (answered(500, {}), answered(400, {"error": "invalid_request"})):
        google.answers["/revoke"] = said
        with pytest.raises(SendDeferred):
            CONNECTOR.revoke(google.app(), secret)
    assert CONNECTOR.revoke(google.app(revoke_uri=""), secret) is False


def test_tokens_for_smtp_are_shown_to_google_s_servers_alone(google: Google) -> None:
    """A person's settings name the server; the API is the deployer's."""
    assert CONNECTOR.hosts(google.app(), "smtp") == ("smtp.gmail.com", "imap.gmail.com")
    assert CONNECTOR.hosts(google.app(), "send") is None


def test_a_service_account_needs_nobody(google: Google) -> None:
    """No page, no code; the token is for the mailbox, and comes from our endpoint, not from what the key names."""
    google.answers["/token"] = answered(200, {"access_token": ACCESS, "expires_in": 3599})
    app = google.service_app()
    assert CONNECTOR.start(app, by_service()) == Prompt()
    answer = CONNECTOR.finish(app, by_service(), b"", None)
    assert isinstance(answer, Connected)
    learned = answer.connection
    assert (learned.address, learned.tenant, learned.scopes) == (ALICE, "acme-mail", (SEND,))
    assert learned.subject == f"mailer@acme-mail.iam.gserviceaccount.test for {ALICE}"
    (form,) = google.asked
    from google.auth import jwt

    claims = jwt.decode(form["assertion"], verify=False)
    assert (claims["sub"], claims["scope"]) == (ALICE, SEND)
    again = CONNECTOR.refresh(app, answer.secret, "send")
    held = CONNECTOR.held(app, again, "send")
    assert held is not None
    assert held.token == ACCESS
    assert b"PRIVATE KEY" not in answer.secret
    assert CONNECTOR.revoke(app, answer.secret) is False


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, "unauthorized_client", "delegated"),
        (400, "invalid_grant", "act for this mailbox"),
        (400, "invalid_scope", "does not give"),
    ],
)
def test_a_service_account_that_was_not_delegated_is_told(
    google: Google, status: int, error: str, words: str
) -> None:
    """Where an administrator allows it."""
    google.answers["/token"] = answered(status, {"error": error})
    with pytest.raises(SettingsError, match=words):
        CONNECTOR.finish(google.service_app(), by_service(), b"", None)


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "[]",
        '{"type": "authorized_user"}',
        '{"type": "service_account", "client_email": "a@b", "private_key": "canary-key"}',
    ],
)
def test_a_key_that_is_none_is_told_without_it(google: Google, key: str) -> None:
    """Whatever stands in the file."""
    app = google.service_app(key)
    with pytest.raises(SettingsError) as caught:
        CONNECTOR.finish(app, by_service(), b"", None)
    assert "canary" not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_service_account_keeps_to_its_domains(google: Google) -> None:
    """And there has to be one, with a mailbox."""
    with pytest.raises(SettingsError, match="not for alice"):
        CONNECTOR.start(google.service_app(service_domains=("acme.example",)), by_service())
    assert CONNECTOR.start(google.service_app(service_domains=("Contoso.test",)), by_service()) == Prompt()
    with pytest.raises(SettingsError, match="has none"):
        CONNECTOR.start(google.app(), by_service())


def test_a_person_can_t_sign_in_by_a_service_account_alone(google: Google) -> None:
    """There is no client."""
    with pytest.raises(SettingsError, match="service account alone"):
        CONNECTOR.start(google.service_app(client_id=""), asked())


def test_the_registration_is_looked_at(google: Google) -> None:
    """The client's shape, its secret, the key, and whether Google knows the client: nobody is signed in."""
    google.answers["/token"] = answered(400, {"error": "invalid_grant"})
    found = list(CONNECTOR.check(google.service_app(), None))
    assert [(one.stage, one.code) for one in found] == [
        ("registration", "client-id-set"),
        ("registration", "client-secret-set"),
        ("registration", "service-account-readable"),
        ("endpoint", "client-known"),
    ]
    assert "acme-mail" in found[2].seen


@pytest.mark.parametrize(
    ("said", "given", "codes"),
    [
        (answered(401, {"error": "invalid_client"}), {}, {"client-refused"}),
        (answered(500, {}), {}, {"token-endpoint-silent"}),
        (answered(200, {"access_token": "x"}), {}, {"client-refused"}),
        (b"", {"client_id": "abc"}, {"client-id-odd"}),
        (b"", {"client_secret": None}, {"client-secret-missing"}),
        (b"", {"client_id": "", "client_secret": None}, {"not-reached"}),
    ],
)
def test_a_registration_that_is_amiss_is_told(google: Google, said: bytes, given, codes) -> None:
    """Each with what mends it."""
    google.answers["/token"] = said or answered(400, {"error": "invalid_grant"})
    found = {one.code: one for one in CONNECTOR.check(google.service_app(**given), None)}
    assert codes <= set(found)
    assert all(found[code].cure or code == "not-reached" for code in codes)


def test_a_secret_that_can_t_be_read_is_told(google: Google, tmp_path: Path) -> None:
    """By the reference; and the endpoint is not asked."""
    app = google.app()
    (tmp_path / "secret").unlink()
    codes = [one.code for one in CONNECTOR.check(app, None)]
    assert codes == ["client-id-set", "client-secret-unreadable", "not-reached"]
    assert google.asked == []


def test_nothing_secret_is_logged(google: Google, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by us nor by what we stand on, at any level: sign-in, refresh, a refusal, and the end."""
    caplog.set_level(1)
    secret = sealed(google)
    for status, value in ((200, {"access_token": "canary-new-access"}), (400, {"error": "invalid_grant"})):
        google.answers["/token"] = answered(status, value)
        with contextlib.suppress(SignInNeeded):
            CONNECTOR.refresh(google.app(), secret, "send")
    google.answers["/revoke"] = answered(200, {})
    CONNECTOR.revoke(google.app(), secret)
    assert caplog.records
    assert not any(canary in caplog.text for canary in (*CANARIES, "canary"))


def test_a_key_of_a_service_account_that_can_t_be_read_is_told(google: Google, tmp_path: Path) -> None:
    """By the reference."""
    app = google.service_app(client_id="")
    for file in tmp_path.iterdir():
        file.unlink()
    codes = [one.code for one in CONNECTOR.check(app, None)]
    assert codes == ["service-account-unreadable", "not-reached"]
