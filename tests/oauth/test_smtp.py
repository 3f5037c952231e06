"""SMTP with a sign-in at the provider: the token goes to a real server, which asks the provider about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from pillarbox import (
    Connection,
    CopyState,
    Grant,
    Journal,
    Message,
    PillarboxError,
    Receipt,
    Refused,
    SettingsError,
    Sighting,
    SightingState,
    SignInNeeded,
    compose,
)
from tests.oauth.browser import ALICE
from tests.oauth.offices import BOB, METHODS
from tests.oauth.submission import IMAP_SCOPE, SMTP_SCOPE, AskingDovecot, opened
from tests.services.servers import Authority, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
CUSTOMER = "ap@customer.example"
LETTER = Message(to=CUSTOMER, subject="Invoice 1001", text="Good morning.")
Open = "Callable[..., Office]"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signed the server's certificate."""
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=METHODS)
def connector(request: pytest.FixtureRequest) -> str:
    """By which of the providers the account signs in."""
    found: str = request.param
    return found


@pytest.fixture
def server(authority: Authority, provider: Provider, connector: str) -> Iterator[AskingDovecot]:
    """A server that takes the provider's tokens."""
    with running(lambda: AskingDovecot(authority, provider, connector)) as server:
        yield server


@pytest.fixture
def office(
    provider: Provider, connector: str, server: AskingDovecot, authority: Authority, tmp_path: Path
) -> Iterator[Callable[..., Office]]:
    """Opens an office that sends through the server."""
    made: list[Office] = []

    def open_(**given: Any) -> Office:
        made.append(opened(provider, connector, server, authority.ca_file, tmp_path, **given))
        return made[-1]

    yield open_
    for one in made:
        one.mailer.close()


def copied(server: AskingDovecot, authority: Authority) -> dict[str, Any]:
    """Return what an account says whose copies go to the server by IMAP, with the same sign-in."""
    return {"server": "localhost", "port": server.imaps_port, "ca_file": str(authority.ca_file)}


def outcome(office: Office) -> Receipt | PillarboxError:
    """Return what came of one letter."""
    try:
        return office.mailer.send(LETTER)
    except PillarboxError as error:
        return error


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_letter(office: Open, server: AskingDovecot, browser: Browser, mechanism: str) -> None:
    """It goes by the mechanism that is set, as who signed in with a browser."""
    one = office(sasl=[mechanism])
    answer = one.by_redirect(browser, grant=Grant.SEND)
    assert isinstance(answer, Connection)
    assert (answer.address, answer.purpose, answer.grant) == (ALICE, "smtp", "send")
    assert isinstance(outcome(one), Receipt)
    assert [mail.envelope_sender for mail in server.inbox(CUSTOMER)] == [ALICE]
    found = {finding.stage: finding for finding in one.mailer.check()}
    assert found["sign-in"].seen == f"{mechanism} as {ALICE}"
    assert f"method={mechanism}" in server.log()


@pytest.mark.parametrize("grant", Grant)
def test_what_is_asked_for(
    office: Open, connector: str, server: AskingDovecot, browser: Browser, grant: Grant
) -> None:
    """To submit, and to reach the mailbox by IMAP only for who wants it confirmed; Google has one scope for both."""
    answer = office().by_redirect(browser, grant=grant)
    assert isinstance(answer, Connection)
    assert SMTP_SCOPE[connector] in answer.scopes
    expected = grant is Grant.CONFIRM or connector == "gmail"
    assert (IMAP_SCOPE[connector] in answer.scopes) is expected


def test_a_token_that_ended_before_its_time(office: Open, server: AskingDovecot, browser: Browser) -> None:
    """The server refuses it; another is got once, and the letter goes once."""
    one = office()
    one.by_redirect(browser)
    assert one.mount.expire(ALICE) >= 1
    assert isinstance(outcome(one), Receipt)
    assert one.mount.refreshes() == 1
    assert len(server.inbox(CUSTOMER)) == 1


def test_a_grant_that_is_over(office: Open, server: AskingDovecot, browser: Browser) -> None:
    """A person is needed: the account is marked, the next letter asks nobody, and connecting again mends it."""
    one = office()
    one.by_redirect(browser)
    one.mount.revoke(ALICE)
    answers = [outcome(one), outcome(one)]
    assert [type(answer) for answer in answers] == [SignInNeeded, SignInNeeded]
    assert len(one.mount.requests()) == 2
    known = one.mailer.connection()
    assert known is not None
    assert known.refused
    assert server.mails() == []
    one.by_redirect(browser)
    assert isinstance(outcome(one), Receipt)


def test_somebody_else_signs_in(office: Open, server: AskingDovecot, browser: Browser) -> None:
    """Nothing is kept, and nothing is sent."""
    one = office()
    assert isinstance(one.by_redirect(browser, account=BOB), Refused)
    assert isinstance(outcome(one), PillarboxError)
    assert server.mails() == []


def test_another_server(office: Open, connector: str, server: AskingDovecot, browser: Browser) -> None:
    """It sees no token: the registration says which servers may, and a person's settings do not."""
    one = office(hosts=["smtp.contoso.test"])
    one.by_redirect(browser)
    error = outcome(one)
    assert isinstance(error, SettingsError)
    assert "not to localhost" in error.detail
    assert f"hosts in [apps.{connector}]" in error.cure
    assert "method=" not in server.log()
    assert server.mails() == []


def test_a_copy_by_imap(office: Open, server: AskingDovecot, browser: Browser, authority: Authority) -> None:
    """It is filed with the same sign-in, once, and the provider is asked for no further token."""
    one = office(saved_copy=copied(server, authority))
    one.by_redirect(browser)
    receipt = outcome(one)
    assert isinstance(receipt, Receipt)
    assert receipt.copy is not None
    assert receipt.copy.state is CopyState.FILED
    [copy] = server.copies(ALICE)
    assert receipt.message_id.encode() in copy
    assert len(one.mount.requests()) == 1


@pytest.mark.parametrize("connector", ["m365"], indirect=True)
def test_a_copy_that_the_grant_does_not_allow(
    office: Open, server: AskingDovecot, browser: Browser, authority: Authority
) -> None:
    """Send only has no right to IMAP at Microsoft: the letter is sent, and who wants a copy is told what to ask for."""
    one = office(saved_copy=copied(server, authority))
    one.by_redirect(browser, grant=Grant.SEND)
    receipts = [outcome(one), outcome(one)]
    assert [type(receipt) for receipt in receipts] == [Receipt, Receipt]
    assert {receipt.copy.state for receipt in receipts} == {CopyState.FAILED}
    assert "connect the account again, with send and confirm" in receipts[0].copy.cure
    assert one.mount.refreshes() == 1
    assert len(server.inbox(CUSTOMER)) == 2


def test_a_copy_whose_token_ended(
    office: Open, server: AskingDovecot, browser: Browser, authority: Authority
) -> None:
    """What was got in its place for the sending files the copy as well."""
    one = office(saved_copy=copied(server, authority))
    one.by_redirect(browser)
    one.mount.expire(ALICE)
    receipt = outcome(one)
    assert isinstance(receipt, Receipt)
    assert receipt.copy is not None
    assert receipt.copy.state is CopyState.FILED
    assert one.mount.refreshes() == 1


def looked_for(one: Office, receipt: Receipt) -> Sighting:
    """Return what a look of another process finds, which signs in by IMAP alone."""
    account = one.mailer._to_connect(None, None)[1]
    submission = attrs.evolve(compose(LETTER, one.mailer.explain()), message_id=receipt.message_id)
    with one.mailer._make(account, None) as transport:
        return transport.find(submission, Journal())


def test_a_look_whose_token_ended(
    office: Open, server: AskingDovecot, browser: Browser, authority: Authority
) -> None:
    """IMAP refuses it as well; another is got once, and the copy is found."""
    one = office(saved_copy=copied(server, authority))
    one.by_redirect(browser)
    receipt = outcome(one)
    assert isinstance(receipt, Receipt)
    one.mount.expire(ALICE)
    assert looked_for(one, receipt).state is SightingState.SENT
    assert one.mount.refreshes() == 1


def test_a_look_whose_grant_is_over(
    office: Open, server: AskingDovecot, browser: Browser, authority: Authority
) -> None:
    """It finds nothing out, which is no evidence; the provider is asked once."""
    one = office(saved_copy=copied(server, authority))
    one.by_redirect(browser)
    receipt = outcome(one)
    assert isinstance(receipt, Receipt)
    one.mount.revoke(ALICE)
    assert [looked_for(one, receipt).state for _ in range(2)] == [SightingState.UNCLEAR] * 2
    assert len(one.mount.requests()) == 2
