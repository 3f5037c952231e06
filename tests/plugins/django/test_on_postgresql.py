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

pytestmark = pytest.mark.services
ROOT = Path(__file__).parents[3]
FILES = ("test_backend.py", "test_models.py", "test_staging.py")


def test_all_of_it_holds_on_postgresql():
    """Staged mail in the host's transaction, the models, the vault's rows and locks, the worker's sweep, killed children."""
    files = [str(Path(__file__).with_name(name)) for name in FILES]
    with running_postgres(fsync="off") as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *files],
            cwd=ROOT,
            env={**os.environ, POSTGRES: server.url},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 55
