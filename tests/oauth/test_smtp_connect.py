"""An SMTP account that signs in with the provider's token: what it is allowed, and which servers it may be shown to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pillarbox import Connection, Grant, SettingsError
from tests.oauth.offices import METHODS, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oauth.browser import Browser
    from tests.oauth.provider import Provider

pytestmark = pytest.mark.services
SERVER = {"m365": "smtp.office365.com", "gmail": "smtp.gmail.com"}
SCOPE = {"m365": "https://outlook.office.com/SMTP.Send", "gmail": "https://mail.google.com/"}


@pytest.mark.parametrize("method", METHODS)
def test_an_smtp_account(provider: Provider, tmp_path: Path, browser: Browser, method: str) -> None:
    """Its token is for SMTP, and for the provider's own servers alone; refreshed, it is still that."""
    office = opened(provider, method, tmp_path, smtp={"server": SERVER[method]})
    with office.mailer:
        answer = office.by_redirect(browser, grant=Grant.SEND)
        found = office.credentials()
        token = found.token("smtp", host=SERVER[method])
        found.refuse(token)
        again = found.token("smtp", host=SERVER[method])
        with pytest.raises(SettingsError, match="is shown to"):
            found.token("smtp", host="smtp.evil.example")
    assert isinstance(answer, Connection)
    assert answer.purpose == "smtp"
    assert token != again
    for one in map(office.mount.introspect, (token, again)):
        assert one is not None
        assert SCOPE[method] in one.scopes
