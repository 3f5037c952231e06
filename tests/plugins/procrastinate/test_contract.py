"""The outbox on PostgreSQL keeps the contract of every outbox."""

from __future__ import annotations

import time

import pytest

from pillarbox.testing import OutboxContract
from pillarbox_procrastinate import PostgresOutbox

pytestmark = pytest.mark.services
LEASE = 1.5


class TestPostgres(OutboxContract):
    """A database for each test; a lease that is short enough to see it run out."""

    patience = 60.0

    @pytest.fixture(autouse=True)
    def _database(self, database):
        self.database = database

    def process(self, work):
        """Return a process whose death is known when its lease has run out: no machine sees into another."""
        begun = super().process(work)
        kill = begun.kill
        begun.kill = lambda: (kill(), time.sleep(LEASE + 0.5))
        return begun

    def outbox(self, path, settings, clock):
        return PostgresOutbox(self.database, settings, lease=LEASE, clock=clock)
