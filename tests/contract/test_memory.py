"""The memory transport keeps the contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pillarbox import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SignInNeeded
from pillarbox.testing import Accepted, Box, MemorySettings, MemoryTransport, NotStaged, TransportContract

BEFORE: dict[str, PillarboxError] = {
    "unreachable": SendDeferred("can't be reached", stage="connect"),
    "cut before": SendDeferred("closed", stage="greeting"),
    "silent before": SendDeferred("silent", stage="greeting"),
    "credential refused": SignInNeeded("wrong", stage="sign-in"),
    "credential refused for now": SendDeferred("too many", stage="sign-in"),
    "sender refused": SendRejected("not you", stage="sender"),
    "sender refused for now": SendDeferred("not now", stage="sender"),
}
INSIDE: dict[str, PillarboxError] = {
    "content refused": SendRejected("spam", stage="content"),
    "content refused for now": SendDeferred("full", stage="content"),
    "cut inside": OutcomeUnknown("closed", stage="content"),
    "cut after": OutcomeUnknown("closed", stage="content"),
    "silent after": OutcomeUnknown("silent", stage="content"),
    "nonsense after": OutcomeUnknown("what?", stage="content"),
}


class TestMemory(TransportContract):
    """A box in memory; its faults are told to it."""

    def setup_method(self) -> None:
        self.box = Box.named("contract")
        self.box.clear()

    def make_transport(self) -> MemoryTransport:
        return MemoryTransport(MemorySettings(box="contract"))

    def accepted(self) -> list[Accepted]:
        return [
            Accepted(one.submission.content, one.submission.envelope.sender, one.to) for one in self.box.sent
        ]

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        self.misbehave(fault)
        yield
        self.box.behave()

    def misbehave(self, fault: str) -> None:
        self.box.can_be_seen = fault != "unreachable"
        if fault in BEFORE:
            self.box.fail_next(BEFORE[fault])
        elif fault in INSIDE:
            self.box.fail_next(INSIDE[fault], handed_over=True, accepted=fault == "silent after")
        elif fault.startswith(("one recipient", "recipient")):
            for recipient in self.recipients[fault.startswith("one") :]:
                self.box.refuse(recipient, for_now=fault.endswith("for now"))
        elif fault == "second message refused":
            self.box.fail_next(SendRejected("spam"), handed_over=True, after=1)
        elif fault == "second message lost":
            self.box.fail_next(OutcomeUnknown("closed"), handed_over=True, after=1)
        else:
            raise NotStaged(f"a box in memory has no way to bring about: {fault}")
