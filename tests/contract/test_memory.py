"""The memory transport keeps the contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pillarbox import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SignInNeeded
from pillarbox.testing import Accepted, Box, MemorySettings, MemoryTransport, NotStaged, TransportContract

ERRORS: dict[str, tuple[PillarboxError, bool]] = {
    "unreachable": (SendDeferred("can't be reached", stage="connect"), False),
    "cut before": (SendDeferred("closed", stage="greeting"), False),
    "credential refused": (SignInNeeded("wrong", stage="sign-in"), False),
    "sender refused": (SendRejected("not you", stage="sender"), False),
    "recipient refused": (SendRejected("nobody", stage="recipient"), False),
    "recipient refused for now": (SendDeferred("busy", stage="recipient"), False),
    "content refused": (SendRejected("spam", stage="content"), True),
    "content refused for now": (SendDeferred("full", stage="content"), True),
    "cut after": (OutcomeUnknown("closed", stage="content"), True),
    "silent after": (OutcomeUnknown("silent", stage="content"), True),
    "nonsense after": (OutcomeUnknown("what?", stage="content"), True),
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
            Accepted(
                one.submission.content, one.submission.envelope.sender, one.submission.envelope.recipients
            )
            for one in self.box.sent
        ]

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault not in ERRORS:
            raise NotStaged(f"a box in memory has no way to bring about: {fault}")
        error, handed_over = ERRORS[fault]
        self.box.fail_next(error, handed_over=handed_over)
        yield
        self.box._faults.clear()

    def test_a_look_that_fails_is_unclear(self) -> None:
        raise NotStaged("memory can always be looked into")
