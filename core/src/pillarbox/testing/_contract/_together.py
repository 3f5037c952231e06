"""Cases: several instances at once, an instance that was forked, and a call that is given up at the last moment."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..._errors import SendDeferred
from ..._mail import Receipt, Submission
from ..._transports import Journal, Transport
from ._ground import Ground, NotStaged, outcome_of
from ._journals import end
from ._killed import _Child, _until

INSTANCES = 3
EACH = 3


class _GivenUp(Journal):
    """Its caller calls the attempt off when the transport is about to hand over."""

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """See `Journal.handing_over`."""
        self.call_off()
        with super().handing_over():
            yield


class Together(Ground):
    """What instances have in common: nothing."""

    def test_called_off_at_the_last_moment_nothing_leaves(self) -> None:
        """What was prepared for it is let go: the next message goes to its own recipients alone."""
        journal, before = _GivenUp(), len(self.accepted())
        with self.opened() as transport:
            outcome = outcome_of(transport, self.submission(to="given.up@customer.example"), journal)
            assert isinstance(outcome, SendDeferred), f"called off, and it ended in {outcome!r}"
            assert len(self.accepted()) == before, "called off, and the carrier has it"
            again = outcome_of(transport, self.submission(), Journal())
            assert isinstance(again, Receipt), f"unfit for the next: {again!r}"
        got = self.accepted()[-1].recipients
        assert got == self.recipients, f"the next message went to {got}"

    def test_several_instances_at_once_do_not_mix(self) -> None:
        """Each in a thread of its own: every message arrives once, at its own recipient."""
        before = len(self.accepted())
        wrong: list[str] = []

        def work(number: int) -> None:
            with self.opened() as transport:
                for one in range(EACH):
                    outcome = outcome_of(transport, self._to(f"t{number}.{one}"), Journal())
                    if not isinstance(outcome, Receipt):
                        wrong.append(repr(outcome))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(INSTANCES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, "; ".join(wrong)
        wanted = [f"t{number}.{one}@customer.example" for number in range(INSTANCES) for one in range(EACH)]
        self._arrived_once(before, wanted)

    def test_an_instance_works_in_a_forked_process(self) -> None:
        """A worker that forks behind the first message shares no line with its parent: both go on, and nothing mixes."""
        if not self.carrier_outlives:
            raise NotStaged("carrier_outlives is False: the carrier ends with the sender")
        if not hasattr(os, "fork"):
            raise NotStaged("this system can't fork")
        before = len(self.accepted())
        with self.opened() as transport:
            transport.send(self._to("before"), Journal())
            code = _in_a_child(transport, self._to("child"))
            assert not code, "an instance that was forked could not send"
            again = outcome_of(transport, self._to("parent"), Journal())
            assert isinstance(again, Receipt), f"the parent could not go on: {again!r}"
        self._arrived_once(before, [f"{one}@customer.example" for one in ("before", "child", "parent")])

    def _to(self, name: str) -> Submission:
        return self.submission(f"for {name}\n", to=f"{name}@customer.example")

    def _arrived_once(self, before: int, wanted: list[str]) -> None:
        got = Counter(who for one in self.accepted()[before:] for who in one.recipients)
        assert got == Counter(wanted), f"the carrier has messages to {dict(got)}"


def _in_a_child(transport: Transport, submission: Submission) -> int | None:
    """Send in a forked process, which is given up where it stands still; return what it ended with."""

    def work() -> None:
        end(0 if isinstance(outcome_of(transport, submission, Journal()), Receipt) else 1)

    with tempfile.TemporaryDirectory() as folder:
        child = _Child(work, Path(folder) / "trouble")
        try:
            _until(lambda: child.code is not None)
        finally:
            child.kill()
        return child.code
