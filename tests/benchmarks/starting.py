"""The price of being imported and of saying --help: CPU over a bare interpreter."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.contenders import missing
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Side, Spread
from tests.benchmarks.processes import start_cpu

NAME = "a start, CPU over a bare interpreter"
STARTS = 12
"""How many starts make one round of a full run; their mean is the round's figure."""
IMPORTS = {
    "import pillarbox": Bound("<=", 5.0),
    "import smtplib, email.message": None,
    "import redmail": None,
    "import aiosmtplib": None,
}
HELP_BOUND = Bound("<=", 60.0)


def start_up(effort: Effort) -> Iterator[Row]:
    """Compare the CPU of whole processes with that of a bare interpreter, in milliseconds over it."""
    imports = IMPORTS if effort.all_peers else {name: bound for name, bound in IMPORTS.items() if bound}
    present = [name for name in imports if not missing(name)]
    commands = {name: _python(name) for name in present} | {"pillarbox --help": [command(), "--help"]}
    seconds = _in_turns({"bare": _python("pass"), **commands}, effort)
    bare = seconds.pop("bare")
    for name, taken in seconds.items():
        yield _row(name, taken, bare, imports.get(name, HELP_BOUND))
    for name in imports.keys() - present:
        yield Row(name=NAME, ours=Side(name, missing(name)), peer=_bare(bare), figure=None, unit="ms")


def command() -> str:
    """Return the path of the installed `pillarbox` command.

    Raises:
        FileNotFoundError: It is not installed beside this interpreter.
    """
    found = Path(sysconfig.get_path("scripts"), "pillarbox")
    if not found.exists():
        raise FileNotFoundError(f"{found} is missing: pip install -e 'core[cli]' -e plugins/smtp")
    return str(found)


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _in_turns(commands: dict[str, list[str]], effort: Effort) -> dict[str, list[float]]:
    """Return CPU seconds of a start, one figure a round; the first start of each, which may compile, is not counted."""
    starts = effort.times(STARTS)
    for one in commands.values():
        start_cpu(one, 1)
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(effort.rounds):
        for name, one in commands.items():
            taken[name].append(start_cpu(one, starts))
    return taken


def _row(name: str, taken: Sequence[float], bare: Sequence[float], bound: Bound | None) -> Row:
    return Row(
        name=NAME,
        ours=Side(name, f"{Spread.of(taken).median * 1e3:.1f} ms"),
        peer=_bare(bare),
        figure=Spread.of([(mine - base) * 1e3 for mine, base in zip(taken, bare, strict=True)]),
        unit="ms",
        bound=bound,
    )


def _bare(seconds: Sequence[float]) -> Side:
    return Side("bare interpreter", f"{Spread.of(seconds).median * 1e3:.1f} ms")
