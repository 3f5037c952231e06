"""Runs contenders in turns and states their ratios with the spread: the measuring, without knowing what."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    def cpu_ms(self) -> float:
        """CPU milliseconds for one."""
        return self.cpu_each * 1e3

    @property
    def a_cpu_second(self) -> float:
        """How many in a second of CPU."""
        return self.count / self.cpu

    @property
    def wall_each(self) -> float:
        """Seconds for one."""
        return self.wall / self.count

    @property
    def a_second(self) -> float:
        """How many in a second."""
        return self.count / self.wall


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


@attrs.frozen
class Side:
    """One side of a comparison, for people.

    Attributes:
        name: Who.
        said: Its own figure, or why it has none.
    """

    name: str
    said: str

    def __str__(self) -> str:
        return f"{self.name}: {self.said}"


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was compared.
        ours, peer: Who took part.
        figure: What is judged: median and spread; None where the peer is missing.
        unit: `x` for a ratio, else the unit of the figure.
        bound: What it has to keep to; None for a row that only informs.
    """

    name: str
    ours: Side
    peer: Side
    figure: Spread | None
    unit: str = "x"
    bound: Bound | None = None

    @property
    def missed(self) -> bool:
        """Whether every round is on the wrong side of the bound: beyond what the spread explains."""
        return self.verdict == "missed"

    @property
    def verdict(self) -> str:
        """`met` or `missed` by the median, with `?` when some rounds say otherwise; "" without a bound."""
        if self.figure is None:
            return "not measured"
        if self.bound is None:
            return ""
        kept = self.bound.keeps(self.figure.median)
        sides = {self.bound.keeps(self.figure.low), self.bound.keeps(self.figure.high)}
        return ("met" if kept else "missed") + ("?" if len(sides) == 2 else "")


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


@attrs.frozen
class Samples(Mapping[str, tuple[Sample, ...]]):
    """What the contenders of one comparison took.

    Attributes:
        taken: By the name of each, one sample a round.
        missing: Those that this machine does not have, and the cure.
    """

    taken: Mapping[str, tuple[Sample, ...]]
    missing: Mapping[str, str] = attrs.field(factory=dict)

    def __getitem__(self, name: str) -> tuple[Sample, ...]:
        return self.taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.taken)

    def __len__(self) -> int:
        return len(self.taken)

    def side(self, name: str, measure: Callable[[Sample], float], form: str) -> Side:
        """Return *name* with the median of *measure*, in words; or why it is missing."""
        missing = self.missing.get(name)
        return Side(name, missing if missing is not None else form.format(median(self[name], measure)))

    def ratio(self, over: str, under: str, measure: Callable[[Sample], float]) -> Spread | None:
        """Return the ratio of *measure* between two contenders, or None where one is missing."""
        if over in self.missing or under in self.missing:
            return None
        return ratio(self[over], self[under], measure)


def timed(run: Callable[[int], object], count: int) -> Sample:
    """Return what `run(count)` took in this process.

    Garbage of earlier turns is collected before, and what the run returns is let go behind it.
    """
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    kept = run(count)
    taken = Sample(count, time.perf_counter() - wall, time.process_time() - cpu)
    del kept
    return taken
