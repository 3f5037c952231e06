"""Who takes part: each contender by the name it has in the table, started, warmed up and taking turns."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import attrs

from tests.benchmarks import node
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Sample, in_turns
from tests.benchmarks.jobs import Job
from tests.benchmarks.processes import Process, process, python

Samples = Mapping[str, tuple[Sample, ...]]
AGAIN = ", again"
"""Ends the name of a contender that takes part twice, in two processes."""


def start(name: str, job: Job) -> contextlib.AbstractContextManager[Process]:
    """Start the contender called *name* on *job*."""
    if name in node.CONTENDERS:
        return node.contender(name, job)
    told = {"contender": name.removesuffix(AGAIN), **attrs.asdict(job)}
    return process(name, python("tests.benchmarks.worker"), told)


def compare(counts: Mapping[str, int], job: Job, effort: Effort) -> Samples:
    """Return the samples of all contenders named in *counts*, each doing that many, scaled, a turn.

    All are started and have done half a turn before the first round.
    """
    scaled = {name: effort.times(count) for name, count in counts.items()}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(start(name, job)) for name in counts}
        for name, count in scaled.items():
            if warm_up(count):
                running[name].turn(warm_up(count))
        return in_turns(running, scaled, effort.rounds)


def warm_up(count: int) -> int:
    """Return how many are done before the first turn of *count*: half of it, so none where one is all there is."""
    return count // 2
