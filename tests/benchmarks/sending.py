"""Sending over one kept connection: messages a second at 20 ms, and the client's CPU from message to accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from tests.benchmarks import postfix
from tests.benchmarks.contenders import compare, warm_up
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Samples
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import Counts, sink

ROUND_TRIP = 0.020
OURS = "pillarbox send_many"
ONE_BY_ONE = "pillarbox send"
BULK = "pillarbox send_many, window 16"
AGAIN = "pillarbox send_many, the same attachment"
READY = "smtplib, ready bytes"
NODE_READY = "nodemailer, ready bytes"
COMPOSING = "smtplib + EmailMessage"
CEILING = "hand-made loop"
LIBRARIES = ("aiosmtplib + EmailMessage", "redmail")
OTHERS = (*LIBRARIES, "nodemailer", postfix.SMTP_SOURCE)

SPEED_BOUNDS = {READY: Bound(">=", 3.3), NODE_READY: Bound(">=", 1.8)}
BULK_BOUND = Bound(">=", 15.0)
SPEED_COUNTS = {
    OURS: 60,
    READY: 30,
    NODE_READY: 60,
    ONE_BY_ONE: 30,
    CEILING: 60,
    postfix.SMTP_SOURCE: 40,
    **dict.fromkeys(LIBRARIES, 30),
}
"""Contender -> how many it sends in a turn: about as many round trips each."""
BULK_COUNTS = {BULK: 400, READY: 20, NODE_READY: 30, postfix.SMTP_SOURCE: 20}
CPU_BOUNDS = {"4 KB": Bound("<=", 0.20), "100 KB": Bound("<=", 0.15), "5 MB": Bound("<=", 0.10)}
CPU_COUNTS = {"4 KB": (2_500, 500), "100 KB": (400, 40), "5 MB": (10, 2)}
"""Case -> how many we send in a turn, and how many a peer does: some tenths of a second each."""
AGAIN_BOUND = Bound("<=", 0.05)
AGAIN_COUNTS = {"100 KB": (1_000, 40), "5 MB": (60, 2)}


def kept_connection(effort: Effort) -> Iterator[Row]:
    """Compare messages a second over one kept connection: 20 ms a round trip, 4 KB a message."""
    counts = (
        SPEED_COUNTS if effort.all_peers else {name: SPEED_COUNTS[name] for name in (OURS, *SPEED_BOUNDS)}
    )
    samples = measured(counts, "4 KB", effort, ROUND_TRIP)
    for peer in (name for name in counts if name not in {OURS, ONE_BY_ONE, CEILING}):
        yield _speed_row(samples, OURS, peer, SPEED_BOUNDS.get(peer))
    if effort.all_peers:
        yield _speed_row(samples, ONE_BY_ONE, READY)
        yield _speed_row(samples, CEILING, READY)


def bulk(effort: Effort) -> Iterator[Row]:
    """Compare messages a second with sixteen messages on the way: 20 ms a round trip, one connection, 4 KB a message."""
    counts = BULK_COUNTS if effort.all_peers else {name: BULK_COUNTS[name] for name in (BULK, READY)}
    samples = measured(counts, "4 KB", effort, ROUND_TRIP)
    for peer in (name for name in counts if name != BULK):
        yield _speed_row(samples, BULK, peer, BULK_BOUND if peer == READY else None)


def accepted(effort: Effort) -> Iterator[Row]:
    """Compare the client's CPU from message to accepted, each message composed, over one kept connection."""
    for case, bound in CPU_BOUNDS.items():
        ours, theirs = CPU_COUNTS[case]
        counts = {OURS: ours, COMPOSING: theirs}
        if effort.all_peers:
            counts |= {ONE_BY_ONE: ours, CEILING: ours, **dict.fromkeys(OTHERS, theirs)}
            counts[postfix.SMTP_SOURCE] = ours
        samples = measured(counts, case, effort)
        yield _cpu_row(case, samples, OURS, COMPOSING, bound)
        if effort.all_peers:
            yield _cpu_row(case, samples, ONE_BY_ONE, COMPOSING)
            yield _cpu_row(case, samples, CEILING, COMPOSING)
            yield from (_cpu_row(case, samples, OURS, peer) for peer in OTHERS)


def attachment_again(effort: Effort) -> Iterator[Row]:
    """Compare the client's CPU for messages that all carry the very same attachment."""
    for case, (ours, theirs) in AGAIN_COUNTS.items():
        counts = {AGAIN: ours, COMPOSING: theirs}
        if effort.all_peers:
            counts |= {"nodemailer": theirs, postfix.SMTP_SOURCE: ours}
        samples = measured(counts, case, effort)
        for peer in list(counts)[1:]:
            yield _cpu_row(case, samples, AGAIN, peer, AGAIN_BOUND if peer == COMPOSING else None)


def measured(counts: Mapping[str, int], case: str, effort: Effort, round_trip: float = 0.0) -> Samples:
    """Return the samples of all contenders at one sink, which must have accepted what they say they sent.

    Raises:
        AssertionError: The sink accepted another number of messages, or refused a command.
    """
    with sink(round_trip=round_trip) as server:
        samples = compare(counts, Job(case, server.port), effort)
        seen = server.counts()
    _check(seen, {name: count for name, count in counts.items() if name in samples}, effort)
    return samples


def _check(seen: Counts, counts: Mapping[str, int], effort: Effort) -> None:
    turns = [effort.times(count) for count in counts.values()]
    expected = sum(warm_up(turn) + turn * effort.rounds for turn in turns)
    assert (seen.messages, seen.refusals) == (expected, 0), f"expected {expected} messages, but {seen}"


def _speed_row(samples: Samples, ours: str, peer: str, bound: Bound | None = None) -> Row:
    wall, a_second = attrgetter("wall_each"), attrgetter("a_second")
    return Row(
        name="20 ms, one connection, 4 KB, rate",
        ours=samples.side(ours, a_second, "{:.1f} msg/s"),
        peer=samples.side(peer, a_second, "{:.1f} msg/s"),
        figure=samples.ratio(peer, ours, wall),
        bound=bound,
    )


def _cpu_row(case: str, samples: Samples, ours: str, peer: str, bound: Bound | None = None) -> Row:
    cpu, ms = attrgetter("cpu_each"), attrgetter("cpu_ms")
    return Row(
        name=f"message to accepted, {case}, CPU",
        ours=samples.side(ours, ms, "{:.3f} ms"),
        peer=samples.side(peer, ms, "{:.2f} ms"),
        figure=samples.ratio(ours, peer, cpu),
        bound=bound,
    )
