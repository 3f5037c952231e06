"""Sending over one kept connection: messages a second at 20 ms, and the client's CPU from message to accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from tests.benchmarks.contenders import Samples, compare, warm_up
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, median, ratio
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import Counts, sink

ROUND_TRIP = 0.020
OURS = "pillarbox send_many"
ONE_BY_ONE = "pillarbox send"
READY = "smtplib, ready bytes"
COMPOSING = "smtplib + EmailMessage"
CEILING = "hand-made loop"
OTHERS = ("aiosmtplib + EmailMessage", "redmail", "nodemailer")

SPEED_BOUNDS = {READY: Bound(">=", 3.3), "nodemailer, ready bytes": Bound(">=", 1.8)}
SPEED_COUNT = 60
CPU_BOUNDS = {"4 KB": Bound("<=", 0.20), "100 KB": Bound("<=", 0.15), "5 MB": Bound("<=", 0.10)}
CPU_COUNTS = {"4 KB": (2_500, 500), "100 KB": (400, 40), "5 MB": (10, 2)}
"""Case -> how many we send in a turn, and how many a peer does: some tenths of a second each."""


def kept_connection(effort: Effort) -> Iterator[Row]:
    """Compare messages a second over one kept connection: 20 ms a round trip, 4 KB a message."""
    names = [OURS, *SPEED_BOUNDS, *([ONE_BY_ONE, CEILING] if effort.all_peers else [])]
    samples = measured(dict.fromkeys(names, SPEED_COUNT), "4 KB", effort, ROUND_TRIP)
    for peer, bound in SPEED_BOUNDS.items():
        yield _speed_row(samples, OURS, peer, bound)
    if effort.all_peers:
        yield _speed_row(samples, ONE_BY_ONE, READY, None)
        yield _speed_row(samples, CEILING, READY, None)


def accepted(effort: Effort) -> Iterator[Row]:
    """Compare the client's CPU from message to accepted, each message composed, over one kept connection."""
    for case, bound in CPU_BOUNDS.items():
        ours, theirs = CPU_COUNTS[case]
        counts = {OURS: ours, COMPOSING: theirs}
        if effort.all_peers:
            counts |= {ONE_BY_ONE: ours, CEILING: ours, **dict.fromkeys(OTHERS, theirs)}
        samples = measured(counts, case, effort)
        yield _cpu_row(case, samples, OURS, COMPOSING, bound)
        if effort.all_peers:
            yield _cpu_row(case, samples, ONE_BY_ONE, COMPOSING)
            yield _cpu_row(case, samples, CEILING, COMPOSING)
            yield from (_cpu_row(case, samples, OURS, peer) for peer in OTHERS)


def measured(counts: Mapping[str, int], case: str, effort: Effort, round_trip: float = 0.0) -> Samples:
    """Return the samples of all contenders at one sink, which must have accepted what they say they sent.

    Raises:
        AssertionError: The sink accepted another number of messages, or refused a command.
    """
    with sink(round_trip=round_trip) as server:
        samples = compare(counts, Job(case, server.port), effort)
        seen = server.counts()
    _check(seen, counts, effort)
    return samples


def _check(seen: Counts, counts: Mapping[str, int], effort: Effort) -> None:
    turns = [effort.times(count) for count in counts.values()]
    expected = sum(warm_up(turn) + turn * effort.rounds for turn in turns)
    assert (seen.messages, seen.refusals) == (expected, 0), f"expected {expected} messages, but {seen}"


def _speed_row(samples: Samples, ours: str, peer: str, bound: Bound | None) -> Row:
    wall = attrgetter("wall_each")
    return Row(
        name=f"20 ms, one kept connection, 4 KB: {ours}",
        ours=f"{1 / median(samples[ours], wall):.1f} msg/s",
        peer=f"{peer}: {1 / median(samples[peer], wall):.1f} msg/s",
        figure=ratio(samples[peer], samples[ours], wall),
        bound=bound,
    )


def _cpu_row(case: str, samples: Samples, ours: str, peer: str, bound: Bound | None = None) -> Row:
    cpu = attrgetter("cpu_each")
    return Row(
        name=f"message to accepted, CPU, {case}: {ours}",
        ours=f"{median(samples[ours], cpu) * 1e3:.3f} ms",
        peer=f"{peer}: {median(samples[peer], cpu) * 1e3:.2f} ms",
        figure=ratio(samples[ours], samples[peer], cpu),
        bound=bound,
    )
