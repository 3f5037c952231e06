"""What the tests share."""

from collections.abc import Iterator

import pytest
from pillarbox_resend.contract import ResendContract


@pytest.fixture
def ground() -> Iterator[ResendContract]:
    """The contract's tools, over a fake of the API."""
    made = ResendContract()
    made.setup_method()
    yield made
    made.teardown_method()
