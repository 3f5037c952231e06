"""A fake Gmail that has read Google's discovery document, with one mailbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pillarbox.testing.gmail import Alias, FakeGmail
from tests.core.testing.gmail.asking import ORDERS
from tests.gmail_discovery import discovery


@pytest.fixture
def gmail() -> Iterator[FakeGmail]:
    with FakeGmail(discovery=discovery()) as fake:
        fake.add_mailbox(
            ORDERS,
            "Acme Ltd",
            aliases=["sales@acme.example", Alias("new@acme.example", verified=False)],
        )
        yield fake
