"""A message with a large file to the interfaces of Microsoft 365 and Gmail: CPU of the client, and memory at the peak."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from tests.benchmarks import cases, ours
from tests.benchmarks.contenders import compare, start_python
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Samples, Side, Spread
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import listening

BY_HAND = "requests.post(json=)"
GRAPH, GRAPH_AT_ONCE = "pillarbox m365, send and confirm", "pillarbox m365, send only"
COMPOSED, COMPOSED_AT_ONCE = f"{GRAPH}, composed before", f"{GRAPH_AT_ONCE}, composed before"
GMAIL, GMAIL_AT_ONCE = "pillarbox gmail, send and confirm", "pillarbox gmail, send only"
CPU_BOUND, APART_BOUND, UPLOAD_BOUND = Bound("<=", 0.5), Bound("<=", 1.0), Bound("<=", 1.5)
"""For a message that is sent as it was composed, or was composed before; for one that is composed and taken apart into
fields; for one whose file is decoded as well."""
MEMORY_BOUND = Bound("<=", 2.5)
COUNT = 10
"""How many a contender sends in a turn."""
FORMS = (
    ("graph", "3 MB", GRAPH, UPLOAD_BOUND),
    ("graph", "2.9 MB", GRAPH, APART_BOUND),
    ("graph", "2.9 MB", GRAPH_AT_ONCE, APART_BOUND),
    ("graph", "2.9 MB", COMPOSED, CPU_BOUND),
    ("graph", "2.9 MB", COMPOSED_AT_ONCE, CPU_BOUND),
    ("gmail", "3 MB", GMAIL, CPU_BOUND),
    ("gmail", "3 MB", GMAIL_AT_ONCE, CPU_BOUND),
)
"""Server, case, contender, bound of its CPU. From 3 MB on Graph wants a file by an upload session, in octets."""


def providers(effort: Effort) -> Iterator[Row]:
    """Compare the CPU from the host's values to the receipt with a post of the same file as JSON."""
    for server, case, contender, bound in FORMS:
        with listening("tests.benchmarks.fakes", server) as port:
            samples = compare({contender: COUNT, BY_HAND: COUNT}, Job(case, port), effort)
        yield _row(case, samples, contender, bound)


def provider_memory(effort: Effort) -> Iterator[Row]:
    """Measure the peak of memory as a multiple of the composed message, the host's own file included."""
    for server, case, contender, _ in FORMS:
        with listening("tests.benchmarks.fakes", server) as port:
            mine, theirs = (_multiples(name, case, effort, port) for name in (contender, BY_HAND))
        for kind in ("traced", "resident"):
            yield Row(
                name=f"peak memory, {case} attachment, {kind}",
                ours=Side(contender, f"{mine[kind].median:.2f}"),
                peer=Side(BY_HAND, f"{theirs[kind].median:.2f}"),
                figure=mine[kind],
                unit="x the message",
                bound=MEMORY_BOUND,
            )


def _row(case: str, samples: Samples, contender: str, bound: Bound) -> Row:
    ms = attrgetter("cpu_ms")
    return Row(
        name=f"{case} attachment to accepted, CPU",
        ours=samples.side(contender, ms, "{:.2f} ms"),
        peer=samples.side(BY_HAND, ms, "{:.2f} ms"),
        figure=samples.ratio(contender, BY_HAND, ms),
        bound=bound,
    )


def _multiples(name: str, case: str, effort: Effort, port: int) -> dict[str, Spread]:
    """Return the peaks that Python's allocators and the kernel count, as multiples of the message."""
    what = cases.case(case)
    size, attachment = ours.composed(what).size, len(what.attachment or b"")
    with start_python(name, Job(case, port)) as running:
        running.turn(1)
        peaks = [running.peak() for _ in range(effort.rounds)]
    return {
        kind: Spread.of([(attachment + peak[kind]) / size for peak in peaks])
        for kind in ("traced", "resident")
    }
