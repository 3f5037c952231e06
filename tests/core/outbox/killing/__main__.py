"""The long runs: `python -m tests.core.outbox.killing [--messages N] [--kills N] [--seed N] [--only look|many|smtp] [--workers 1|2]`."""

from __future__ import annotations

import argparse
import sys

from tests.core.outbox.killing.runs import Plan, run


def main() -> int:
    """Print a line for each run; 1 where something was lost, repeated, left open or held without cause."""
    parser = argparse.ArgumentParser(prog="kills", description="Kill hosts and workers at random moments.")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="repeat the run that printed it")
    parser.add_argument("--only", choices=("look", "many", "smtp"))
    parser.add_argument("--workers", type=int, choices=(1, 2))
    wanted = parser.parse_args()
    good = True
    for carrier in ("look", "many", "smtp") if wanted.only is None else (wanted.only,):
        for workers in (1, 2) if wanted.workers is None else (wanted.workers,):
            more = {"seed": wanted.seed} if wanted.seed else {}
            size = {"messages": wanted.messages, "kills": wanted.kills, "patience": 300.0}
            report = run(Plan(carrier=carrier, workers=workers, **size, **more))
            print(report, flush=True)
            print(*report.unexplained[:20], sep="\n", end="\n" if report.unexplained else "")
            good = good and report.is_good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
