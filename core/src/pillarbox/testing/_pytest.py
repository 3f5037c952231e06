"""Fixtures for hosts, found by pytest through the entry point `pytest11`; nothing is imported until one is used."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """What would have left, with the account and the address that the rules chose; see `pillarbox.testing.Mailbox`."""
    from ._mailbox import Mailbox

    made = Mailbox()
    yield made
    made.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Show a case that could not be staged as skipped, with its reason; some versions of pytest call it failed."""
    if call.excinfo is not None and isinstance(call.excinfo.value, unittest.SkipTest):
        reason = str(call.excinfo.value)
        call.excinfo = pytest.CallInfo.from_call(lambda: pytest.skip(reason), "call").excinfo
