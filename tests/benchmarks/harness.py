"""Runs contenders in turns and states their ratios with the spread: the measuring, without knowing what."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import attrs


@attrs.frozen
class Sample:
    """One turn of one contender.

    Attributes:
        count: How often it did the thing.
        wall: Seconds that passed.
        cpu: Seconds of user and system time of the contender's own process, all its threads.
    """

    count: int
    wall: float
    cpu: float

    @property
    def cpu_each(self) -> float:
        """CPU seconds for one."""
        return self.cpu / self.count

    @property
    def wall_each(self) -> float:
        """Seconds for one."""
        return self.wall / self.count


class Contender(Protocol):
    """Somebody who can be asked to do the thing *count* times."""

    def turn(self, count: int) -> Sample:
        """Do it, and say what it took."""


@attrs.frozen
class Spread:
    """A median, with the lowest and the highest of what it is the median of."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of *values*, at least one."""
        return cls(statistics.median(values), min(values), max(values))


@attrs.frozen
class Bound:
    """What a figure has to keep to, itself included."""

    relation: Literal[">=", "<="]
    value: float

    def keeps(self, figure: float) -> bool:
        """Tell whether *figure* is within."""
        return figure >= self.value if self.relation == ">=" else figure <= self.value


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was compared.
        ours, peer: Both figures, for people.
        figure: What is judged: median and spread.
        unit: `x` for a ratio, else the unit of the figure.
        bound: What it has to keep to; None for a row that only informs.
    """

    name: str
    ours: str
    peer: str
    figure: Spread
    unit: str = "x"
    bound: Bound | None = None

    @property
    def missed(self) -> bool:
        """Whether the median is on the wrong side of the bound."""
        return self.bound is not None and not self.bound.keeps(self.figure.median)

    @property
    def verdict(self) -> str:
        """`ok` or `miss`, with `?` when some rounds fell on the other side; "" without a bound."""
        if self.bound is None:
            return ""
        sides = {self.bound.keeps(self.figure.low), self.bound.keeps(self.figure.high)}
        return ("miss" if self.missed else "ok") + ("?" if len(sides) == 2 else "")


def in_turns(
    contenders: Mapping[str, Contender], counts: Mapping[str, int], rounds: int
) -> dict[str, tuple[Sample, ...]]:
    """Return each contender's samples, one a round; in each round all take their turn, another one first."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(contenders[name].turn(counts[name]))
    return {name: tuple(taken) for name, taken in samples.items()}


def ratio(over: Sequence[Sample], under: Sequence[Sample], measure: Callable[[Sample], float]) -> Spread:
    """Return the median of the per-round ratios of *measure*, with their spread.

    Both samples of a pair stem from the same round, so what slows the machine down for a while slows both.
    """
    return Spread.of([measure(a) / measure(b) for a, b in zip(over, under, strict=True)])


def median(samples: Sequence[Sample], measure: Callable[[Sample], float]) -> float:
    """Return the median of *measure* over *samples*."""
    return statistics.median(map(measure, samples))


def timed(run: Callable[[int], object], count: int) -> Sample:
    """Return what `run(count)` took in this process; garbage of earlier turns is collected before."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    run(count)
    return Sample(count, time.perf_counter() - wall, time.process_time() - cpu)
