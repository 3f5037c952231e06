from __future__ import annotations

import pytest

from tests.plugins.web.world import world


@pytest.fixture
def acme(tmp_path):
    with world(tmp_path) as made:
        yield made
