"""Many sends by real COM leave nothing behind: no file of the spool, one worker for all, and no growth of it.

A hundred and fifty, which take half a minute; `PILLARBOX_SENDS=1000` for as many as one likes.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pillarbox import Account, Attachment, Journal, Route
from pillarbox.testing.outlook import FakeOutlook
from tests.plugins.mapi.test_thousand import GROWTH, resident
from tests.plugins.mapi.world import BOTH, submission

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook-contract"), pytest.mark.timeout(600)]
WARM, ALL = 50, int(os.environ.get("PILLARBOX_SENDS", "150"))


def letter():
    route = Route(account=Account(owner="company", method="mapi"), from_address=None)
    return submission(route, attachments=[Attachment("invoice.pdf", os.urandom(1000))])


def held(command: int) -> int:
    """Return the octets that the worker holds; before it, Wine's own program and whatever started that may stand."""
    family = [command]
    for one in family:
        family += [
            int(child)
            for task in Path(f"/proc/{one}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return max(map(resident, family))


def test_many_sends_leave_nothing_behind(at_desk: Desk) -> None:
    at_desk.world(FakeOutlook(BOTH))
    with at_desk.transport("company", "orders@acme.example") as transport:
        for number in range(ALL):
            transport.send(letter(), Journal())
            if number == WARM:
                warm = held(transport.host._process.pid)
        grown = held(transport.host._process.pid) / warm
        spool = transport.host.spool.root
        assert list(spool.iterdir()) == []
    print(f"{ALL} sends; the worker holds {grown:.3f} of the {warm:,} octets that it held after {WARM}")
    assert grown < GROWTH
    assert not spool.exists()
    assert len(at_desk.outlook().sent) == ALL
