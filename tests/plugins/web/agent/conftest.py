from __future__ import annotations

import pytest

from tests.plugins.web.agent.office import Program, office


@pytest.fixture
def acme(tmp_path):
    """A company's server with its door."""
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def program():
    """The mail program of Anna's computer."""
    return Program()
