"""The way by which the real services are asked, taken with a sign-in at the provider here and a fake behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live import gmail, m365
from tests.live.accounts import CONFIG, TO, real
from tests.live.asking import FAILURES
from tests.live.questions import asked

if TYPE_CHECKING:
    from tests.oauth.browser import Browser
    from tests.oauth.postboxes import Postbox

pytestmark = pytest.mark.services


def test_a_connected_account_is_asked(
    postbox: Postbox, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings file and its vault are all that it takes; what the grant allows is answered."""
    postbox.office.by_redirect(browser)
    monkeypatch.setenv(CONFIG, str(postbox.office.file))
    monkeypatch.setenv(TO, "customer@customer.example")
    study = {"m365": m365, "gmail": gmail}[postbox.office.method]
    with real(postbox.office.method) as one:
        found = list(asked(study.QUESTIONS, study.Study(one), FAILURES))
    left = [answer for answer in found if not answer.is_told]
    assert [one for one in left if "was not granted" not in one.answer] == []
    assert (len(found) - len(left), len(left)) == {"m365": (16, 0), "gmail": (6, 8)}[postbox.office.method]
