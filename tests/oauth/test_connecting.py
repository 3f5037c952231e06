"""A sign-in by redirect, with each provider: who may finish it, how often, how long, and what comes of what people say."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pillarbox import Actor, Connection, Grant, Refused, RefusedReason, Role
from tests.oauth.browser import ALICE
from tests.oauth.offices import ADMIN, AS_BOB, BOB, CONFIRM, SEND, parameters

if TYPE_CHECKING:
    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office

pytestmark = pytest.mark.services


def refused(answer: object) -> Refused:
    assert isinstance(answer, Refused)
    return answer


@pytest.mark.parametrize("grant", Grant)
def test_somebody_connects(office: Office, browser: Browser, grant: Grant) -> None:
    """What was learned is theirs, what is stored gets tokens, and these may do what was asked for."""
    answer = office.by_redirect(browser, grant=grant)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.issuer, answer.grant) == (ALICE, office.mount.issuer, grant.value)
    wanted = {Grant.SEND: SEND, Grant.CONFIRM: CONFIRM}[grant][office.method]
    assert wanted in answer.scopes
    token = office.mount.introspect(office.token())
    assert token is not None
    assert token.address == ALICE
    assert wanted in token.scopes
    assert office.mailer.status()  # what is stored can be read


def test_a_user_connects_their_own(office: Office, browser: Browser) -> None:
    """And the company's account stays unconnected."""
    assert isinstance(office.by_redirect(browser, "bob", by=AS_BOB), Connection)
    token = office.mount.introspect(office.token("bob"))
    assert token is not None
    assert token.address == BOB
    assert [one.account for one in office.mount.requests()] == [BOB]


def test_somebody_cancels(office: Office, browser: Browser) -> None:
    """It is told as that; nothing is stored, and no token was asked for."""
    answer = refused(office.by_redirect(browser, cancel=True))
    assert answer.reason is RefusedReason.CANCELLED
    assert office.connected == []
    assert office.mount.requests() == []


def test_somebody_else_signs_in(office: Office, browser: Browser) -> None:
    """Both addresses are named, and nothing is stored."""
    answer = refused(office.by_redirect(browser, account=BOB))
    assert (answer.reason, answer.wanted, answer.signed_in_as) == (RefusedReason.WRONG_ACCOUNT, ALICE, BOB)
    assert office.connected == []


def test_the_case_of_an_address_is_not_the_person(office: Office, browser: Browser) -> None:
    """A provider may write an address as it likes."""
    claim = {"m365": "preferred_username", "gmail": "email"}[office.method]
    office.mount.describe(ALICE, **{claim: "Alice@Contoso.test"})
    assert isinstance(office.by_redirect(browser), Connection)


def test_a_scope_is_unticked(office: Office, browser: Browser) -> None:
    """It is named, with the cure, and nothing is stored."""
    scope = CONFIRM[office.method]
    answer = refused(office.by_redirect(browser, untick=[scope]))
    assert (answer.reason, answer.missing) == (RefusedReason.SCOPE_MISSING, (scope,))
    assert "leave every box ticked" in answer.cure
    assert office.connected == []


def test_an_address_was_given_to_somebody_else(office: Office, browser: Browser) -> None:
    """Its new owner can't go on with the old one's connection; an administrator can."""
    office.by_redirect(browser, "bob", by=AS_BOB)
    office.mount.replace(BOB)
    assert refused(office.by_redirect(browser, "bob", by=AS_BOB)).reason is RefusedReason.OTHER_PERSON
    assert isinstance(office.by_redirect(browser, "bob", by=ADMIN), Connection)


def test_the_same_person_connects_again(office: Office, browser: Browser) -> None:
    """What is stored is replaced."""
    office.by_redirect(browser)
    before = office.kept()
    assert isinstance(office.by_redirect(browser), Connection)
    assert office.kept() != before


def test_a_redirect_is_good_once(office: Office, browser: Browser) -> None:
    """A second time it is refused, and the provider is not asked again; the connection lives."""
    _, page = office.redirected(browser)
    first = office.mailer.finish_connect(parameters(page), by=ADMIN)
    again = refused(office.mailer.finish_connect(parameters(page), by=ADMIN))
    assert isinstance(first, Connection)
    assert again.reason is RefusedReason.EXPIRED
    assert len(office.mount.requests()) == 1
    assert office.mount.introspect(office.token()) is not None


def test_a_redirect_is_its_beginners(office: Office, browser: Browser) -> None:
    """Nobody else can finish it, and it stays for who began it."""
    _, page = office.redirected(browser)
    for stranger in (AS_BOB, Actor("root", Role.OWNER), Actor("toor", Role.ADMINISTRATOR)):
        answer = refused(office.mailer.finish_connect(parameters(page), by=stranger))
        assert answer.reason is RefusedReason.EXPIRED
    assert office.mount.requests() == []
    assert isinstance(office.mailer.finish_connect(parameters(page), by=ADMIN), Connection)


def test_a_redirect_that_comes_too_late(
    office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes are enough; after that the provider is not even asked."""
    prompt, page = office.redirected(browser)
    then = time.time() + prompt.expires_in + 1
    monkeypatch.setattr(office.mailer, "_clock", lambda: then)
    assert refused(office.mailer.finish_connect(parameters(page), by=ADMIN)).reason is RefusedReason.EXPIRED
    assert office.mount.requests() == []


@pytest.mark.parametrize("state", ["", "another"])
def test_a_redirect_with_another_state(office: Office, browser: Browser, state: str) -> None:
    """It is none."""
    _, page = office.redirected(browser)
    given = {**parameters(page), "state": state}
    assert refused(office.mailer.finish_connect(given, by=ADMIN)).reason is RefusedReason.EXPIRED
    assert office.mount.requests() == []


def test_a_code_of_another_sign_in(office: Office, browser: Browser) -> None:
    """Somebody's own code does not fit the state of another's sign-in: each has its verifier (RFC 7636)."""
    _, theirs = office.redirected(browser, account=BOB)
    _, ours = office.redirected(browser)
    mixed = {**parameters(ours), "code": parameters(theirs)["code"]}
    assert refused(office.mailer.finish_connect(mixed, by=ADMIN)).reason is RefusedReason.FAILED
    assert office.connected == []


def test_a_redirect_of_another_provider(office: Office, browser: Browser) -> None:
    """Who says that somebody else answered is not believed, and gets no code to see (RFC 9207)."""
    _, page = office.redirected(browser)
    given = {**parameters(page), "iss": "https://evil.example"}
    assert refused(office.mailer.finish_connect(given, by=ADMIN)).reason is RefusedReason.FAILED
    assert office.mount.requests() == []


def test_the_url_that_a_person_copied(office: Office, browser: Browser) -> None:
    """The whole of it does as well as its parameters."""
    _, page = office.redirected(browser)
    assert isinstance(office.mailer.finish_connect(f" {page.url}\n", by=ADMIN), Connection)


def test_two_sign_ins_at_once(office: Office, browser: Browser) -> None:
    """Each is finished by its own redirect, in any order."""
    _, first = office.redirected(browser)
    _, second = office.redirected(browser, "bob", by=AS_BOB)
    assert isinstance(office.mailer.finish_connect(parameters(second), by=AS_BOB), Connection)
    assert isinstance(office.mailer.finish_connect(parameters(first), by=ADMIN), Connection)
    addresses = [
        one and one.address for one in map(office.mount.introspect, (office.token(), office.token("bob")))
    ]
    assert addresses == [ALICE, BOB]
