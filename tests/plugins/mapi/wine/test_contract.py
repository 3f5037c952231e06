"""Outlook keeps the contract by real COM: the worker in a Windows Python, Outlook in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox.testing.outlook import FakeOutlook, Fault
from pillarbox_mapi import MapiTransport
from tests.contract.test_mapi import FAULTS, as_message, files_of
from tests.plugins.mapi.world import ANNA, BOTH

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook-contract")]
LIMITS = {"attach_timeout": 6.0, "call_timeout": 2.0, "send_timeout": 3.0}
"""Seconds: under Wine a worker takes one to start."""
BUSY: Mapping[str, tuple[Fault, ...]] = {
    "silent before": (Fault("MailItem", "Save", "stall", seconds=9.0),),
    "silent after": (Fault("MailItem", "Send", "stall", seconds=5.0),),
}
"""Outlook goes on behind a worker that was killed, and answers whoever asks it next when it is through."""


class TestOutlookByCom(TransportContract):
    """A personal account in Outlook."""

    keeps_bytes: ClassVar[bool] = False
    carrier_outlives: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _begin(self, at_desk: Desk) -> None:
        self.desk = at_desk
        self.desk.world(FakeOutlook(BOTH))

    def make_transport(self) -> MapiTransport:
        return self.desk.transport("user:anna", ANNA, **LIMITS)

    def accepted(self) -> list[Accepted]:
        return [Accepted(as_message(mail), None, mail.addresses()) for mail in self.desk.outlook().sent]

    def attachments_of(self, got: Accepted) -> dict[str, bytes]:
        return files_of(got)

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        faults = {**FAULTS, **BUSY}.get(fault)
        if faults is None:
            raise NotStaged(f"neither Outlook nor the worker has a way to: {fault}")
        self.desk.misbehave(*faults)
        try:
            yield
        finally:
            self.desk.misbehave()
