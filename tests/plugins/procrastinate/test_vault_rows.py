"""Vault rows on PostgreSQL: the contract of every vault, and sign-ins that several processes refresh at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pillarbox import Vault
from pillarbox.testing import VaultContract
from pillarbox_procrastinate import PostgresRows
from tests.plugins.procrastinate import refreshing
from tests.plugins.procrastinate.refreshing import DESTINATION, NAME, Reversed

pytestmark = pytest.mark.services
PROCESSES, EXPIRIES = 8, 50


class TestPostgresRows(VaultContract):
    """Each case in a database of its own, under a sealer that is none."""

    @pytest.fixture(autouse=True)
    def _database(self, database):
        self.made = []
        self.database = database
        yield
        for rows in self.made:
            rows.close()

    def make_vault(self, folder):
        self.made.append(PostgresRows(self.database))
        return Vault(self.made[-1], Reversed())


def test_a_token_is_refreshed_once_for_all_processes(database, tmp_path):
    """Eight processes by fifty expiries: a refresh that was made twice would spend a token that is spent."""
    rows = PostgresRows(database)
    Vault(rows, Reversed()).save(NAME, b"0", DESTINATION)
    command = [sys.executable, refreshing.__file__, database, str(tmp_path / "provider"), str(EXPIRIES)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    said = [process.communicate(timeout=100)[1] for process in processes]
    assert said == [""] * PROCESSES
    spent = (tmp_path / "provider").read_text().split()
    assert spent == [str(n) for n in range(EXPIRIES)]
    rows.close()


def test_a_lock_ends_with_its_holders_connection(database):
    """However it died."""
    holder = "import os, sys; from pillarbox_procrastinate import PostgresRows\n"
    holder += "with PostgresRows(sys.argv[1]).lock('a'): os._exit(9)"
    assert subprocess.run([sys.executable, "-c", holder, database], timeout=60).returncode == 9
    rows = PostgresRows(database)
    with rows.lock("a"):  # else it would raise after a minute
        pass
    rows.close()
