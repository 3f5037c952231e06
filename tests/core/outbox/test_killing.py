"""Hosts and workers are killed at random moments: nothing is lost, nothing is sent twice. `nox -s kills` does it at length."""

from __future__ import annotations

from tests import systems
from tests.core.outbox.killing.office import Office
from tests.core.outbox.killing.runs import Plan, _unexplained, run

pytestmark = systems.forks


def test_with_a_carrier_that_can_look_nothing_is_lost_or_repeated_or_held():
    """What a killed worker had is looked for; found it is accepted, else it is sent again."""
    report = run(Plan(carrier="look", messages=60, kills=3, workers=2))
    assert report.is_good, str(report)
    assert not report.held, str(report)


def test_what_was_marked_ahead_and_not_begun_is_sent_once_too():
    """With a carrier that takes several before it answers, some have a mark and never left when the worker dies."""
    report = run(Plan(carrier="many", messages=60, kills=3, workers=2))
    assert report.is_good, str(report)
    assert not report.held, str(report)


def test_by_plain_smtp_what_is_in_doubt_is_held_and_nothing_else():
    """Nobody can look there: every unknown one is listed, and none of which the server's answer was known."""
    report = run(Plan(carrier="smtp", messages=60, kills=3, workers=1))
    assert report.is_good, str(report)
    assert report.found == report.resent == 0


def test_the_judge_sees_what_is_held_without_cause(tmp_path):
    """The runs prove nothing if it does not."""
    lines = [
        "data 1 w7.acme.example 10.0", "begin 1 w7.acme.example 10.1",                      # in the middle
        "data 2 w7.acme.example 10.0",                                                       # never begun
        "data 3 w7.acme.example 9.0", "begin 3 w7.acme.example 9.1", "answer 3 w7.acme.example 10.0",
    ]  # fmt: skip
    office = Office(tmp_path, port=1)
    office.log.write_text("\n".join(lines), "ascii")
    assert [one.split(":")[0] for one in _unexplained(office, [1, 2, 3], {7: 11.5})] == ["2", "3"]
