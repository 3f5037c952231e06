"""A fake Gmail with one mailbox, and transports for it that are closed with the test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pillarbox.testing.gmail import Alias, FakeGmail
from pillarbox_gmail import GmailTransport
from tests.plugins.gmail import givens

Connect = Callable[..., GmailTransport]


@pytest.fixture
def gmail() -> Iterator[FakeGmail]:
    """A Gmail where Anna has a mailbox, with one alias that she has confirmed and one that she has not."""
    with FakeGmail(per_minute=None) as fake:
        fake.add_mailbox(
            givens.ANNA,
            "Anna Berg",
            aliases=("orders@acme.example", Alias("boss@acme.example", verified=False)),
        )
        yield fake


@pytest.fixture
def connect(gmail: FakeGmail) -> Iterator[Connect]:
    """Return a transport for Anna's account with the scopes that are given; it is closed with the test."""
    with contextlib.ExitStack() as opened:

        def make(*scopes: str, **given: Any) -> GmailTransport:
            made = givens.transport(gmail, *scopes, **given)
            opened.callback(made.close)
            return made

        yield make
