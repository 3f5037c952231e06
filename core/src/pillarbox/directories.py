"""For directories of one's own: what a save has to hold to, what the history keeps, records as plain values. A public door."""

from __future__ import annotations

from ._directory import change_of, page, prepared, renaming, unknown_user, user_exists
from ._records import record_of, refuse_actor, refuse_unless_administrator
from ._settings import table_of

__all__ = [
    "change_of",
    "page",
    "prepared",
    "record_of",
    "refuse_actor",
    "refuse_unless_administrator",
    "renaming",
    "table_of",
    "unknown_user",
    "user_exists",
]
