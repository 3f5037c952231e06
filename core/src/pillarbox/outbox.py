"""For outboxes of one's own: states, steps, entries, the worker, and what an outcome leads to. A public door."""

from __future__ import annotations

from ._batch import deliver_many
from ._delivery import Outcome, deliver, settled
from ._mail import TRANSITIONS, State
from ._outbox import (
    Enclosure,
    Entry,
    Event,
    KeptJournal,
    LaneCount,
    Only,
    OnUnknown,
    Outbox,
    OutboxSettings,
    Pause,
    Post,
    Search,
    Step,
    Wanted,
    Worker,
    scopes_of,
)
from ._outbox.bursts import exceeded as burst_pause
from ._outbox.bursts import scopes as burst_scopes
from ._outbox.contract import same
from ._outbox.entry import AT_ONCE, ENDED
from ._outbox.reporting import MOST_EACH as MOST_REPORTS
from ._outbox.reporting import kept_report, placed
from ._outbox.reporting import values_of as report_row
from ._outbox.rows import COLUMNS, entry_of, micros, moment, receipt_text, row_of
from ._outbox.sqlite import SqliteOutbox
from ._settings import desk_of
from ._slip import Slip, slip, slip_html

__all__ = [
    "AT_ONCE",
    "COLUMNS",
    "ENDED",
    "MOST_REPORTS",
    "TRANSITIONS",
    "Enclosure",
    "Entry",
    "Event",
    "KeptJournal",
    "LaneCount",
    "OnUnknown",
    "Only",
    "Outbox",
    "OutboxSettings",
    "Outcome",
    "Pause",
    "Post",
    "Search",
    "Slip",
    "SqliteOutbox",
    "State",
    "Step",
    "Wanted",
    "Worker",
    "burst_pause",
    "burst_scopes",
    "deliver",
    "deliver_many",
    "desk_of",
    "entry_of",
    "kept_report",
    "micros",
    "moment",
    "placed",
    "receipt_text",
    "report_row",
    "row_of",
    "same",
    "scopes_of",
    "settled",
    "slip",
    "slip_html",
]
