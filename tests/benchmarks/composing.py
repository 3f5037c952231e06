"""Composing alone: from the host's values to octets fit for the wire, in CPU and in memory at the peak."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from tests.benchmarks import cases
from tests.benchmarks.contenders import AGAIN, compare, start_python
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Samples, Side, Spread
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import sink

OURS = "pillarbox compose"
STDLIB = "EmailMessage"
STDLIB_AGAIN = STDLIB + AGAIN
DJANGO = "Django EmailMultiAlternatives"
NODE = "nodemailer MailComposer"

BOUNDS = {
    ("4 KB", STDLIB): Bound(">=", 8.0),
    ("4 KB", DJANGO): Bound(">=", 2.0),
    ("5 MB", STDLIB): Bound(">=", 15.0),
}
COUNTS = {
    "4 KB": (2_000, 200),
    "4 KB, umlauts": (2_000, 200),
    "4 KB, HTML": (1_000, 150),
    "100 KB": (400, 40),
    "5 MB": (20, 2),
}
"""Case -> how many we compose in a turn, and how many a peer does."""
MEMORY_BOUND = Bound("<=", 3.0)


def composition(effort: Effort) -> Iterator[Row]:
    """Compare the CPU of composing; the bounds are for plain text at 4 KB and one attachment at 5 MB."""
    for case in COUNTS if effort.all_peers else dict.fromkeys(case for case, _ in BOUNDS):
        yield from _composition(case, effort)


def _composition(case: str, effort: Effort) -> Iterator[Row]:
    ours, theirs = COUNTS[case]
    bounded = [peer for at, peer in BOUNDS if at == case]
    peers = [STDLIB, DJANGO, NODE] if effort.all_peers else bounded
    counts = {OURS: ours, **dict.fromkeys(peers, theirs)}
    if NODE in counts:
        counts[NODE] = ours  # its compiler needs some hundreds to be done
    samples = compare(counts, Job(case), effort)
    yield from (_row(case, samples, peer, BOUNDS.get((case, peer))) for peer in peers)


def noise(effort: Effort) -> Iterator[Row]:
    """Compare a contender with itself: the spread of this row is what the machine does to every other."""
    samples = compare({STDLIB: 200, STDLIB_AGAIN: 200}, Job("4 KB"), effort)
    ms = attrgetter("cpu_ms")
    yield Row(
        name="the same against itself, 4 KB, CPU",
        ours=samples.side(STDLIB, ms, "{:.3f} ms"),
        peer=samples.side(STDLIB_AGAIN, ms, "{:.3f} ms"),
        figure=samples.ratio(STDLIB, STDLIB_AGAIN, ms),
    )


def memory(effort: Effort) -> Iterator[Row]:
    """Compare the peak of memory for one 5 MB attachment, as a multiple of it, the attachment itself included."""
    yield _peak_row("composition", OURS, STDLIB, effort, MEMORY_BOUND)
    if effort.all_peers:
        with sink() as server:
            yield _peak_row(
                "to accepted", "pillarbox send", "smtplib + EmailMessage", effort, None, server.port
            )


def _row(case: str, samples: Samples, peer: str, bound: Bound | None) -> Row:
    ms = attrgetter("cpu_ms")
    return Row(
        name=f"composition, {case}, CPU",
        ours=samples.side(OURS, ms, "{:.3f} ms"),
        peer=samples.side(peer, ms, "{:.2f} ms"),
        figure=samples.ratio(peer, OURS, ms),
        bound=bound,
    )


def _peak_row(what: str, ours: str, peer: str, effort: Effort, bound: Bound | None, port: int = 0) -> Row:
    mine, theirs = (_multiples(name, effort, port) for name in (ours, peer))
    return Row(
        name=f"peak memory, 5 MB attachment, {what}",
        ours=Side(ours, _peak_text(*mine)),
        peer=Side(peer, _peak_text(*theirs)),
        figure=mine[0],
        unit="x the attachment",
        bound=bound,
    )


def _peak_text(traced: Spread, resident: Spread) -> str:
    return f"{traced.median:.2f} traced, {resident.median:.2f} resident"


def _multiples(name: str, effort: Effort, port: int) -> tuple[Spread, Spread]:
    """Return the peaks that Python's allocators and the kernel count, as multiples of the attachment."""
    attachment = len(cases.case("5 MB").attachment or b"")
    with start_python(name, Job("5 MB", port)) as running:
        running.turn(1)
        peaks = [running.peak() for _ in range(effort.rounds)]
    traced, resident = (
        Spread.of([1 + peak[kind] / attachment for peak in peaks]) for kind in ("traced", "resident")
    )
    return traced, resident
