"""How a sign-in stands: in check, stage by stage, in the status, and as a value for a settings page."""

from __future__ import annotations

import datetime as dt
import time

import attrs
import pytest

from pillarbox import (
    AccountState,
    Company,
    Connector,
    Finding,
    Level,
    Mailer,
    MemoryDirectory,
    Plugins,
    SendDeferred,
    SettingsError,
    SignInNeeded,
    Unavailable,
    _check,
)
from pillarbox._connect.standing import FINDINGS, as_whom, since_of
from pillarbox.settings import setting
from tests.core.doubles import LETTER, KeptOutbox
from tests.core.signing_in import (
    ORDERS,
    SEND,
    Provider,
    TestmailConnector,
    TestmailSettings,
    TestmailTransport,
    known,
    office,
    signed_in,
)

OWN = "company/company/sign-in"


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def mailer(provider):
    return office(provider)


def found(mailer, user=None):
    """Return what core finds of the account, by stage, but for what is the settings' and the method's."""
    return {one.stage: one for one in mailer.check(user) if one.stage not in {"settings", "check"}}


def learned(mailer, **changed):
    """Change what was learned of the company's sign-in, as a refused refresh does."""
    row = mailer.vault.rows.load(OWN)
    bound, connection = row.readable["destination"], row.readable["connection"]
    secret = mailer.vault.load(OWN, bound).secret
    mailer.vault.save(OWN, secret, bound, connection={**connection, **changed}, version=row.version)


def test_a_connected_account_passes_each_stage(mailer, provider):
    """The registration by the connector's own look, as whom and since when, and what that allows."""
    moment = dt.datetime(2026, 11, 26, 9, 0, tzinfo=dt.UTC).timestamp()
    mailer._clock = lambda: moment
    signed_in(mailer, provider)
    moment += 3 * 86_400
    stages = found(mailer)
    assert list(stages) == ["registration", "sign-in", "grant"]
    assert {one.level for one in stages.values()} == {Level.OK}
    assert stages["registration"].seen == "Testmail knows a-host"
    assert stages["sign-in"].seen.startswith("connected as orders@acme.example since 2026-11-26")
    assert stages["sign-in"].seen.endswith(", 3 days ago")
    assert (stages["grant"].code, stages["grant"].seen[:16]) == ("grant-confirm", "send and confirm")


def test_an_account_that_nobody_has_connected(mailer, provider):
    """With the command; the method is looked at all the same."""
    all_of_it = list(mailer.check("otto"))
    one = next(one for one in all_of_it if one.stage == "sign-in")
    assert (one.code, one.exit_code, one.level) == ("sign-in-missing", 77, Level.FAIL)
    assert one.cure == "Connect it: pillarbox user connect otto"
    assert all_of_it[-1].code == "check-none"
    assert "grant" not in {one.stage for one in all_of_it}


@pytest.mark.parametrize(
    ("changed", "code", "cure"),
    [
        ({"refused": "Testmail ended the grant."}, "sign-in-ended", "Connect it again: pillarbox company connect"),
        ({"refused": "no such app", "refused_until": time.time() + 300}, "sign-in-registration-refused", "Mend the registration in [apps]."),
        ({"refused": "no such app", "refused_until": time.time() + 86_400}, "sign-in-ok", ""),  # by a clock that was ahead
        ({"nonsense": 1, "refused": "", "issuer": None}, "sign-in-ok", ""),
        ({"refused": "no such app", "refused_until": 1.0}, "sign-in-ok", ""),
    ],
)  # fmt: skip
def test_a_provider_that_gives_no_more_tokens(mailer, provider, changed, code, cure):
    """Its words, and what helps."""
    signed_in(mailer, provider)
    learned(mailer, **changed)
    one = found(mailer)["sign-in"]
    assert (one.code, one.cure) == (code, cure)
    assert code == "sign-in-ok" or changed["refused"] in one.seen


def test_a_sign_in_for_another_place(mailer, provider):
    """It is not released, and that is told before anything is sent."""
    signed_in(mailer, provider)
    mailer._apps["testmail"] = {"client_id": "another"}
    assert found(mailer)["sign-in"].code == "sign-in-elsewhere"


def test_a_sign_in_that_can_not_be_opened_or_read(mailer, provider):
    """As after a restore with another key."""
    signed_in(mailer, provider)
    row = mailer.vault.rows.load(OWN)
    mailer.vault.rows.save(OWN, b"spoilt", row.readable, version=row.version)
    assert found(mailer)["sign-in"].code == "sign-in-unreadable"
    mailer.vault.rows.save(OWN, b"spoilt", {"connection": {"x": 1}}, version=row.version + 1)
    assert [(one.stage, one.code, one.exit_code) for one in mailer.check()] == [
        ("sign-in", "check-stopped", 77)
    ]


def test_a_vault_that_is_missing_or_has_no_key(provider):
    """Exit 69, and how to get one."""
    bare = Mailer(office(provider).directory, plugins=known(provider), apps={"testmail": {"client_id": "x"}})
    one = found(bare)["sign-in"]
    assert (one.code, one.exit_code) == ("sign-in-no-vault", 69)
    assert "pip install pillarbox-vault" in one.cure
    locked = office(provider)
    signed_in(locked, provider)

    def keyless(sealed, associated):
        raise Unavailable("The vault's key is gone.", cure="Restore it.")

    locked.vault.sealer.open = keyless
    assert found(locked)["sign-in"].code == "sign-in-no-vault"


def test_a_registration_that_is_missing_ends_the_look(provider):
    """There is no transport without it."""
    stages = found(office(provider, app={}))
    assert list(stages) == ["registration"]
    one = stages["registration"]
    assert (one.code, one.exit_code) == ("registration-unusable", 78)
    assert one.cure == "Register the application there once, and set client_id in [apps.testmail]."


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (SettingsError("Testmail knows no such application."), "knows no such application", 78),
        (SendDeferred("Testmail is away."), "is away", 75),
        (KeyError("canary"), "broke off: KeyError", 69),
    ],
)
def test_a_look_at_the_registration_that_breaks_off(mailer, provider, monkeypatch, error, words, code):
    """Is a finding; the rest is looked at."""

    def check(self, app, connection, *, mailbox=""):
        raise error
        yield

    monkeypatch.setattr(TestmailConnector, "check", check)
    signed_in(mailer, provider)
    stages = found(mailer)
    assert (stages["registration"].code, stages["registration"].exit_code) == (
        "registration-check-failed",
        code,
    )
    assert words in stages["registration"].seen
    assert "canary" not in stages["registration"].seen
    assert stages["sign-in"].level is Level.OK


def test_a_connector_without_a_look_of_its_own(mailer, provider, monkeypatch):
    """Its registration is complete, as far as core can tell."""
    monkeypatch.setattr(TestmailConnector, "check", Connector.check)
    signed_in(mailer, provider)
    assert found(mailer)["registration"].code == "registration-ok"


def test_less_than_is_needed_was_granted(mailer, provider):
    """A later version may need more than was asked for then."""
    signed_in(mailer, provider)
    learned(mailer, scopes=[SEND])
    one = found(mailer)["grant"]
    assert (one.code, one.exit_code, one.seen) == ("grant-short", 77, "not granted: mail.look")
    learned(mailer, scopes=[SEND], grant="send")
    assert found(mailer)["grant"].code == "grant-send"
    learned(mailer, grant="")
    assert "grant" not in found(mailer)


@attrs.frozen(kw_only=True)
class ServerSettings(TestmailSettings):
    sign_in: str = setting("testmail", binds=True)


class ByServer(TestmailTransport):
    settings: ServerSettings
    connector = ""

    def check(self):
        yield Finding("dns", Level.OK, "dns-found")


def test_an_smtp_account_that_signs_in_by_a_connector_is_looked_at_alike(provider):
    """The method says so in its settings."""
    kept = Plugins(
        extra={"server": ByServer},
        connectors={"testmail": type("C", (TestmailConnector,), {"provider": provider})},
    )
    company = Company(address=ORDERS, method="server", methods={"server": {}})
    mailer = office(provider, companies=MemoryDirectory(company, plugins=kept))
    mailer._plugins = kept
    assert signed_in(mailer, provider).purpose == "smtp"
    assert [one.stage for one in mailer.check()] == ["settings", "registration", "sign-in", "grant", "dns"]


def test_an_account_with_a_password_has_no_such_stages(provider):
    """They would say nothing."""
    company = Company(address=ORDERS, method="plain")
    mailer = office(provider, companies=MemoryDirectory(company, plugins=known(provider)))
    assert found(mailer) == {}
    assert mailer.connection() is None


def test_a_settings_page_shows_the_sign_in(mailer, provider):
    """Who, with what, and whether it still works; nothing where there is none."""
    assert mailer.connection() is None
    signed_in(mailer, provider)
    assert (mailer.connection().address, mailer.connection().refused) == (ORDERS, "")
    assert mailer.connection("otto") is None
    learned(mailer, refused="ended")
    assert mailer.connection().refused == "ended"


def test_the_status_says_who_has_to_reconnect_before_a_mail_has_failed(provider):
    """And goes back to working when they have."""
    mailer = office(provider, outbox=KeptOutbox())
    (one,) = mailer.status()
    assert (one.state, one.exit_code) == (AccountState.SIGN_IN, 77)
    assert one.sentence == (
        "Needs whoever looks after orders@acme.example to connect it: pillarbox company connect."
        " This account was never connected. Nothing waits."
    )
    signed_in(mailer, provider)
    assert mailer.status()[0].sentence == "Working. Nothing waits."
    provider.dead.add("canary-refresh-3")
    learned(mailer, refused="Testmail ended the grant.")
    assert "to reconnect: pillarbox company connect. Testmail ended the grant." in mailer.status()[0].sentence


def test_the_status_names_the_user(provider):
    """What waits is told, and that nothing is lost."""
    mailer = office(provider, outbox=KeptOutbox())
    mailer.enqueue(LETTER, user="otto")
    (one,) = mailer.status("otto")
    assert one.sentence.startswith("Needs Otto Lind to connect it: pillarbox user connect otto.")
    assert one.sentence.endswith("1 mail waits, nothing is lost.")


def test_an_error_names_the_command(mailer, provider, monkeypatch):
    """For whoever sends without an outbox; also where the method itself says that somebody has to connect."""
    with pytest.raises(SignInNeeded, match="never connected") as caught:
        mailer.send(LETTER, user="otto")
    assert caught.value.cure == "Connect it: pillarbox user connect otto"

    def send(self, submission, journal):
        raise SignInNeeded("never", stage="sign-in", cure="Connect the account again.")

    method = mailer.plugins["testmail"]
    monkeypatch.setattr(method, "send", send)
    with pytest.raises(SignInNeeded, match="never") as caught:
        mailer.send(LETTER, user="otto")
    assert caught.value.cure == "Connect the account again: pillarbox user connect otto"
    monkeypatch.undo()
    signed_in(mailer, provider)
    learned(mailer, refused="ended")
    with pytest.raises(SignInNeeded) as caught:
        mailer.send(LETTER)
    assert caught.value.cure == "Connect it again: pillarbox company connect"


def test_a_moment_that_can_not_be_read_is_left_out(mailer, provider):
    """As whom is said all the same."""
    signed_in(mailer, provider)
    one = mailer.connection()
    assert since_of(attrs.evolve(one, connected_at="2026-11-26T09:00:00")).tzinfo is dt.UTC
    for at in ("", "yesterday", None):
        assert as_whom(attrs.evolve(one, connected_at=at), 0.0) == f"as {ORDERS}"


def test_no_code_has_two_meanings():
    """Those of the sign-in stand beside those of the settings."""
    assert not FINDINGS.keys() & _check.FINDINGS.keys()
