"""For outboxes of one's own: states, transitions, entries, and what an outcome leads to. A public door."""

from __future__ import annotations

from ._batch import deliver_many
from ._delivery import Outcome, deliver, settled
from ._mail import TRANSITIONS, State
from ._outbox import Entry, Outbox

__all__ = ["TRANSITIONS", "Entry", "Outbox", "Outcome", "State", "deliver", "deliver_many", "settled"]
