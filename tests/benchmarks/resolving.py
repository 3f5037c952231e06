"""Resolution among many users, and the price of loading them: per second of CPU, in seconds of it and in octets."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

import attrs

from tests.benchmarks.contenders import compare, start_python
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Side, Spread
from tests.benchmarks.jobs import Job

KNOWN = "pillarbox explain"
WITH_VAULT = "pillarbox explain, with a vault"
FIRST = "pillarbox explain, first time"
SQLITE = "sqlite3 point read"
LOADING = "pillarbox TomlDirectory"
PARSING = "tomllib"

RESOLUTIONS = {KNOWN: 200_000, SQLITE: 50_000}
MORE_RESOLUTIONS = {WITH_VAULT: 10_000, FIRST: 10_000}
RESOLUTION_BOUND = Bound(">=", 150_000.0)
LOADING_BOUND = Bound("<=", 1.0)


def resolution(effort: Effort) -> Iterator[Row]:
    """State resolutions a second of CPU, in random order, each looking whether another process changed the settings."""
    more = MORE_RESOLUTIONS if effort.all_peers else {}
    samples = compare(RESOLUTIONS | more, Job(users=effort.users), effort)
    rate = attrgetter("a_cpu_second")
    for name, bound in {KNOWN: RESOLUTION_BOUND, **dict.fromkeys(more)}.items():
        yield Row(
            name=f"resolution, {effort.users:,} users",
            ours=samples.side(name, rate, "{:,.0f} /s"),
            peer=samples.side(SQLITE, rate, "{:,.0f} /s"),
            figure=Spread.of(list(map(rate, samples[name]))),
            unit="/s of CPU",
            bound=bound,
        )


def loading(effort: Effort) -> Iterator[Row]:
    """State the CPU seconds from parsed TOML to checked records, and the memory that these take."""
    for personal, what, bound in ((10, "every tenth personal", LOADING_BOUND), (1, "all personal", None)):
        if bound or effort.all_peers:
            yield _structuring(what, bound, Job(users=effort.users, personal=personal), effort)
    if effort.all_peers:
        yield _memory(Job(users=effort.users))


def _structuring(what: str, bound: Bound | None, job: Job, effort: Effort) -> Row:
    few = attrs.evolve(effort, rounds=effort.loads if bound else 1)
    samples = compare({LOADING: 1, PARSING: 1}, job, few)
    cpu = attrgetter("cpu")
    return Row(
        name=f"{job.users:,} users structured, {what}",
        ours=samples.side(LOADING, cpu, "{:.2f} s with parsing"),
        peer=samples.side(PARSING, cpu, "{:.2f} s"),
        figure=Spread.of([a.cpu - b.cpu for a, b in zip(samples[LOADING], samples[PARSING], strict=True)]),
        unit="s of CPU",
        bound=bound,
    )


def _memory(job: Job) -> Row:
    with start_python(LOADING, job) as running:
        peak = running.peak()
    kept = Spread.of([peak["kept"] / 1e6])
    return Row(
        name=f"memory of {job.users:,} users",
        ours=Side(LOADING, f"{kept.median * 1e6 / job.users:,.0f} octets a user"),
        peer=Side("peak while loading", f"{peak['resident'] / 1e6:,.0f} MB resident"),
        figure=kept,
        unit="MB kept",
    )
