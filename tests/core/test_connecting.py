"""Signing an account in: what is begun, finished, refused, kept and ended, and by whom."""

from __future__ import annotations

import contextlib
import json
import math
import threading

import attrs
import pytest

from pillarbox import (
    Actor,
    Company,
    Connection,
    Grant,
    InvalidSettings,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Pending,
    Refused,
    RefusedReason,
    Role,
    SendDeferred,
    SettingsError,
    SignInNeeded,
    Unavailable,
    User,
)
from pillarbox._connect import pending
from tests.core.doubles import DEPLOYER, LETTER, KeptOutbox
from tests.core.signing_in import (
    ADMIN,
    ANNA,
    AS_OTTO,
    LOOK,
    MARK,
    ORDERS,
    OTTO,
    OURS,
    SEND,
    Provider,
    failing,
    known,
    office,
    rows,
    signed_in,
)

OWN = "company/company/sign-in"


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def mailer(provider):
    with office(provider) as made:
        yield made


@pytest.fixture
def saying(mailer, monkeypatch):
    """Let what the connector returns from `start` be changed."""
    connector = type(mailer.plugins.connector("testmail"))
    start = connector.start

    def change(**said):
        monkeypatch.setattr(connector, "start", lambda *given: attrs.evolve(start(*given), **said))

    return change


def own(mailer):
    """Return what is kept of the company's sign-in, or None."""
    return mailer.vault.connection(OWN)


def test_a_redirect_signs_the_account_in(mailer, provider):
    """What was learned is returned and kept; mail goes with the token."""
    found = signed_in(mailer, provider)
    assert isinstance(found, Connection)
    assert (found.address, found.scopes, found.grant, found.purpose) == (
        ORDERS,
        (SEND, LOOK),
        "confirm",
        "send",
    )
    assert (found.connector, found.subject, found.connected_at[-6:]) == ("testmail", "1", "+00:00")
    assert mailer.send(LETTER, user="anna").message_id
    assert mailer.plugins["testmail"].seen == ["canary-token-3"]


def test_less_is_asked_for_where_less_is_wanted(mailer, provider):
    """The grant that the person chose, by its name or as itself."""
    assert signed_in(mailer, provider, grant="send").scopes == (SEND,)
    assert signed_in(mailer, provider, grant=Grant.SEND).grant == "send"


def test_a_grant_that_there_is_not(mailer, provider):
    """Before anybody is asked."""
    with pytest.raises(SettingsError, match="send or confirm"):
        mailer.connect(by=ADMIN, grant="everything", redirect_uri=OURS)
    assert provider.calls == []


def test_a_code_is_polled_for_until_the_person_is_done(mailer, provider):
    """The same state each time; then it is used up."""
    prompt = mailer.connect(by=ADMIN)
    assert (prompt.code, prompt.kept) == ("ABCD-EFGH", b"")
    provider.says["waiting"] = 7.0
    polls = [mailer.finish_connect({"state": prompt.state}, by=ADMIN) for _ in range(2)]
    assert polls == [Pending(7.0), Pending(7.0)]
    del provider.says["waiting"]
    assert isinstance(mailer.finish_connect({"state": prompt.state}, by=ADMIN), Connection)
    assert mailer.finish_connect({"state": prompt.state}, by=ADMIN).reason is RefusedReason.EXPIRED


def test_nobody_has_anything_to_do(provider):
    """An application that signs in by itself is finished at once."""
    mailer = office(provider, app={"client_id": "x", "tenant": "ambient"})
    prompt = mailer.connect(by=DEPLOYER, redirect_uri=OURS)
    assert (prompt.url, prompt.code) == (None, None)
    assert isinstance(mailer.finish_connect({"state": prompt.state}, by=DEPLOYER), Connection)


@pytest.mark.parametrize("by", [ADMIN, AS_OTTO])
def test_only_the_deployer_connects_what_nobody_signs_in_to(provider, by):
    """Whoever may name a mailbox could name anybody's, and nobody at the provider would be asked."""
    mailer = office(provider, app={"client_id": "x", "tenant": "ambient"})
    user = "otto" if by is AS_OTTO else None
    with pytest.raises(SettingsError, match="only the deployer can connect it"):
        mailer.connect(user, by=by, redirect_uri=OURS)
    assert mailer.vault.names("") == []


def test_a_poll_in_the_place_of_a_redirect_asks_nobody_and_uses_nothing_up(mailer, provider):
    """Whoever knows the state alone can neither finish nor spoil it."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert mailer.finish_connect({"state": prompt.state}, by=ADMIN) == Pending()
    assert provider.calls == ["start"]
    assert isinstance(mailer.finish_connect(provider.page(prompt.url), by=ADMIN), Connection)


def test_a_redirect_in_the_place_of_a_poll_brings_no_code_in(mailer, provider):
    """A code of somebody else's is not taken for that of a person who was asked to type one."""
    prompt = mailer.connect(by=ADMIN)
    assert isinstance(mailer.finish_connect({"state": prompt.state, "code": "stolen"}, by=ADMIN), Connection)
    assert provider.calls == ["start", "poll", "finish"]


def test_a_redirect_is_used_once(mailer, provider):
    """Replayed, it reaches no provider."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    back = provider.page(prompt.url)
    assert isinstance(mailer.finish_connect(back, by=ADMIN), Connection)
    asked = len(provider.calls)
    assert mailer.finish_connect(back, by=ADMIN).reason is RefusedReason.EXPIRED
    assert len(provider.calls) == asked


@pytest.mark.parametrize(
    "other", [Actor("mallory", Role.ADMINISTRATOR), Actor("root", Role.DEPLOYER), Actor("root", Role.OWNER)]
)
def test_somebody_else_can_not_finish_it(mailer, provider, other):
    """Nor use it up."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    back = provider.page(prompt.url)
    assert mailer.finish_connect(back, by=other).reason is RefusedReason.EXPIRED
    assert "finish" not in provider.calls
    assert isinstance(mailer.finish_connect(back, by=ADMIN), Connection)


def test_ten_minutes_are_enough(mailer, provider):
    """After them it is as if it had never been begun, and the next tidies it away."""
    moment = 1_000_000.0
    mailer._clock = lambda: moment
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    forgotten = mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert prompt.expires_in == 600.0
    moment += 600.0
    assert mailer.finish_connect(provider.page(prompt.url), by=ADMIN).reason is RefusedReason.EXPIRED
    assert len(rows(mailer)) == 1
    assert forgotten.state
    mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert len(rows(mailer)) == 1


def test_an_owner_signs_in_their_own_account_alone(mailer):
    """Neither the company's nor a colleague's."""
    for user in (None, "anna"):
        with pytest.raises(SettingsError):
            mailer.connect(user, by=AS_OTTO, redirect_uri=OURS)
    assert mailer.connect("otto", by=AS_OTTO, redirect_uri=OURS).url
    with pytest.raises(InvalidSettings):
        mailer.disconnect(by=AS_OTTO)


def test_what_is_sealed_stands_in_no_readable_half_and_in_no_name(mailer, provider):
    """Neither the state, nor what the connector keeps, nor a token."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert prompt.kept == b""
    (begun,) = rows(mailer)
    assert begun.is_under_way
    signed_in(mailer, provider, "otto")
    shown = " ".join(json.dumps([row.name, dict(row.readable)]) for row in rows(mailer))
    assert MARK not in shown
    assert prompt.state not in shown
    assert prompt.state not in repr(prompt)


def test_a_company_that_is_called_like_what_is_under_way_loses_nothing(provider):
    """Names of companies are the host's to choose, and tidying goes by names."""
    companies = [Company(id=name, address=ORDERS, method="testmail") for name in ("pending", "signing-in")]
    for company in companies:
        mailer = office(provider, companies=MemoryDirectory(company, plugins=known(provider)))
        assert isinstance(signed_in(mailer, provider), Connection)
        mailer.connect(by=ADMIN, redirect_uri=OURS)
        assert mailer.vault.connection(f"{company.id}/company/sign-in")


def test_a_page_that_is_called_over_and_over_fills_no_vault(mailer, provider, monkeypatch):
    """The oldest of one actor's sign-ins go; another's stay."""
    monkeypatch.setattr(pending, "MOST", 3)
    theirs = mailer.connect("otto", by=AS_OTTO, redirect_uri=OURS)
    first, *_, last = [mailer.connect(by=ADMIN, redirect_uri=OURS) for _ in range(5)]
    assert len(rows(mailer)) == 4
    assert mailer.finish_connect(provider.page(first.url), by=ADMIN).reason is RefusedReason.EXPIRED
    assert isinstance(mailer.finish_connect(provider.page(last.url), by=ADMIN), Connection)
    assert mailer.finish_connect({"state": theirs.state}, by=AS_OTTO) == Pending()


def test_what_a_clock_that_was_ahead_began_does_not_stay(mailer):
    """Nobody waits a day for it to be tidied away."""
    mailer._clock = lambda: 1_000_000.0 + 86_400.0
    mailer.connect(by=ADMIN, redirect_uri=OURS)
    mailer._clock = lambda: 1_000_000.0
    mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert len(rows(mailer)) == 1


@pytest.mark.parametrize(
    ("said", "interval", "expires_in"),
    [
        ({"interval": 0.0, "expires_in": -1.0}, 5.0, 600.0),
        ({"interval": math.nan, "expires_in": math.nan}, 5.0, 600.0),
        ({"interval": 1e9, "expires_in": math.inf}, 5.0, 600.0),
        ({"interval": 7.0, "expires_in": 90.0}, 7.0, 90.0),
    ],
)
def test_a_provider_that_says_odd_times_is_waited_for_as_is_usual(mailer, saying, said, interval, expires_in):
    """Nobody asks it without a pause, or sleeps for years."""
    saying(code="AB\x1b[2J-12", **said)
    prompt = mailer.connect(by=ADMIN)
    assert (prompt.interval, prompt.expires_in, prompt.code) == (interval, expires_in, "AB[2J-12")


@pytest.mark.parametrize(
    "said",
    [{"url": "javascript:alert(1)"}, {"url": "file:///etc/passwd"}, {"expires_in": "9"}, {"kept": "x"}],
)
def test_a_prompt_that_is_none_is_a_fault(mailer, saying, said):
    """A host sends the person's browser to the page: it has to be one."""
    saying(**said)
    with pytest.raises(Unavailable):
        mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert rows(mailer) == []


def test_a_domain_that_looks_like_ours_is_shown_as_it_is(mailer, provider):
    """A Cyrillic letter in it, say: both sides of the sentence would look alike (rule 39)."""
    likeness = "orders@\N{CYRILLIC SMALL LETTER A}cme.example"
    provider.people[likeness] = "9"
    answer = signed_in(mailer, provider, who=likeness)
    assert (answer.reason, answer.signed_in_as) == (RefusedReason.WRONG_ACCOUNT, "orders@xn--cme-5cd.example")


def test_guessing_at_states_leaves_nothing_behind(mailer, monkeypatch):
    """No row, no lock: a route that anybody can call fills no disk."""
    monkeypatch.setattr(mailer.vault.rows, "lock", None)
    for guess in ("a", "b"):
        answer = mailer.finish_connect({"state": guess, "code": "x"}, by=ADMIN)
        assert answer.reason is RefusedReason.EXPIRED


@pytest.mark.parametrize(
    "change",
    [
        "{url}&state=other",
        "{url}&code=other",
        "https://erp.acme.example/back",
        "{url}&x=" + "x" * 20_000,
        "{url}" + "".join(f"&n{number}=x" for number in range(60)),
        "http://[::1/back?state=x",
        "",
    ],
)
def test_a_malformed_redirect_is_none(mailer, provider, change):
    """Parameters that stand there twice, no state, more than any redirect is: nothing is used up."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    back = provider.page(prompt.url)
    assert mailer.finish_connect(change.replace("{url}", back), by=ADMIN).reason is RefusedReason.EXPIRED
    assert isinstance(mailer.finish_connect(back, by=ADMIN), Connection)


@pytest.mark.parametrize("value", [["a", "b"], None, b"a", 7])
def test_parameters_that_are_no_text_are_none(mailer, value):
    """As a framework gives them that keeps lists."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    given = {"state": prompt.state, "code": value}
    assert mailer.finish_connect(given, by=ADMIN).reason is RefusedReason.EXPIRED


def test_settings_that_were_changed_meanwhile(mailer, provider):
    """What was begun for one place is not kept for another."""
    prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
    company = mailer.directory.look_up(None)[0]
    changed = attrs.evolve(company, methods={"testmail": {"base": "https://elsewhere.example"}})
    mailer.directory.save(changed, version=company.version, by=ADMIN)
    with pytest.raises(SettingsError, match="was changed or removed"):
        mailer.finish_connect(provider.page(prompt.url), by=ADMIN)
    assert rows(mailer) == []
    assert "finish" not in provider.calls


def test_a_user_who_was_removed_meanwhile(mailer, provider):
    """Nothing is kept for nobody."""
    prompt = mailer.connect("otto", by=ADMIN, redirect_uri=OURS)
    mailer.directory.remove("otto", by=ADMIN)
    with pytest.raises(SettingsError, match="otto"):
        mailer.finish_connect(provider.page(prompt.url), by=ADMIN)
    assert rows(mailer) == []


def removed(mailer):
    mailer.remove_user("otto", by=ADMIN)


def renamed(mailer):
    mailer.rename_user("otto", "otto.lind", by=ADMIN)


def readdressed(mailer):
    _, otto = mailer.directory.look_up("otto")
    mailer.directory.save(attrs.evolve(otto, address=ANNA), version=otto.version, by=ADMIN)


@pytest.mark.parametrize("changing", [removed, renamed, readdressed])
def test_a_user_who_changes_while_the_provider_answers(mailer, provider, monkeypatch, changing):
    """Nothing is left under their name for whoever is called so next, and the grant is given back."""
    connector = mailer.plugins.connector("testmail")
    finish = type(connector).finish

    def slow(self, *given):
        answer = finish(self, *given)
        changing(mailer)
        return answer

    monkeypatch.setattr(type(connector), "finish", slow)
    with pytest.raises(SettingsError, match="was changed or removed"):
        signed_in(mailer, provider, "otto")
    assert (rows(mailer), provider.revoked) == ([], 1)


def test_a_refresh_under_way_ends_before_its_user_is_renamed(mailer, provider):
    """Else a refresh token that was used up would be moved, and the new one be lost."""
    signed_in(mailer, provider, "otto")
    name, vault = "company/user:otto/sign-in", mailer.vault
    renaming = threading.Thread(target=renamed, args=(mailer,))
    with vault.lock(name):
        renaming.start()
        row = vault.rows.load(name)
        bound, learned = row.readable["destination"], row.readable["connection"]
        vault.save(name, b"renewed", bound, connection=learned, version=row.version)
    renaming.join()
    assert vault.load("company/user:otto.lind/sign-in", bound).secret == b"renewed"
    assert vault.names() == ["company/user:otto.lind/sign-in"]


def test_another_account_than_the_one_that_was_meant(mailer, provider):
    """Both are named, its grant is given back, nothing is kept."""
    answer = signed_in(mailer, provider, who=ANNA)
    assert (answer.reason, answer.wanted, answer.signed_in_as) == (RefusedReason.WRONG_ACCOUNT, ORDERS, ANNA)
    assert ORDERS in answer.cure
    assert (provider.revoked, own(mailer)) == (1, None)


def test_another_account_that_is_connected_elsewhere_stays_so(mailer, provider):
    """Some providers end all that a person has granted with one grant of it: the company's mail would stop."""
    signed_in(mailer, provider)
    answer = signed_in(mailer, provider, "otto", who=ORDERS, by=AS_OTTO)
    assert answer.reason is RefusedReason.WRONG_ACCOUNT
    assert provider.revoked == 0
    assert own(mailer)["address"] == ORDERS


def test_the_same_address_may_be_written_otherwise(mailer, provider):
    """Letters' case is the provider's own matter."""
    provider.people["Orders@ACME.example"] = "1"
    assert isinstance(signed_in(mailer, provider, who="Orders@ACME.example"), Connection)


def test_another_person_with_the_same_address_needs_an_administrator(mailer, provider):
    """An address is given to a successor: the account is not (rule 37)."""
    signed_in(mailer, provider, "otto", by=AS_OTTO)
    provider.people[OTTO] = "4"
    answer = signed_in(mailer, provider, "otto", by=AS_OTTO)
    assert answer.reason is RefusedReason.OTHER_PERSON
    assert mailer.vault.connection("company/user:otto/sign-in")["subject"] == "3"
    assert signed_in(mailer, provider, "otto", by=ADMIN).subject == "4"


def test_a_box_that_was_not_ticked(mailer, provider):
    """What is missing is named, and what was connected before stays."""
    signed_in(mailer, provider, grant="send")
    provider.allows = [SEND]
    answer = signed_in(mailer, provider)
    assert (answer.reason, answer.missing) == (RefusedReason.SCOPE_MISSING, (LOOK,))
    assert own(mailer)["grant"] == "send"
    assert mailer.send(LETTER).message_id


def test_what_the_connector_refuses_is_told_with_whom_it_was_about(mailer, provider):
    """Cancelled, or an error of the provider's, in words that steer no terminal."""
    for error, reason in (("access_denied", RefusedReason.CANCELLED), ("\x1b[31mno", RefusedReason.FAILED)):
        prompt = mailer.connect(by=ADMIN, redirect_uri=OURS)
        answer = mailer.finish_connect({"state": prompt.state, "error": error}, by=ADMIN)
        assert (answer.reason, answer.wanted) == (reason, ORDERS)
        assert "\x1b" not in answer.detail
    assert rows(mailer) == []


@pytest.mark.parametrize("call", ["start", "finish"])
@pytest.mark.parametrize("error", [SendDeferred("Testmail is away."), failing()])
def test_a_provider_that_does_not_answer_or_knows_no_such_application(mailer, provider, call, error):
    """Is told as it is."""
    provider.says[call] = error
    with pytest.raises(type(error), match="Testmail"):
        signed_in(mailer, provider)
    assert own(mailer) is None


@pytest.mark.parametrize("call", ["start", "finish"])
def test_a_fault_of_the_connector_is_told_without_its_text(mailer, provider, call):
    """Which may hold a secret."""
    provider.says[call] = KeyError("canary")
    with pytest.raises(Unavailable, match="Testmail failed with KeyError") as caught:
        signed_in(mailer, provider)
    assert MARK not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_an_answer_that_is_none(mailer, provider, monkeypatch):
    """Of another type than the contract has."""
    monkeypatch.setattr(type(mailer.plugins.connector("testmail")), "finish", lambda *_: None)
    with pytest.raises(Unavailable, match="an answer of the type NoneType"):
        signed_in(mailer, provider)
    assert rows(mailer) == []


def test_without_a_vault_nothing_is_begun(provider):
    """And the cure is how to get one."""
    mailer = Mailer(
        office(provider).directory, plugins=known(provider), apps={"testmail": {"client_id": "x"}}
    )
    with pytest.raises(Unavailable, match="pip install pillarbox-vault"):
        mailer.connect(by=ADMIN, redirect_uri=OURS)
    assert provider.calls == []


def test_a_vault_without_a_key_begins_nothing(provider):
    """A person does not sign in for a secret that can't be kept."""
    vault = MemoryVault()

    def keyless(secret, associated):
        raise Unavailable("The vault has no key yet.", cure="Make one: pillarbox vault init")

    vault.sealer.seal = keyless
    with pytest.raises(Unavailable, match="pillarbox vault init"):
        office(provider, vault=vault).connect(by=ADMIN, redirect_uri=OURS)
    assert provider.calls == []


@pytest.mark.parametrize(
    ("app", "words"), [({}, "No registration with Testmail"), ({"client": "x"}, "did you mean client_id")]
)
def test_without_a_registration_nobody_can_connect(provider, app, words):
    """What is missing is said, with where it belongs."""
    with pytest.raises(SettingsError, match=words):
        office(provider, app=app).connect(by=ADMIN, redirect_uri=OURS)


def test_a_method_with_a_password_has_nothing_to_connect(provider):
    """And which has."""
    company = Company(address=ORDERS, method="plain")
    mailer = office(provider, companies=MemoryDirectory(company, plugins=known(provider)))
    with pytest.raises(SettingsError, match="nothing to connect"):
        mailer.connect(by=ADMIN, redirect_uri=OURS)


def test_an_account_without_an_address_can_not_be_told_from_others(provider):
    """So nobody is asked to sign in."""
    mailer = office(provider, companies=MemoryDirectory(Company(method="testmail"), plugins=known(provider)))
    with pytest.raises(SettingsError, match="has no address"):
        mailer.connect(by=ADMIN, redirect_uri=OURS)


def test_disconnecting_tells_the_provider_and_destroys_what_is_kept(mailer, provider):
    """The next mail waits for a person."""
    signed_in(mailer, provider)
    assert mailer.disconnect(by=ADMIN) is True
    assert (provider.revoked, rows(mailer)) == (1, [])
    with pytest.raises(SignInNeeded, match="never connected"):
        mailer.send(LETTER)
    assert mailer.disconnect(by=ADMIN) is None


@pytest.mark.parametrize("error", [SendDeferred("away"), KeyError("canary")])
def test_a_provider_that_can_not_be_told(mailer, provider, error):
    """What is kept is destroyed all the same, and the answer says so."""
    signed_in(mailer, provider)
    provider.says["revoke"] = error
    assert mailer.disconnect(by=ADMIN) is False
    assert rows(mailer) == []


def test_what_can_not_be_opened_any_more_is_destroyed(mailer, provider):
    """And what no registration is known for."""
    signed_in(mailer, provider)
    signed_in(mailer, provider, "otto")
    row = mailer.vault.rows.load(OWN)
    mailer.vault.rows.save(OWN, b"spoilt", row.readable, version=row.version)
    assert mailer.disconnect(by=ADMIN) is False
    mailer._apps.clear()
    assert mailer.disconnect("otto", by=ADMIN) is False
    assert (rows(mailer), provider.revoked) == ([], 0)


def test_one_person_who_is_signed_in_twice_is_not_cut_off(provider):
    """The provider hears of it when the last goes."""
    otto = User(id="otto", address=ORDERS, choice="personal", method="testmail")
    company = Company(address=ORDERS, method="testmail")
    mailer = office(provider, companies=MemoryDirectory(company, [otto], plugins=known(provider)))
    signed_in(mailer, provider)
    signed_in(mailer, provider, "otto", who=ORDERS)
    assert mailer.disconnect("otto", by=ADMIN) is False
    assert provider.revoked == 0
    assert mailer.disconnect(by=ADMIN) is True


def test_removing_a_user_revokes_their_sign_in(mailer, provider):
    """And destroys it (rule 7)."""
    signed_in(mailer, provider, "otto")
    mailer.remove_user("otto", by=ADMIN)
    assert (provider.revoked, rows(mailer)) == (1, [])


def test_a_removed_user_leaves_nothing_though_the_sign_in_is_busy(mailer, provider, monkeypatch):
    """What can't be revoked now is destroyed."""
    signed_in(mailer, provider, "otto")

    @contextlib.contextmanager
    def busy(name):
        raise TimeoutError
        yield

    monkeypatch.setattr(mailer.vault.rows, "lock", busy)
    with pytest.raises(SendDeferred, match="Another process"):
        mailer.remove_user("otto", by=ADMIN)
    assert rows(mailer) == []


def test_mail_asks_the_vault_for_its_own_sign_in_alone(mailer, provider, monkeypatch):
    """A company of ten thousand users is not listed for each mail."""
    signed_in(mailer, provider)
    monkeypatch.setattr(mailer.vault.rows, "names", None)
    assert mailer.send(LETTER).message_id


def test_whoever_may_not_remove_a_user_ends_no_sign_in_of_theirs(mailer, provider):
    """It is refused before anything is done."""
    signed_in(mailer, provider, "otto")
    with pytest.raises(InvalidSettings):
        mailer.remove_user("otto", by=Actor("anna", Role.OWNER))
    assert provider.revoked == 0
    assert len(rows(mailer)) == 1


def test_a_renamed_user_stays_signed_in(mailer, provider):
    """Their mail goes on without a word to the provider."""
    signed_in(mailer, provider, "otto")
    mailer.rename_user("otto", "otto.lind", by=ADMIN)
    assert mailer.send(LETTER, user="otto.lind").message_id
    assert "refresh" not in provider.calls


def test_several_companies_have_sign_ins_of_their_own(provider):
    """What one of them began is finished for that one."""
    directories = {
        name: MemoryDirectory(Company(id=name, address=f"orders@{name}.example", method="testmail"))
        for name in ("acme", "beta")
    }

    class Both(MemoryDirectory):
        def look_up(self, user=None, company=None):
            return directories[company].look_up(user)

    mailer = office(provider, companies=Both(Company(id="both")))
    provider.people |= {"orders@acme.example": "1", "orders@beta.example": "2"}
    provider.here = "orders@beta.example"
    prompt = mailer.connect(company="beta", by=ADMIN, redirect_uri=OURS)
    assert mailer.finish_connect(provider.page(prompt.url), by=ADMIN).address == "orders@beta.example"
    assert mailer.vault.names() == ["beta/company/sign-in"]
    assert mailer.disconnect(company="acme", by=ADMIN) is None
    assert mailer.send(LETTER, company="beta").message_id


def test_a_sign_in_goes_on_with_what_waited_for_it(provider):
    """Forty mails, one person, no other command."""
    mailer = office(provider, outbox=KeptOutbox())
    mailer.enqueue(LETTER, user="otto")
    mailer.worker().run(drain=True)
    assert [pause.kind for pause in mailer.queue.pauses()] == ["sign-in"]
    signed_in(mailer, provider, "otto", by=AS_OTTO)
    assert mailer.queue.pauses() == []
    mailer.worker().run(drain=True)
    assert [state.value for state in mailer.queue.states()] == ["accepted"]


def test_a_sign_in_of_a_method_that_was_given_up_stands_in_nobodys_way(mailer, provider):
    """The company sends by another method and from another address; what is left of the first is not looked at."""
    signed_in(mailer, provider)
    company = mailer.directory.look_up(None)[0]
    changed = attrs.evolve(company, method="plain", address="office@acme.example")
    mailer.directory.save(changed, version=company.version, by=ADMIN)
    assert mailer.explain().account.method == "plain"


def test_a_changed_address_waits_for_a_new_sign_in(mailer, provider):
    """As whom it was connected is said (rule 11)."""
    signed_in(mailer, provider)
    company = mailer.directory.look_up(None)[0]
    changed = attrs.evolve(company, address="office@acme.example")
    mailer.directory.save(changed, version=company.version, by=ADMIN)
    with pytest.raises(SettingsError, match=f"was connected as {ORDERS}"):
        mailer.explain()


def test_an_administrators_consent_has_a_page_of_its_own(mailer):
    """Made by the connector, of the registration."""
    assert mailer.consent_url(OURS, state="s") == "https://testmail.example/common/consent?state=s"


def test_a_sign_in_that_can_not_be_read_is_replaced(mailer, provider):
    """Its cure is to connect again, so that works."""
    signed_in(mailer, provider)
    row = mailer.vault.rows.load(OWN)
    mailer.vault.rows.save(OWN, row.sealed, {"connection": {"nonsense": 1}}, version=row.version)
    assert isinstance(signed_in(mailer, provider), Connection)
    assert mailer.send(LETTER).message_id


def test_a_vault_whose_keys_are_changed_meanwhile(mailer, provider, monkeypatch):
    """It is kept over what the rotation sealed again."""
    signed_in(mailer, provider)
    save, rotated = mailer.vault.save, []

    def saving(name, *given, **more):
        if name == OWN and not rotated:
            row = mailer.vault.rows.load(name)
            rotated.append(mailer.vault.rows.save(name, row.sealed, row.readable, version=row.version))
        return save(name, *given, **more)

    monkeypatch.setattr(mailer.vault, "save", saving)
    assert isinstance(signed_in(mailer, provider), Connection)
    assert rotated
    assert isinstance(mailer.finish_connect({"state": "x"}, by=ADMIN), Refused)
