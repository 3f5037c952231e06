"""What tests of core are given."""

from __future__ import annotations

import pytest

from pillarbox._plugins import OURS
from tests import access
from tests.core.doubles import GOOD


@pytest.fixture
def path(tmp_path):
    """A good settings file."""
    file = tmp_path / "pillarbox.toml"
    file.write_text(GOOD, "utf-8")
    access.give(file, 0o600)
    return file


@pytest.fixture
def absent(monkeypatch):
    """A method of ours that is not installed, whatever is."""
    monkeypatch.setitem(OURS, "absent", "pillarbox-absent")
    return "absent"
