"""OpenTelemetry with its real SDK: what is counted, how long it took, how the outbox stands; and nothing without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox import OutcomeUnknown, Plugins, SendDeferred, SendRejected, State
from pillarbox.outbox import OutboxSettings
from tests.core.doubles import LETTER, slow, until
from tests.core.test_status import desk

ROOT = Path(__file__).resolve().parents[2]
SDK = pytest.importorskip("opentelemetry.sdk", reason="install opentelemetry-sdk, of the group test")


@pytest.fixture(scope="module")
def measured():
    """The SDK with exporters in memory; a process can be given a provider once."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
    metrics.set_meter_provider(MeterProvider([reader]))
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    yield reader, spans
    metrics.get_meter_provider().shutdown()
    tracing.shutdown()


def points(reader, name):
    """Return the measured points of *name*, by their attributes."""
    found = reader.get_metrics_data()
    return {
        tuple(sorted(point.attributes.items())): point
        for resource in found.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    }


def test_attempts_are_counted_by_method_and_state(measured):
    """With how long they took, and how long it was until the carrier's word."""
    reader, spans = measured
    mailer = desk()
    mailer.enqueue(LETTER), mailer.enqueue(LETTER)
    spans.clear()
    mailer.worker().run(drain=True)
    accepted = (("pillarbox.method", "slowmail"), ("pillarbox.state", "accepted"))
    assert points(reader, "pillarbox.attempts")[accepted].value >= 2
    assert points(reader, "pillarbox.attempt.duration")[accepted].count >= 2
    assert points(reader, "pillarbox.accepted.after")[accepted[:1]].count >= 2
    assert [span.name for span in spans.get_finished_spans()] == ["pillarbox.attempt"] * 2


def test_an_attempt_is_a_span_below_what_the_host_does(measured):
    """With the kind of its error, and no address."""
    from opentelemetry import trace

    _, spans = measured
    method = slow()
    method.send = lambda self, submission, journal: (_ for _ in ()).throw(
        SendRejected("550 no ap@customer.example")
    )
    spans.clear()
    with trace.get_tracer("host").start_as_current_span("invoice"), pytest.raises(SendRejected):
        desk(method).send(LETTER)
    attempt, host = spans.get_finished_spans()
    assert attempt.parent.span_id == host.context.span_id
    assert attempt.attributes["error.type"] == "SendRejected"
    assert attempt.attributes["pillarbox.state"] == "rejected"
    assert "customer.example" not in attempt.to_json()


def test_the_outbox_is_asked_how_it_stands(measured):
    """By state and method, and the oldest of each account; as long as it lives."""
    reader, _ = measured
    mailer = desk()
    mailer.enqueue(LETTER), mailer.queue.hold(mailer.enqueue(LETTER, user="otto").key, "look")
    mailer.worker()
    held = (("pillarbox.method", "slowmail"), ("pillarbox.state", "held"))
    assert points(reader, "pillarbox.outbox.entries")[held].value >= 1
    accounts = {dict(key)["pillarbox.account"] for key in points(reader, "pillarbox.outbox.oldest")}
    assert {"company/company/slowmail", "company/user:otto/slowmail"} <= accounts


def test_an_outbox_that_fails_is_left_out(measured):
    """The others are told all the same."""
    reader, _ = measured
    good, bad = desk(), desk()
    good.enqueue(LETTER)
    good.worker(), bad.worker()
    bad.queue.lanes = lambda user=None: 1 / 0
    assert points(reader, "pillarbox.outbox.entries")


def test_without_opentelemetry_nothing_is_imported():
    """Also when it is installed: who has not set it up does not pay for it."""
    code = (
        "import sys; from tests.core.test_status import desk; from tests.core.doubles import LETTER\n"
        "mailer = desk(); mailer.enqueue(LETTER); mailer.worker().run(drain=True)\n"
        "sys.exit('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0


class Audit:
    """Hears of every attempt."""

    def __init__(self, monkeypatch):
        self.heard = []
        monkeypatch.setattr(Plugins, "tell_attempt", property(lambda _: self.heard.append))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, State.ACCEPTED),
        (SendRejected("no"), State.REJECTED),
        (SendDeferred("later"), State.DEFERRED),
        (OutcomeUnknown("?"), State.UNKNOWN),
    ],
)
def test_plugins_hear_of_a_workers_attempt_with_the_state_of_its_entry(monkeypatch, error, state):
    """And since when it had waited."""
    audit = Audit(monkeypatch)
    method = slow()
    good = method.send

    def send(self, submission, journal):
        if error is not None:
            raise error
        return good(self, submission, journal)

    method.send = send
    mailer = desk(method)
    entry = mailer.enqueue(LETTER)
    mailer.worker().run(drain=True)
    first = audit.heard[0]
    assert (first.submission, first.state, first.put_at) == (entry.key, state, entry.created_at)


def test_what_is_given_up_is_told_as_rejected(monkeypatch):
    """Though the attempt by itself would have been one for later."""
    audit = Audit(monkeypatch)
    method = slow()
    method.send = lambda self, submission, journal: (_ for _ in ()).throw(SendDeferred("busy"))
    mailer = desk(method, OutboxSettings(shortest_wait=0.01, longest_wait=0.01, retry_for=0))
    mailer.enqueue(LETTER)
    with mailer.worker():
        until(lambda: len(audit.heard) == 2)
    assert [attempt.state for attempt in audit.heard] == [State.DEFERRED, State.REJECTED]
