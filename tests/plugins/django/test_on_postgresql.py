"""The same tests on PostgreSQL: a site of its own process, in a database of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.django.databases import POSTGRES
from tests.services._postgres import running_postgres

# Beside tests that fill the machine with workers to kill, it takes ten times as long as alone.
pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[3]
FILES = ("test_models.py", "test_staging.py")


def test_what_meets_the_database_holds_on_postgresql():
    """Staged mail in the host's transaction, the models, the vault's rows and locks, the worker's sweep, killed children."""
    files = [str(Path(__file__).with_name(name)) for name in FILES]
    options = ["-v", "-p", "no:cacheprovider", "-o", "timeout=400", "-o", "faulthandler_timeout=300"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with running_postgres(fsync="off") as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files],
            cwd=ROOT,
            env={**ours, POSTGRES: server.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=550,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 35
