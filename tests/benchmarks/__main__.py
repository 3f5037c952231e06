"""Runs the benchmarks and prints the table; `python -m tests.benchmarks --help` says how."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.benchmarks import (
    composing,
    holding,
    page,
    queueing,
    report,
    resolving,
    sending,
    starting,
    submitting,
    table,
)
from tests.benchmarks.conditions import Watch, machine
from tests.benchmarks.efforts import FULL, QUICK, Effort
from tests.benchmarks.harness import Row
from tests.benchmarks.report import Report

BENCHMARKS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "noise": composing.noise,
    "kept-connection": sending.kept_connection,
    "bulk": sending.bulk,
    "accepted": sending.accepted,
    "attachment-again": sending.attachment_again,
    "composition": composing.composition,
    "memory": composing.memory,
    "providers": submitting.providers,
    "provider-memory": submitting.provider_memory,
    "kept-lines": holding.kept_lines,
    "start-up": starting.start_up,
    "resolution": resolving.resolution,
    "loading": resolving.loading,
    "queueing": queueing.end_to_end,
    "producers": queueing.producers,
    "long-history": queueing.history,
    "restart": queueing.restart,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what *arguments* ask for and return the exit code: 1 where a bound is missed in every round, else 0."""
    asked = _parser().parse_args(arguments)
    effort = QUICK if asked.quick else FULL
    reports = [_run(name, effort) for name in asked.only or BENCHMARKS]
    rows = [row for one in reports for row in one.rows]
    print(table.table(rows), "\n".join(table.cautions(reports)), sep="\n\n")
    if asked.json:
        asked.json.write_text(report.to_json(reports), encoding="utf-8")
    if asked.docs:
        page.keep(report.merged(page.RESULTS, reports, BENCHMARKS))
    return exit_code(rows)


def exit_code(rows: Sequence[Row]) -> int:
    """Say how many bounds *rows* keep, and return 1 if one is missed in every round."""
    bounded = [row for row in rows if row.bound is not None]
    met = sum(row.verdict.startswith("met") for row in bounded)
    print(f"\n{met} of {len(bounded)} bounds met.")
    for row in bounded:
        if not row.verdict.startswith("met"):
            print(f"  {row.verdict}: {row.name}, {row.ours.name}, {row.peer}")
    return 1 if any(row.missed for row in bounded) else 0


def _run(name: str, effort: Effort) -> Report:
    watch, rows = Watch(), []
    for row in BENCHMARKS[name](effort):
        print(f"  {row.name}: {row.ours}, {row.peer}", file=sys.stderr, flush=True)
        rows.append(row)
    conditions = watch.conditions()
    print(f"{name}: {conditions.seconds:.0f} s", file=sys.stderr, flush=True)
    return Report(name, effort.name, machine(), conditions, tuple(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="only this one; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--quick", action="store_true", help="fewer rounds, only the peers that a bound names")
    much.add_argument(
        "--docs", action="store_true", help="store the results and write the page and the plot from them"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
