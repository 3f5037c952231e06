"""What the benchmarks make of their samples, on paper and in the documentation. Nothing is run or timed here."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import page, report, table
from tests.benchmarks.conditions import Conditions, Machine, Watch
from tests.benchmarks.harness import Bound, Row, Sample, Samples, Side, Spread, in_turns, ratio
from tests.benchmarks.plot import plot
from tests.benchmarks.report import Report

SVG = "{http://www.w3.org/2000/svg}"
QUIET = Conditions(day="2026-11-25", seconds=12.3, load=0.1, others=0.02, stolen=0.0)


def test_a_ratio_is_made_within_each_round():
    """A round that slows both contenders down changes no ratio."""
    fast = [Sample(1, 1.0, 1.0), Sample(1, 8.0, 8.0)]
    slow = [Sample(1, 2.0, 2.0), Sample(1, 16.0, 16.0)]

    assert ratio(slow, fast, lambda sample: sample.wall_each) == Spread(2.0, 2.0, 2.0)


def test_contenders_take_turns():
    """Every round has everybody, and begins with another."""
    order = []

    class Contender:
        def __init__(self, name):
            self.name = name

        def turn(self, count):
            order.append(self.name)
            return Sample(count, 1.0, 1.0)

    in_turns({name: Contender(name) for name in "abc"}, dict.fromkeys("abc", 1), 3)

    assert "".join(order) == "abcbcacab"


def test_who_is_missing_has_words_and_no_ratio():
    """A peer that this machine lacks does not end the run, and is not hidden."""
    samples = Samples({"ours": (Sample(2, 1.0, 1.0),)}, {"peer": "missing: pip install peer"})

    assert samples.side("peer", lambda sample: sample.a_second, "{} /s").said == "missing: pip install peer"
    assert samples.side("ours", lambda sample: sample.a_second, "{} /s").said == "2.0 /s"
    assert samples.ratio("peer", "ours", lambda sample: sample.wall) is None


@pytest.mark.parametrize(
    ("low", "median", "high", "verdict"),
    [(4, 5, 6, "met"), (2, 5, 6, "met?"), (1, 2, 2.9, "missed"), (1, 2, 4, "missed?"), (3, 3, 3, "met")],
)
def test_a_verdict_tells_when_the_rounds_disagree(low, median, high, verdict):
    """The median decides; rounds on the other side of the bound put a question mark behind it."""
    assert _row(Spread(median, low, high)).verdict == verdict


@pytest.mark.parametrize(
    ("figure", "code"), [(Spread(2, 1, 2.5), 1), (Spread(2, 1, 3), 0), (Spread(4, 4, 4), 0), (None, 0)]
)
def test_only_a_bound_that_every_round_misses_fails_the_run(figure, code, capsys):
    """Exit code 1 for it; what is missed within the spread, or not measured, is named all the same."""
    rows = [_row(figure), _row(Spread(4, 4, 4))]

    assert command.exit_code(rows) == code
    assert ("peer: 3 ms" in capsys.readouterr().out) == (rows[0].verdict != "met")


def test_the_table_shows_figure_bound_and_verdict():
    """A line holds everything that a reader needs to judge it."""
    shown = table.table([_row(Spread(3.456, 2.9, 4.0))])

    line = " ".join(shown.splitlines()[1].split())
    assert line == "it, 4 KB ours: 1 ms peer: 3 ms 3.46 (2.90-4.00) x >= 3.00 met?"


def test_a_noisy_machine_is_told():
    """Load before, others meanwhile, and what the machine's own host withheld."""
    noisy = Conditions(day="2026-11-25", seconds=1.0, load=2.0, others=0.4, stolen=0.1)

    told = "the load was 2.0 before, others took 40% of the machine, its host withheld 10%"
    assert (noisy.noise(2), QUIET.noise(2)) == (told, "")
    assert f"noise: the machine was noisy: {told}." in table.cautions([_report(noisy)])


def test_a_watch_sees_the_others_and_not_itself():
    """What this process takes is not counted as somebody else's."""
    watch = Watch()
    sum(range(5_000_000))
    seen = watch.conditions()

    assert 0 <= seen.others <= 1
    assert 0 <= seen.stolen <= 1


def test_what_is_stored_is_read_back():
    """With the rows of peers that were missing."""
    stored = _report(QUIET, [_row(Spread(3.5, 3, 4)), _row(None)])

    assert report.from_json(report.to_json([stored])) == {"noise": stored}


def test_a_partial_run_replaces_only_what_it_ran(tmp_path):
    """The results of other benchmarks stay, in the order of the command."""
    path = tmp_path / "results.json"
    path.write_text(report.to_json([_report(QUIET, name="bulk"), _report(QUIET)]), "utf-8")
    new = _report(QUIET, [_row(None)], name="bulk")

    merged = report.merged(path, [new], command.BENCHMARKS)

    assert list(merged) == ["noise", "bulk"]
    assert merged["bulk"] is new


def test_the_page_and_the_plot_are_current():
    """They are what the stored results make (run: python -m tests.benchmarks.page)."""
    reports = report.from_json(page.RESULTS.read_text("utf-8"))

    assert page.PAGE.read_text("utf-8") == page.page(reports)
    assert page.PLOT.read_text("utf-8") == page.drawing(reports)


def test_every_figure_stands_under_the_command_that_prints_it():
    """What is shown was run in full, and each benchmark that is stored has its section."""
    reports = report.from_json(page.RESULTS.read_text("utf-8"))
    shown = page.PAGE.read_text("utf-8")

    assert [*page.SECTIONS] == [*command.BENCHMARKS]
    assert [name for name in command.BENCHMARKS if name in reports] == [*reports]
    assert {one.effort for one in reports.values()} == {"full"}
    assert all(f"## {page.SECTIONS[name].title}\n" in shown for name in reports)
    assert all(f"$ nox -s bench -- --only {name}\n" in shown for name in reports)


def test_the_plot_draws_figure_spread_and_bound():
    """A bar from 1 to the median, a line from the lowest to the highest, a mark at the bound; and all in words."""
    root = ET.fromstring(plot([("Times as fast", [_row(Spread(2.0, 1.0, 4.0)), _row(None)])]))

    one, bar, spread, bound = [box for box in root.iter(f"{SVG}rect") if box.get("class") != "paper"]
    lengths = [float(box.get("width")) for box in (bar, spread)]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.2)
    assert one.get("x") == bar.get("x") == spread.get("x")
    assert float(bar.get("x")) + lengths[0] < float(bound.get("x")) < float(spread.get("x")) + lengths[1]
    assert root.findtext(f"{SVG}desc") == "Times as fast: peer 2.00 x."


def _row(figure):
    bound = Bound(">=", 3.0)
    return Row(
        name="it, 4 KB", ours=Side("ours", "1 ms"), peer=Side("peer", "3 ms"), figure=figure, bound=bound
    )


def _report(conditions, rows=(), name="noise"):
    machine = Machine("3.13.0", 2, {"pillarbox": "0.1"})
    return Report(name, "full", machine, conditions, tuple(rows))
