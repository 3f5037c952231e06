"""Who takes part: each contender by the name it has in the table, started, warmed up and taking turns."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Mapping

import attrs

from tests.benchmarks import node, postfix
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Contender, Samples, in_turns
from tests.benchmarks.jobs import Job
from tests.benchmarks.processes import Process, process, python

AGAIN = ", again"
"""Ends the name of a contender that takes part twice, in two processes."""
PACKAGES = {
    "aiosmtplib + EmailMessage": "aiosmtplib",
    "aiosmtplib, kept TLS lines": "aiosmtplib",
    "redmail": "redmail",
    "huey, SQLite with fsync": "huey",
    "import aiosmtplib": "aiosmtplib",
    "import redmail": "redmail",
    "Django EmailMultiAlternatives": "django",
}
"""Contender -> the package it stands for."""


def start(name: str, job: Job) -> contextlib.AbstractContextManager[Contender]:
    """Start the contender called *name*, which is not missing, on *job*."""
    if name in node.CONTENDERS:
        return node.contender(name, job)
    if name == postfix.SMTP_SOURCE:
        return postfix.contender(job)
    return start_python(name, job)


def start_python(name: str, job: Job) -> contextlib.AbstractContextManager[Process]:
    """Start a Python contender, which can tell of its memory too."""
    told = {"contender": name.removesuffix(AGAIN), **attrs.asdict(job)}
    return process(name, python("tests.benchmarks.worker"), told)


def missing(name: str) -> str:
    """Return what the contender called *name* lacks on this machine, with the cure; "" when it can run."""
    package = PACKAGES.get(name)
    if package is not None and importlib.util.find_spec(package) is None:
        return f"missing: pip install {package}"
    if name in node.CONTENDERS:
        return node.missing()
    return postfix.missing() if name == postfix.SMTP_SOURCE else ""


def compare(counts: Mapping[str, int], job: Job, effort: Effort) -> Samples:
    """Return the samples of all contenders named in *counts*, each doing that many, scaled, a turn.

    All are started and have done half a turn before the first round.
    """
    lacks = {name: missing(name) for name in counts}
    scaled = {name: effort.times(count) for name, count in counts.items() if not lacks[name]}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(start(name, job)) for name in scaled}
        for name, count in scaled.items():
            if warm_up(count):
                running[name].turn(warm_up(count))
        taken = in_turns(running, scaled, effort.rounds)
    return Samples(taken, {name: lack for name, lack in lacks.items() if lack})


def warm_up(count: int) -> int:
    """Return how many are done before the first turn of *count*: half of it, so none where one is all there is."""
    return count // 2
