"""Sign in with a connector's token, from the mailer to the server: refreshed once, tried again once, and no more."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pillarbox import (
    Company,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Message,
    PillarboxError,
    Receipt,
    SendDeferred,
    SignInNeeded,
)
from pillarbox.testing.smtp_server import Behaviour, Reply, ScriptedServer, Turn
from pillarbox_smtp.connection import Connection
from tests.plugins.smtp.conftest import Serve
from tests.plugins.smtp.connecting import NOT_NOW, Provider, provider, stored_as
from tests.plugins.smtp.givens import CUSTOMER, ORDERS

__all__ = ["provider"]
MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
LETTER = Message(to=CUSTOMER, subject="Invoice 1001", text="Good morning.")
SIGN_IN = "company/company/sign-in"


@pytest.fixture(params=MECHANISMS)
def server(request: pytest.FixtureRequest, serve: Serve, provider: Provider) -> ScriptedServer:
    """A server that takes the provider's tokens, says in JSON why it takes none, and takes no mail without."""

    def heard(turn: Turn) -> Behaviour:
        said = base64.b64decode(turn.line.split()[-1]).decode()
        token = said.partition("auth=Bearer ")[2].partition("\1")[0]
        if token in provider.valid:
            return Reply(235, "2.7.0 signed in")
        provider.on_refusal()
        return Reply(334, base64.b64encode(json.dumps({"status": "401", "token": token}).encode()).decode())

    script = {"auth": heard, "auth-continue": Reply(535, "5.7.8 not accepted")}
    return serve(at=script, mechanisms=(request.param,), users={ORDERS: "none"})


def connected(at: ScriptedServer, token: str | None = "", **given: Any) -> Mailer:
    """Return a mailer whose company has connected its account, and was given *token* then."""
    settings = {"server": "127.0.0.1", "port": at.port, "encryption": "none", "timeout": 5.0}
    settings |= {"username": ORDERS, "sign_in": "testmail"} | given
    company = Company(id="company", address=ORDERS, name="Acme", method="smtp", methods={"smtp": settings})
    mailer = Mailer(MemoryDirectory(company), vault=MemoryVault(), apps={"testmail": {"client_id": "a-host"}})
    if token is not None:
        keep(mailer, token, settings)
    return mailer


def keep(mailer: Mailer, token: str, settings: dict[str, Any]) -> None:
    """Seal *token* as a connection would, bound to where these settings lead."""
    from pillarbox import _secrets
    from pillarbox.settings import structure
    from pillarbox_smtp import SmtpSettings

    bound = {**_secrets.bound("smtp", structure(SmtpSettings, settings)), "connector": settings["sign_in"]}
    learned = {"issuer": "https://testmail.example", "subject": "1", "address": ORDERS}
    mailer.vault.save(SIGN_IN, stored_as(token), bound, connection=learned)  # type: ignore[union-attr]


def outcome(mailer: Mailer) -> Receipt | PillarboxError:
    """Return what came of one letter."""
    try:
        return mailer.send(LETTER)
    except PillarboxError as error:
        return error


def test_a_token_in_the_place_of_a_password(server: ScriptedServer, provider: Provider) -> None:
    """The connector gives it, with the deployment's registration, and the next message needs no other."""
    with connected(server) as mailer:
        assert isinstance(outcome(mailer), Receipt)
        assert isinstance(outcome(mailer), Receipt)
    assert provider.refreshed == 1
    assert provider.apps[0] == {"client_id": "a-host"}
    assert len(server.received) == 2


def test_a_token_that_the_server_takes_no_more(server: ScriptedServer, provider: Provider) -> None:
    """It expired or was revoked: another is got once, the sign-in is repeated once, and the mail goes."""
    with connected(server, "canary-token-of-yesterday") as mailer:
        assert isinstance(outcome(mailer), Receipt)
    assert provider.refreshed == 1
    assert len(server.heard("auth")) == 2


def test_another_process_refreshes_it_meanwhile(server: ScriptedServer, provider: Provider) -> None:
    """What that one stored is used: the provider is not asked a second time."""
    with connected(server, "canary-token-of-yesterday") as mailer:
        row = mailer.vault.rows.load(SIGN_IN)  # type: ignore[union-attr]

        def elsewhere() -> None:
            bound = row.readable["destination"]
            mailer.vault.save(SIGN_IN, stored_as(provider.issue()), bound, version=row.version)  # type: ignore[union-attr]

        provider.on_refusal = elsewhere
        assert isinstance(outcome(mailer), Receipt)
    assert provider.refreshed == 1


def test_another_token_does_not_go_in_clear_to_another_machine(
    server: ScriptedServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second connection is looked at like the first: a name may lead elsewhere by then."""
    peers = iter(["127.0.0.1", "192.0.2.1"])
    monkeypatch.setattr(Connection, "peer", property(lambda _: next(peers)))
    with connected(server, "canary-token-of-yesterday") as mailer:
        error = outcome(mailer)
    assert isinstance(error, SendDeferred)
    assert "is not encrypted" in error.detail
    assert len(server.heard("auth")) == 1


def test_no_token_is_taken(
    server: ScriptedServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice and no more; a person has to connect again, and hears what the server said of the token, not the token."""
    monkeypatch.setattr(provider, "issue", lambda: f"canary-token-never-{len(server.heard('auth'))}")
    with connected(server, "canary-token-of-yesterday") as mailer:
        error = outcome(mailer)
    assert isinstance(error, SignInNeeded)
    assert error.cure == f"Connect the account again, signed in as {ORDERS}."
    assert "the token is not valid, or is another account's" in error.detail
    assert len(server.heard("auth")) == 2
    assert server.received == []
    assert "canary" not in str(error) + repr(error) + repr(vars(error))


def test_a_connector_that_has_no_other_token(
    server: ScriptedServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refused one is not tried again."""
    monkeypatch.setattr(provider, "issue", lambda: "canary-token-of-yesterday")
    with connected(server, "canary-token-of-yesterday") as mailer:
        assert isinstance(outcome(mailer), SignInNeeded)
    assert len(server.heard("auth")) == 1
    assert len(server.connections) == 1


def test_the_provider_gives_none_now(server: ScriptedServer, provider: Provider) -> None:
    """Nothing left, and it may later; the account is not taken for one that has to be connected again."""
    provider.says = NOT_NOW()
    with connected(server, "canary-token-of-yesterday") as mailer:
        error = outcome(mailer)
    assert isinstance(error, SendDeferred)
    assert "Testmail gives no token now" in error.detail


@pytest.mark.parametrize(
    "words", ["5.7.139 SmtpClientAuthentication is disabled for the Tenant", "5.7.14 browser"]
)
def test_a_refusal_that_no_token_helps_against(serve: Serve, provider: Provider, words: str) -> None:
    """The provider is not asked for another, and the cure is the refusal's own."""
    server = serve(at={"auth": Reply(535, words)}, mechanisms=("XOAUTH2",), users={ORDERS: "none"})
    with connected(server, "canary-token") as mailer:
        error = outcome(mailer)
    assert isinstance(error, SignInNeeded)
    assert "Connect the account again" not in error.cure
    assert (provider.refreshed, len(server.heard("auth"))) == (0, 1)


def test_nobody_has_connected(server: ScriptedServer, provider: Provider) -> None:
    """It says so, and the server hears of no sign-in."""
    with connected(server, None) as mailer:
        error = outcome(mailer)
    assert isinstance(error, SignInNeeded)
    assert "Nobody has connected" in error.detail
    assert server.heard("auth") == []


@pytest.mark.parametrize(
    "change", [{"server": "localhost"}, {"sign_in": "othermail"}, {"username": "otto@acme.example"}]
)
def test_a_token_is_bound_to_where_it_goes(
    server: ScriptedServer, provider: Provider, change: dict[str, Any]
) -> None:
    """Who changes the server, the account or the connector does not take the token along (rule 36)."""
    with connected(server, None, username_differs=True, **change) as mailer:
        before = {"server": "127.0.0.1", "port": server.port, "encryption": "none", "username": ORDERS}
        keep(mailer, "canary-token", before | {"sign_in": "testmail", "username_differs": True})
        error = outcome(mailer)
    assert isinstance(error, SignInNeeded)
    assert "belongs to another server" in error.detail
    assert server.heard("auth") == []


def test_check_tells_of_a_token_that_is_refused(
    server: ScriptedServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a token's matter, with the server's words and its reason."""
    monkeypatch.setattr(provider, "issue", lambda: "canary-token-never")
    with connected(server, "canary-token-of-yesterday") as mailer:
        found = {one.stage: one for one in mailer.check()}
    assert (found["sign-in"].code, found["sign-in"].exit_code) == ("sign-in-token-refused", 77)
    assert found["sign-in"].seen == (
        '127.0.0.1 refused the sign-in: 535 5.7.8 "not accepted"; it says that the token is not valid, or is another'
        " account's."
    )


def test_check_says_so_in_its_stage(server: ScriptedServer, provider: Provider) -> None:
    """The same two tries, and the finding of a token rather than of a password."""
    with connected(server, "canary-token-of-yesterday") as mailer:
        provider.revoke()
        good = {one.stage: one for one in mailer.check()}
        provider.says = SignInNeeded(
            "Testmail asks for a new sign-in.", stage="sign-in", cure="Connect again."
        )
        provider.revoke()
        bad = {one.stage: one for one in mailer.check()}
    assert good["sign-in"].seen.endswith(f"as {ORDERS}")
    assert (bad["sign-in"].exit_code, bad["sign-in"].seen) == (77, "Testmail asks for a new sign-in.")
    assert "canary" not in repr((good, bad))
