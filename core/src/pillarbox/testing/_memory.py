"""A transport that keeps what it accepts in memory, and can be told to fail: for hosts' tests, and as an example."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

import attrs

from .._errors import OutcomeUnknown
from .._mail import Receipt, Sighting, SightingState, Submission
from .._route import Finding, Level
from .._schema import setting
from .._settings import Account
from .._transports import Description, Journal, SenderPolicy, Transport


@attrs.frozen
class Sent:
    """A submission that was accepted, and the account that carried it."""

    submission: Submission
    account: Account | None = None


class Box:
    """Where memory transports of one name put what they accept. Safe between threads.

    Attributes:
        sent: What was accepted, the oldest first.
    """

    _all: ClassVar[dict[str, Box]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._faults: deque[tuple[Exception, bool, bool]] = deque()
        self._lock = threading.Lock()

    @classmethod
    def named(cls, name: str) -> Box:
        """Return the box called *name*; the same one each time."""
        with cls._guard:
            return cls._all.setdefault(name, cls())

    def fail_next(self, error: Exception, *, handed_over: bool = False, accepted: bool = False) -> None:
        """Raise *error* from the next send: before the hand-over, or inside it; there, accepted or not."""
        self._faults.append((error, handed_over, accepted))

    def clear(self) -> None:
        """Forget what was accepted, and the faults to come."""
        with self._lock:
            self.sent.clear()
            self._faults.clear()

    def accept(self, submission: Submission, account: Account | None, journal: Journal) -> Receipt:
        """Take *submission*, or fail as `fail_next` asked."""
        error, handed_over, accepted = self._faults.popleft() if self._faults else (None, False, True)
        if error is not None and not handed_over:
            raise error
        with journal.handing_over():
            with self._lock:
                if accepted:
                    self.sent.append(Sent(submission, account))
                number = len(self.sent)
            if error is not None:
                raise error
        return Receipt(submission.message_id, f"memory-{number}")


@attrs.frozen
class MemorySettings:
    """The settings of the method `memory`.

    Attributes:
        box: The name of the `Box` that takes what is sent.
    """

    box: str = setting("default", help="Where in memory the messages are put.")


class MemoryTransport(Transport):
    """Keeps submissions in a `Box`. Not installed as a method: give it by `Plugins(extra={"memory": MemoryTransport})`."""

    settings: MemorySettings
    label: ClassVar[str] = "Memory"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.USER
    settling: ClassVar[float] = 0.0
    marks_hand_over: ClassVar[bool] = True

    @property
    def box(self) -> Box:
        """Where what is sent goes."""
        return Box.named(self.settings.box)

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Put *submission* into the box; see `Transport.send`."""
        return self.box.accept(submission, self.account, journal)

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look into the box."""
        if any(sent.submission.key == submission.key for sent in self.box.sent):
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT, detail="the box does not hold it")

    def check(self) -> Iterator[Finding]:
        """Say that memory is there."""
        yield Finding("memory", Level.OK, "memory-ready", f"{len(self.box.sent)} messages so far")

    @classmethod
    def describe(cls, settings: MemorySettings) -> Description:
        """Return the account in words."""
        return Description(via=f"memory, box {settings.box}", copy="in the box")


UNKNOWN = OutcomeUnknown(
    "The line broke after the hand-over; whether the message left is not known.", stage="content"
)
"""An error to give to `Box.fail_next`, as the carriers that matter would raise it."""
