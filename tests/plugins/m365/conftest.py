"""A fake Graph with two mailboxes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox.testing.graph import FakeGraph
from tests.plugins.m365.givens import ANNA, ORDERS


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    """A fake Graph; Anna may open the mailbox for orders, and show its address."""
    with FakeGraph() as running:
        running.add_mailbox(ORDERS, "Acme Orders", full_access=ANNA, send_as=ANNA)
        running.add_mailbox(ANNA, "Anna Berg")
        yield running
