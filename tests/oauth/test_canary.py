"""No token, code, secret or assertion is to be seen anywhere, whatever goes wrong, even where the provider repeats them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import Grant, PillarboxError
from pillarbox.outbox import State
from tests.oauth.browser import ALICE
from tests.oauth.leaks import files, leaks, listening, told
from tests.oauth.offices import ADMIN, DEPLOYER, credentials, opened, parameters
from tests.oauth.postboxes import LETTER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office
    from tests.oauth.postboxes import Postbox
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
OURS = ("selenium", "urllib3.connectionpool", "pillarbox.testing")
"""What speaks for the test itself: the browser's driver and the fakes."""
FAULTS = (
    "",
    "invalid_grant",
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "interaction_required",
    "temporarily_unavailable",
    "something_new",
    "unavailable",
    "garbage",
    "cut",
    "cut-after",
)
"""What the token endpoint answers, each with an echo of all that it was sent; "" is the token."""
SIGN_IN = "company/company/sign-in"


class Witness:
    """Takes down what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def asks(self, question: Callable[[], Any]) -> Any:
        """Return the answer; an error is taken down with all that hangs on it."""
        try:
            answer = question()
        except PillarboxError as error:
            self.said += told(error)
            return None
        self.said += [repr(answer), str(answer)]
        return answer


def everything(office: Office, witness: Witness) -> list[str]:
    """Return what an office lets be seen: what it says of itself, and its files but for the deployer's own."""
    mailer, folder = office.mailer, office.file.parent
    assert mailer.vault is not None
    rows = [mailer.vault.rows.load(name) for name in mailer.vault.names()]
    readable = [row.readable for row in rows if row is not None]
    objects = [mailer, mailer.vault, credentials(mailer), *rows, *readable]
    registered = [mailer._registered(office.method), mailer.status(), mailer.health()]
    deployers = [
        file.name for file in folder.iterdir() if file.suffix in {".secret", ".pem", ".json", ".key"}
    ]
    return [*witness.said, *map(repr, objects), *map(repr, registered), *files(folder, deployers)]


def fails(office: Office, fault: str, endpoint: str = "token") -> None:
    """Let the next request fail, with an echo."""
    office.mount.heal()
    if fault:
        office.mount.fail(fault, endpoint=endpoint, description="It says:", echo=True)


@pytest.mark.parametrize(
    "fault", ["", "invalid_grant", "invalid_client", "something_new", "garbage", "cut-after"]
)
def test_while_somebody_connects(office: Office, browser: Browser, fault: str) -> None:
    """The code is exchanged, or is not."""
    witness = Witness()
    with listening(*OURS) as heard:
        prompt, page = office.redirected(browser)
        fails(office, fault)
        answer = witness.asks(lambda: office.mailer.finish_connect(parameters(page), by=ADMIN))
        seen = [*everything(office, witness), *heard.lines, repr(prompt), repr(answer)]
    assert len(office.mount.secrets()) >= 3  # the code, its verifier, the app's secret
    assert leaks([*office.mount.secrets(), prompt.state], seen) == []


def test_while_a_letter_needs_another_token(postbox: Postbox, browser: Browser) -> None:
    """The interface refuses the token, and it is refreshed, or is not; with each fault from the same beginning."""
    office, witness = postbox.office, Witness()
    office.mount.rotate(False)
    office.by_redirect(browser)
    assert office.mailer.vault is not None
    rows = office.mailer.vault.rows
    begun = rows.load(SIGN_IN)
    assert begun is not None
    with listening(*OURS) as heard:
        for fault in FAULTS:
            rows.delete(SIGN_IN)
            rows.save(SIGN_IN, begun.sealed, begun.readable, version=0)
            office.mount.expire(ALICE)
            fails(office, fault)
            witness.asks(lambda: office.mailer.send(LETTER))
            witness.asks(lambda: list(office.mailer.check()))
            seen = [*everything(office, witness), *heard.lines]
            assert leaks(office.mount.secrets(), seen) == []
    asked = [one.error or one.kind for one in office.mount.requests()]
    assert {*FAULTS[1:], "granted"} <= set(asked)


@pytest.mark.parametrize("fault", ["", "something_new"])
def test_while_a_queue_needs_another_token(postbox: Postbox, browser: Browser, fault: str) -> None:
    """The same from the queue, whose file keeps what became of each letter."""
    office, witness = postbox.office, Witness()
    office.by_redirect(browser)
    office.mount.expire(ALICE)
    with listening(*OURS) as heard:
        fails(office, fault)
        key = office.mailer.enqueue(LETTER).submission.key
        office.mailer.worker().run(drain=True)
        witness.asks(office.mailer.queue.list)
        seen = [*everything(office, witness), *heard.lines]
    assert (office.mailer.queue.known(key).state is State.ACCEPTED) == (not fault)
    assert leaks(office.mount.secrets(), seen) == []


@pytest.mark.parametrize("fault", ["", "unavailable", "invalid_request"])
def test_while_a_connection_ends(office: Office, browser: Browser, fault: str) -> None:
    """It is revoked, or is not."""
    witness = Witness()
    office.by_redirect(browser)
    with listening(*OURS) as heard:
        fails(office, fault, "revoke")
        witness.asks(lambda: office.mailer.disconnect(by=ADMIN))
        seen = [*everything(office, witness), *heard.lines]
    assert leaks(office.mount.secrets(), seen) == []


@pytest.mark.parametrize(
    ("method", "client", "settings"),
    [
        ("m365", "daemon", {"mode": "app"}),
        ("m365", "certified", {"mode": "app"}),
        ("gmail", "service", {"mode": "service"}),
    ],
)
def test_while_nobody_signs_in(
    provider: Provider, tmp_path: Path, method: str, client: str, settings: dict[str, Any]
) -> None:
    """What the app itself, or a service account, proves itself with."""
    witness, office = Witness(), opened(provider, method, tmp_path, client, settings=settings)
    key = [line for line in provider.clients[client].key.splitlines() if len(line) > 40]
    with listening(*OURS) as heard, office.mailer:
        for fault in FAULTS:
            fails(office, fault)
            witness.asks(lambda: office.mailer.connect_here(by=DEPLOYER))
            office.mailer.connect_here(by=DEPLOYER)
            found = office.credentials()
            found.refuse(found.token())
            fails(office, fault)
            witness.asks(lambda found=found: len(found.token()))
            seen = [*everything(office, witness), *heard.lines]
            assert leaks([*office.mount.secrets(), *key], seen) == []
    assert {*FAULTS[1:], "granted"} <= {one.error or one.kind for one in office.mount.requests()}


def test_while_a_code_is_entered(provider: Provider, browser: Browser, tmp_path: Path) -> None:
    """The device's own code, which nobody enters, is as good as a token."""
    witness, office = Witness(), opened(provider, "m365", tmp_path, "desktop")
    with listening(*OURS) as heard, office.mailer:
        prompt = office.mailer.connect(by=ADMIN, grant=Grant.SEND)
        witness.asks(lambda: office.mailer.finish_connect({"state": prompt.state}, by=ADMIN))
        browser.sign_in(str(prompt.url), code=str(prompt.code))
        witness.asks(lambda: office.mailer.finish_connect({"state": prompt.state}, by=ADMIN))
        seen = [*everything(office, witness), *heard.lines, repr(prompt)]
    assert leaks([*office.mount.secrets(), prompt.state], seen) == []


def test_the_test_itself(tmp_path: Path) -> None:
    """It finds what is there: in a log, behind an error, and in a file."""
    secret = "canary-of-some-length-0123456789"
    try:
        try:
            raise ValueError(secret)
        except ValueError:
            raise KeyError("other")  # noqa: B904
    except KeyError as error:
        said = told(error)
    (tmp_path / "file").write_text(secret[:20])
    with listening() as heard:
        logging.getLogger("somebody").debug("%s", secret)
    for texts in (said, heard.lines, files(tmp_path, [])):
        assert leaks([secret], texts)
