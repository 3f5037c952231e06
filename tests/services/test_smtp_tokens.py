"""An account that signs in with a connector's token, from the mailer to Dovecot and to Postfix, which asks Dovecot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import (
    Company,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Message,
    PillarboxError,
    Receipt,
    SignInNeeded,
    _secrets,
)
from pillarbox.settings import structure
from pillarbox_smtp import SmtpSettings
from tests.plugins.smtp.connecting import Provider, provider, stored_as
from tests.services._client import CUSTOMER, ORDERS, OTTO

if TYPE_CHECKING:
    from tests.services.servers import Authority, Dovecot, Server

__all__ = ["provider"]
pytestmark = pytest.mark.services
LETTER = Message(to=CUSTOMER, subject="Invoice 1001", text="Good morning.")


@pytest.fixture(params=["postfix", "dovecot"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each server that takes tokens."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["XOAUTH2", "OAUTHBEARER"])
def settings(request: pytest.FixtureRequest, server: Server, authority: Authority) -> dict[str, Any]:
    """The account's settings, with each mechanism."""
    return {
        "server": "localhost",
        "port": server.starttls_port,
        "username": ORDERS,
        "sign_in": "testmail",
        "sasl": [request.param],
        "ca_file": str(authority.ca_file),
        "timeout": 20.0,
    }


def connected(settings: dict[str, Any], token: str) -> Mailer:
    """Return a mailer whose company was given *token* when it connected its account."""
    company = Company(id="company", address=ORDERS, name="Acme", method="smtp", methods={"smtp": settings})
    vault = MemoryVault()
    bound = {**_secrets.bound("smtp", structure(SmtpSettings, settings)), "connector": settings["sign_in"]}
    vault.save("company/company/sign-in", stored_as(token), bound)
    return Mailer(MemoryDirectory(company), vault=vault)


def outcome(mailer: Mailer) -> Receipt | PillarboxError:
    """Return what came of one letter."""
    try:
        return mailer.send(LETTER)
    except PillarboxError as error:
        return error


def gives(provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the provider give *token* out; return what it gave, as it does."""
    given: list[str] = []

    def issue() -> str:
        given.append(token)
        return token

    monkeypatch.setattr(provider, "issue", issue)
    return given


def test_a_good_token(
    server: Server,
    settings: dict[str, Any],
    provider: Provider,
    dovecot: Dovecot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It signs in, and the provider is not asked for another."""
    given = gives(provider, dovecot.token(ORDERS), monkeypatch)
    with connected(settings, dovecot.token(ORDERS)) as mailer:
        assert isinstance(outcome(mailer), Receipt)
        found = {one.stage: one for one in mailer.check()}
    assert given == []
    assert found["sign-in"].seen == f"{settings['sasl'][0]} as {ORDERS}"
    assert [mail.envelope_sender for mail in server.inbox(CUSTOMER, at_least=1)] == [ORDERS]


def test_a_token_that_has_expired(
    server: Server,
    settings: dict[str, Any],
    provider: Provider,
    dovecot: Dovecot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server says so; another is got once, and the mail goes."""
    given = gives(provider, dovecot.token(ORDERS), monkeypatch)
    with connected(settings, dovecot.token(ORDERS, lifetime_s=-60)) as mailer:
        assert isinstance(outcome(mailer), Receipt)
    assert len(given) == 1
    assert len(server.inbox(CUSTOMER, at_least=1)) == 1


def test_a_token_of_somebody_else(
    server: Server,
    settings: dict[str, Any],
    provider: Provider,
    dovecot: Dovecot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two tries, and then a person: no mail goes as Otto, and none is tried a third time."""
    given = gives(provider, dovecot.token(OTTO), monkeypatch)
    with connected(settings, dovecot.token(OTTO, lifetime_s=3000)) as mailer:
        error = outcome(mailer)
    assert isinstance(error, SignInNeeded)
    assert error.code.startswith("535")
    assert "; it says that the token is not valid, or is another account's." in error.detail
    assert error.cure == f"Connect the account again, signed in as {ORDERS}."
    assert len(given) == 1
    assert server.mails() == []
