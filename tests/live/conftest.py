"""Live tests run for who asks for them by name: `-m live`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave live tests out of every run whose `-m` does not speak of them."""
    if "live" in str(config.option.markexpr):
        return
    left = [item for item in items if item.get_closest_marker("live")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
