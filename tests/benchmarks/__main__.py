"""Runs the benchmarks and prints the table; `python -m tests.benchmarks --help` says how."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.benchmarks import composing, resolving, sending, starting, table
from tests.benchmarks.efforts import FULL, QUICK, Effort
from tests.benchmarks.harness import Row

BENCHMARKS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "noise": composing.noise,
    "kept-connection": sending.kept_connection,
    "accepted": sending.accepted,
    "composition": composing.composition,
    "memory": composing.memory,
    "start-up": starting.start_up,
    "resolution": resolving.resolution,
    "loading": resolving.loading,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what *arguments* ask for and return the exit code: 1 for a missed bound under --check, else 0."""
    asked = _parser().parse_args(arguments)
    before = table.machine()
    rows = list(_run(asked.only or list(BENCHMARKS), QUICK if asked.quick else FULL))
    after = table.machine()
    print(table.table(rows), table.caution(before, after, rows), sep="\n\n")
    if asked.json:
        results = table.as_json(before, after, "quick" if asked.quick else "full", rows)
        asked.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return exit_code(rows, check=asked.check)


def exit_code(rows: Sequence[Row], *, check: bool) -> int:
    """Name the bounds that *rows* miss and return the exit code: 1 if there are any and *check* is wanted."""
    missed = [row.name for row in rows if row.missed]
    print(
        f"\n{len(missed)} of {sum(row.bound is not None for row in rows)} bounds missed.", *missed, sep="\n  "
    )
    return 1 if missed and check else 0


def _run(names: Sequence[str], effort: Effort) -> Iterator[Row]:
    for name in names:
        started = time.monotonic()
        for row in BENCHMARKS[name](effort):
            print(f"  {row.name}: {row.ours}, {row.peer}", file=sys.stderr, flush=True)
            yield row
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds, only the peers that a bound names"
    )
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="only this one; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--check", action="store_true", help="exit 1 if a bound is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
