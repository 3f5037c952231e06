"""What tests of core are given."""

from __future__ import annotations

import pytest

from tests.core.doubles import GOOD


@pytest.fixture
def path(tmp_path):
    """A good settings file."""
    file = tmp_path / "pillarbox.toml"
    file.write_text(GOOD, "utf-8")
    file.chmod(0o600)
    return file
