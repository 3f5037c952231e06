"""One Windows desk for all tests here: it takes seconds to set up, and each test puts a world of its own into it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .desk import Desk, desk


@pytest.fixture(scope="session")
def at_desk() -> Iterator[Desk]:
    with desk() as made:
        yield made
