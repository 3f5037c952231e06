"""What tests of core are given."""

from __future__ import annotations

import pytest

from tests import access
from tests.core.doubles import GOOD


@pytest.fixture
def path(tmp_path):
    """A good settings file."""
    file = tmp_path / "pillarbox.toml"
    file.write_text(GOOD, "utf-8")
    access.give(file, 0o600)
    return file
