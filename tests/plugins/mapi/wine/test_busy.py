"""An Outlook that is busy refuses calls by COM itself, before they run: they are made again, Send among them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pillarbox import Account, Journal, Receipt, Route, SendDeferred, SightingState
from pillarbox.testing.outlook import FakeOutlook
from tests.plugins.mapi.world import BOTH, submission

from .busy_filter import REJECTED, RETRY_LATER
from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook")]
ORDERS = "orders@acme.example"
LIMITS = {"attach_timeout": 6.0, "call_timeout": 4.0, "send_timeout": 3.0}


class BusyFromThere(Journal):
    """Outlook becomes busy at the hand-over, for so many calls."""

    def __init__(self, desk: Desk, calls: int, kind: int = REJECTED) -> None:
        super().__init__()
        self._desk, self._calls, self._kind = desk, calls, kind

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        with super().handing_over():
            self._desk.refuse(self._calls, self._kind)
            yield


def letter():
    return submission(Route(account=Account(owner="company", method="mapi"), from_address=None))


@pytest.mark.parametrize("kind", [REJECTED, RETRY_LATER])
def test_refused_at_first_it_is_started_and_sent_once(at_desk: Desk, kind: int) -> None:
    """The activation and whatever follows. What is to be tried later Wine tries by itself, as `com` would."""
    at_desk.world(FakeOutlook(BOTH))
    at_desk.refuse(5, kind)
    with at_desk.transport("company", ORDERS, **LIMITS) as transport:
        assert isinstance(transport.send(letter(), Journal()), Receipt)
    assert len(at_desk.outlook().sent) == 1


@pytest.mark.parametrize("kind", [REJECTED, RETRY_LATER])
def test_refused_in_send_it_is_called_again_and_sent_once(at_desk: Desk, kind: int) -> None:
    """The refused call never ran."""
    at_desk.world(FakeOutlook(BOTH))
    with at_desk.transport("company", ORDERS, **LIMITS) as transport:
        assert isinstance(transport.send(letter(), BusyFromThere(at_desk, 3, kind)), Receipt)
    assert len(at_desk.outlook().sent) == 1


def test_busy_until_the_end_nothing_left_and_the_next_goes(at_desk: Desk) -> None:
    """It is told as not sent, which is true; the draft that could not be removed is found, removed and sent again."""
    at_desk.world(FakeOutlook(BOTH))
    one, journal = letter(), BusyFromThere(at_desk, 1_000_000)
    with at_desk.transport("company", ORDERS, **LIMITS) as transport:
        with pytest.raises(SendDeferred, match="busy"):
            transport.send(one, journal)
        at_desk.refuse(0)
        assert at_desk.outlook().sent == []
        assert transport.find(one, Journal(journal.notes)).state is not SightingState.SENT
        assert isinstance(transport.send(one, Journal(journal.notes)), Receipt)
    assert len(at_desk.outlook().sent) == 1
    assert at_desk.outlook().in_folder("Drafts") == []
