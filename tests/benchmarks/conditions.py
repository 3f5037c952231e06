"""What ran a benchmark and who disturbed it: as far as it matters to reading the figures."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import attrs

from tests.benchmarks import node, postfix

PACKAGES = ("pillarbox", "pillarbox-smtp", "Django", "aiosmtplib", "redmail")
NOISY_LOAD = 0.5
"""Load a core before the run, from which on the machine was not idle."""
NOISY_SHARE = 0.1
"""Share of the machine that others took during the run, from which on they show."""
NOISY_STEAL = 0.02


@attrs.frozen
class Machine:
    """What ran the benchmarks."""

    python: str
    cores: int
    packages: dict[str, str]


@attrs.frozen
class Conditions:
    """What a benchmark ran under.

    Attributes:
        day: When, UTC.
        seconds: How long it took.
        load: The load average of the minute before: how many others wanted a core.
        others: Which share of the machine other programs took meanwhile, 0 to 1.
        stolen: Which share its own host withheld, 0 to 1.
    """

    day: str
    seconds: float
    load: float
    others: float
    stolen: float

    def noise(self, cores: int) -> str:
        """Return what disturbed the run, or ""."""
        told = []
        if self.load > NOISY_LOAD * cores:
            told.append(f"the load was {self.load:.1f} before")
        if self.others > NOISY_SHARE:
            told.append(f"others took {self.others:.0%} of the machine")
        if self.stolen > NOISY_STEAL:
            told.append(f"its host withheld {self.stolen:.0%}")
        return ", ".join(told)


def machine() -> Machine:
    """Return this machine."""
    packages = {name: _version(name) for name in PACKAGES}
    packages |= {"nodemailer": node.version(), "Postfix": postfix.version()}
    return Machine(platform.python_version(), len(os.sched_getaffinity(0)), packages)


def _version(package: str) -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return "missing"


@attrs.frozen
class _Ticks:
    """Seconds of CPU since the start: of the whole machine, of those busy, of those withheld, and of our own."""

    all: float
    busy: float
    stolen: float
    own: float


def _ticks() -> _Ticks:
    line = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    user, nice, system, idle, waiting, irq, soft, stolen = (
        int(one) / os.sysconf("SC_CLK_TCK") for one in line.split()[1:9]
    )
    busy = user + nice + system + irq + soft
    return _Ticks(busy + idle + waiting + stolen, busy, stolen, sum(os.times()[:4]))


class Watch:
    """Looks at the machine from its making to `conditions`."""

    def __init__(self) -> None:
        self._day = dt.datetime.now(dt.UTC).date().isoformat()
        self._load = os.getloadavg()[0]
        self._moment = os.times().elapsed
        self._before = _ticks()

    def conditions(self) -> Conditions:
        """Return what it saw; the processes that were started meanwhile have to have ended."""
        now = _ticks()
        spent = max(now.all - self._before.all, 1e-9)
        others = (now.busy - self._before.busy) - (now.own - self._before.own)
        return Conditions(
            day=self._day,
            seconds=round(os.times().elapsed - self._moment, 1),
            load=round(self._load, 2),
            others=round(max(0.0, others / spent), 3),
            stolen=round((now.stolen - self._before.stolen) / spent, 3),
        )
