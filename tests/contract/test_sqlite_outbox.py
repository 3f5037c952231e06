"""The embedded outbox keeps the contract."""

from __future__ import annotations

from pillarbox.outbox import SqliteOutbox
from pillarbox.testing import OutboxContract


class TestSqlite(OutboxContract):
    """One file, and lock files beside it."""

    def outbox(self, path, settings, clock):
        return SqliteOutbox(path.with_suffix(".sqlite3"), settings, clock=clock)
