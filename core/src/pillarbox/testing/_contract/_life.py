"""Cases: an instance from its making to its end, the values it gives, and its diagnosis."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from ..._errors import PillarboxError
from ..._mail import Receipt
from ..._route import Finding, Level
from ..._transports import Journal, Transport
from ._ground import Ground, NotStaged, outcome_of, through_pickle


class Life(Ground):
    """What else a transport promises."""

    def test_receipts_survive_pickle(self) -> None:
        """They cross process boundaries (Celery)."""
        receipt = self.send(self.submission())
        assert through_pickle(receipt) == receipt, "another receipt comes back"

    def test_closing_twice_is_no_error(self) -> None:
        """Before the first message, after it, and again."""
        unused = self.make_transport()
        unused.close()
        unused.close()
        with self.opened() as used:
            used.send(self.submission(), Journal())
            used.close()
            used.close()

    def test_it_can_be_used_after_it_was_closed(self) -> None:
        """Closing lets the line go; the next message makes another."""
        with self.opened() as transport:
            transport.send(self.submission(), Journal())
            transport.close()
            assert isinstance(transport.send(self.submission(), Journal()), Receipt)

    def test_making_one_needs_no_carrier(self) -> None:
        """A worker makes it before it is used; a carrier that is away is told by the first send."""
        with self.stage("unreachable"):
            transport = self.make_transport()
        with contextlib.closing(transport):
            assert isinstance(transport.send(self.submission(), Journal()), Receipt)

    def test_it_goes_from_thread_to_thread(self) -> None:
        """One at a time: it is made in one, used in others, and closed in a third."""
        transport, outcomes = self.make_transport(), list[object]()
        for work in (self._sending(transport, outcomes), self._sending(transport, outcomes), transport.close):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        told = [type(one).__name__ for one in outcomes]
        assert told == ["Receipt", "Receipt"], f"in other threads it ended in {outcomes}"

    def _sending(self, transport: Transport, outcomes: list[object]) -> Callable[[], None]:
        return lambda: outcomes.append(outcome_of(transport, self.submission(), Journal()))

    def test_closing_a_line_that_is_gone_is_no_error(self) -> None:
        """A carrier that went away has nothing to be told."""
        transport = self.make_transport()
        transport.send(self.submission(), Journal())
        with self.stage("unreachable"):
            transport.close()

    def test_check_yields_findings_and_sends_nothing(self) -> None:
        """Each with a stage and a stable code, and none that fails where all is well."""
        before = self.count()
        with self.opened() as transport:
            findings = list(transport.check())
        for one in findings:
            assert isinstance(one, Finding), f"check yields findings, not {type(one).__name__}"
            assert one.stage, "a finding has no stage"
            assert one.code, "a finding has no code"
            assert one.code == one.code.lower(), "a finding's code is kebab-case"
            assert one.level is not Level.FAIL, f"all is well, and check says {one}"
        assert self.count() == before, "check has sent something"

    def test_check_says_the_same_again(self) -> None:
        """By the same instance, as long as nothing has changed."""
        with self.opened() as transport:
            first, second = ([one.code for one in transport.check()] for _ in range(2))
        assert first == second, f"it found {first}, and then {second}"

    def test_it_sends_after_a_check(self) -> None:
        """To the end, or left half-way by somebody who has seen enough."""
        with self.opened() as transport:
            list(transport.check())
            assert isinstance(transport.send(self.submission(), Journal()), Receipt)
            for _ in transport.check():
                break
            outcome = outcome_of(transport, self.submission(), Journal())
            assert isinstance(outcome, Receipt), (
                f"behind a check that was left half-way it ended in {outcome!r}"
            )

    def test_check_tells_what_is_wrong(self) -> None:
        """A carrier that can't be reached is a finding that fails and says what was seen, not an error."""
        with self.opened() as transport:
            if not list(transport.check()):
                raise NotStaged("check() is not written")
        with self.stage("unreachable"), self.opened() as transport:
            try:
                findings = list(transport.check())
            except PillarboxError as error:
                raise AssertionError(f"check raised {error!r} in the place of a finding") from error
        failed = [one for one in findings if one.level is Level.FAIL]
        assert failed, f"it can't be reached, and check says {findings}"
        assert all(one.seen for one in failed), f"a finding that fails says what was seen: {failed}"
