"""Run the Windows Python: python -m tests.windows [--deadline SECONDS] [--with REQUIREMENT]... -- ARGUMENT..."""

from __future__ import annotations

import argparse
import sys

from .wine import opened


def main(arguments: list[str]) -> int:
    """Run it as *arguments* say and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.windows", description=__doc__)
    parser.add_argument("--deadline", type=float, default=1200.0, metavar="SECONDS")
    parser.add_argument("--with", action="append", default=[], metavar="REQUIREMENT", dest="requirements")
    parser.add_argument("arguments", nargs="+", metavar="ARGUMENT")
    given = parser.parse_args(arguments)
    with opened(*given.requirements) as windows:
        return windows.run(*given.arguments, deadline=given.deadline)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
