"""The provider and the browser as fixtures: started once a session, and every test meets them as new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oauth import browser as browsers
from tests.oauth import provider as providers
from tests.oauth.browser import ALICE
from tests.oauth.offices import BOB, METHODS, opened
from tests.oauth.postboxes import FAKES, Postbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.offices import Office
    from tests.oauth.provider import Provider


@pytest.fixture(scope="session")
def started_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider's program."""
    with providers.running(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="session")
def started_browser() -> Iterator[Browser]:
    """The browser's program."""
    with browsers.running() as browser:
        yield browser


@pytest.fixture
def provider(started_provider: Provider) -> Provider:
    """The provider, where nothing has happened yet."""
    started_provider.reset()
    return started_provider


@pytest.fixture
def browser(started_browser: Browser) -> Browser:
    """Somebody before a browser: `browser.sign_in(url, account=...)`."""
    return started_browser


@pytest.fixture(params=METHODS)
def office(request: pytest.FixtureRequest, provider: Provider, tmp_path: Path) -> Iterator[Office]:
    """An office with each method, whose app has a secret and pages on the web."""
    office = opened(provider, request.param, tmp_path)
    with office.mailer:
        yield office


@pytest.fixture(params=METHODS)
def postbox(request: pytest.FixtureRequest, provider: Provider, tmp_path: Path) -> Iterator[Postbox]:
    """An office with each method, and the interface that takes its mail and asks the provider about each token."""
    with FAKES[request.param]() as api:
        office = opened(provider, request.param, tmp_path, api=api.url)
        api.accepts(office.mount.introspect)
        for address in (ALICE, BOB):
            api.add_mailbox(address)
        with office.mailer:
            yield Postbox(office, api)
