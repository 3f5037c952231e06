"""Fixtures for hosts, found by pytest through the entry point `pytest11`; nothing is imported until one is used."""

from __future__ import annotations

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
