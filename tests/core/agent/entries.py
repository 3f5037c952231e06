"""An entry of a desk's."""

from __future__ import annotations

from pillarbox.outbox import Entry
from tests.core.doubles import LETTER
from tests.core.test_desks import office


def entry() -> Entry:
    """A mail of Anna's that waits."""
    kept: Entry = office().enqueue(LETTER, user="anna")
    return kept
