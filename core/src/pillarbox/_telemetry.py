"""OpenTelemetry, where the host has it: attempts as spans and counts, and how the outbox stands; nothing where it has not.

Only the API is used, and only when the host, or `opentelemetry-instrument`, has imported it already: without that there is
nobody to measure for. No address, no subject and no key of a secret is an attribute.
"""

from __future__ import annotations

import functools
import heapq
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _log
from ._delivery import Told
from ._mail import State, now
from ._outbox import LaneCount, Outbox

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

    from ._route import Attempt

MOST_LANES = 1_000
"""The most accounts whose oldest entry is told: the longest waiting."""
_NANO = 1_000_000_000
_watched: weakref.WeakSet[Outbox] = weakref.WeakSet()


def is_there() -> bool:
    """Whether the host measures."""
    return "opentelemetry" in sys.modules


def telling(others: Told | None) -> Told | None:
    """Return what tells *others* of an attempt, and OpenTelemetry where it is there."""
    if not is_there():
        return others

    def told(attempt: Attempt) -> None:
        _measure(attempt)
        if others is not None:
            others(attempt)

    return told


def _measure(attempt: Attempt) -> None:
    """Count *attempt*, and give it a span below what the host is doing; a fault of the host's set-up changes nothing."""
    try:
        _count(attempt)
        _trace(attempt)
    except Exception as error:  # noqa: BLE001  (what is measured is not what is sent)
        _log.event("warning", "pillarbox.hook_failed", plugin="opentelemetry", error=type(error).__name__)


@functools.cache
def _instruments() -> tuple[Any, Any, Any]:
    meter = _meter()
    return (
        meter.create_counter(
            "pillarbox.attempts", "{attempt}", "Attempts, by method and by what they led to."
        ),
        meter.create_histogram("pillarbox.attempt.duration", "s", "How long an attempt took."),
        meter.create_histogram(
            "pillarbox.accepted.after",
            "s",
            "From the outbox to the carrier's word, waits and retries included.",
        ),
    )


def _meter() -> Any:
    from opentelemetry import metrics

    return metrics.get_meter("pillarbox")


def _count(attempt: Attempt) -> None:
    attempts, duration, accepted_after = _instruments()
    attributes = {"pillarbox.method": attempt.method, "pillarbox.state": attempt.state.value}
    attempts.add(1, attributes)
    duration.record(attempt.seconds, attributes)
    if attempt.state is State.ACCEPTED and attempt.put_at is not None:
        waited = max((now() - attempt.put_at).total_seconds(), 0.0)
        accepted_after.record(waited, {"pillarbox.method": attempt.method})


def _trace(attempt: Attempt) -> None:
    from opentelemetry import trace

    ended = int(now().timestamp() * _NANO)
    span = trace.get_tracer("pillarbox").start_span(
        "pillarbox.attempt",
        kind=trace.SpanKind.CLIENT,
        start_time=ended - int(attempt.seconds * _NANO),
        attributes={
            "pillarbox.method": attempt.method,
            "pillarbox.state": attempt.state.value,
            "pillarbox.submission": attempt.submission,
            "pillarbox.handed_over": attempt.handed_over,
        },
    )
    if attempt.error is not None:
        span.set_attribute("error.type", type(attempt.error).__name__)
        span.set_status(trace.Status(trace.StatusCode.ERROR))
    span.end(ended)


def watch(outbox: Outbox) -> None:
    """Let OpenTelemetry ask how *outbox* stands, as long as it lives; nothing where the host does not measure."""
    if is_there():
        _watched.add(outbox)
        _gauges()


@functools.cache
def _gauges() -> tuple[Any, ...]:
    meter = _meter()
    gauge = meter.create_observable_gauge
    return (
        gauge(
            "pillarbox.outbox.entries",
            [_asked(_entries)],
            "{entry}",
            "Entries that have not ended, by state and method.",
        ),
        gauge("pillarbox.outbox.oldest", [_asked(_oldest)], "s", "Age of the oldest entry of each account."),
        gauge("pillarbox.outbox.workers", [_asked(_workers)], "{worker}", "Workers that are alive."),
    )


Measured = tuple[float, dict[str, str]]


def _asked(
    measure: Callable[[Outbox], Iterable[Measured]],
) -> Callable[[CallbackOptions], Iterator[Observation]]:
    """Return the callback that asks every outbox that is watched; one that fails is left out."""

    def observe(_: CallbackOptions) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        for outbox in list(_watched):
            try:
                found = list(measure(outbox))
            except Exception as error:  # noqa: BLE001  (a storage that fails for a while)
                _log.event("warning", "pillarbox.outbox_failed", error=type(error).__name__)
                continue
            for value, attributes in found:
                yield Observation(value, attributes)

    return observe


def _entries(outbox: Outbox) -> Iterator[Measured]:
    counted: dict[tuple[str, str], int] = {}
    for lane in outbox.lanes():
        for state, count in lane.counts.items():
            key = (state.value, lane.method)
            counted[key] = counted.get(key, 0) + count
    for (state_name, method), count in counted.items():
        yield count, {"pillarbox.state": state_name, "pillarbox.method": method}


def _oldest(outbox: Outbox) -> Iterator[Measured]:
    at = outbox.clock()

    def age(lane: LaneCount) -> float:
        return (at - lane.oldest).total_seconds() if lane.oldest is not None else 0.0

    for lane in heapq.nlargest(MOST_LANES, outbox.lanes(), key=age):
        yield age(lane), {"pillarbox.account": lane.account, "pillarbox.method": lane.method}


def _workers(outbox: Outbox) -> Iterator[Measured]:
    alive = outbox.workers()
    if alive is not None:
        yield alive, {}
