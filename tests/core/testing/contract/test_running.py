"""Cases are run without pytest, each on an instance of its own, and told by name."""

from __future__ import annotations

from pillarbox.testing import (
    CaseResult,
    MemorySettings,
    MemoryTransport,
    NotStaged,
    TransportContract,
    run_cases,
)
from pillarbox.testing._contract._ground import Ground
from pillarbox.testing._contract._running import cases_of

log: list[str] = []


class Small(Ground):
    def setup_method(self) -> None:
        log.append("up")

    def teardown_method(self) -> None:
        log.append("down")

    def test_two_is_right(self) -> None:
        """It is.

        Really.
        """

    def test_one_is_wrong(self) -> None:
        """It is not."""
        raise AssertionError("it is one")

    def test_another_is_not_tried(self) -> None:
        """Nobody can."""
        raise NotStaged("nobody can")


def test_each_case_is_told_with_its_meaning_and_its_reason():
    """In the order in which they are written."""
    assert run_cases(Small) == [
        CaseResult("two_is_right", "It is.", "passed"),
        CaseResult("one_is_wrong", "It is not.", "failed", "AssertionError: it is one"),
        CaseResult("another_is_not_tried", "Nobody can.", "not staged", "nobody can"),
    ]


def test_each_case_is_set_up_and_torn_down():
    """Those that fail too."""
    log.clear()
    run_cases(Small)
    assert log == ["up", "down"] * 3


def test_one_case_can_be_run_alone():
    """By its name."""
    assert [one.case for one in run_cases(Small, only="one_is_wrong")] == ["one_is_wrong"]


def test_a_failed_set_up_is_a_failed_case():
    """It never passes for want of trying."""

    class Broken(Small):
        def setup_method(self) -> None:
            raise OSError("no place")

    assert {one.state for one in run_cases(Broken)} == {"failed"}
    assert run_cases(Broken)[0].reason == "OSError: no place"


def test_an_author_can_replace_a_case():
    """Where the carrier works otherwise; it keeps its name and its place."""

    class Replaced(Small):
        def test_one_is_wrong(self) -> None:
            """Here it is right."""

    assert [one.state for one in run_cases(Replaced)] == ["passed", "passed", "not staged"]
    assert run_cases(Replaced)[1].meaning == "Here it is right."


def test_with_the_least_that_can_be_written_nothing_fails_and_much_is_not_staged():
    """An author who only writes make_transport is told what was not tried, and why."""

    class Least(TransportContract):
        __test__ = False

        def make_transport(self) -> MemoryTransport:
            return MemoryTransport(MemorySettings(box="least"))

    results = run_cases(Least)
    states = [one.state for one in results]
    assert (states.count("not staged") > 30, states.count("passed") > 15, states.count("failed")) == (
        True,
        True,
        0,
    )
    assert all(one.reason for one in results if one.state == "not staged")
    assert len(results) == len(cases_of(TransportContract))
