"""Memory of connections that are kept: what the process of the client grows by for each, under real TLS."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.contenders import missing, start_python
from tests.benchmarks.efforts import Effort
from tests.benchmarks.harness import Bound, Row, Side, Spread
from tests.benchmarks.jobs import Job
from tests.benchmarks.sinks import sink, under_tls

OURS = "pillarbox, kept TLS lines"
PEERS = ("smtplib, kept TLS lines", "aiosmtplib, kept TLS lines")
BOUND = Bound("<=", 64.0)
WARM_UP = 20
"""Connections that are opened before the first is counted, so that what is loaded once counts for none."""


def kept_lines(effort: Effort) -> Iterator[Row]:
    """Compare what one kept TLS connection takes, where each mailbox has its own."""
    ours = _grown(OURS, effort)
    for peer in PEERS if effort.all_peers else PEERS[:1]:
        yield Row(
            name=f"{effort.lines:,} kept TLS connections, each",
            ours=Side(OURS, _text(ours)),
            peer=Side(peer, missing(peer) or _text(_grown(peer, effort))),
            figure=Spread.of([one["proportional"] for one in ours]),
            unit="KiB",
            bound=BOUND if peer == PEERS[0] else None,
        )


def _grown(name: str, effort: Effort) -> list[dict[str, float]]:
    """Return, for each process, KiB a connection."""
    with sink() as server, under_tls(server) as (port, ca_file):
        job = Job("4 KB", port, users=WARM_UP + effort.lines, ca_file=ca_file)
        return [_grown_once(name, job, effort.lines) for _ in range(effort.loads)]


def _grown_once(name: str, job: Job, lines: int) -> dict[str, float]:
    with start_python(name, job) as running:
        running.turn(WARM_UP)
        grown = running.growth(lines)
    assert grown["sockets"] == lines, f"{name} keeps {grown['sockets']} connections open, not {lines}"
    return {kind: octets / 1024 / lines for kind, octets in grown.items()}


def _text(grown: list[dict[str, float]]) -> str:
    shared, whole = (Spread.of([one[kind] for one in grown]).median for kind in ("proportional", "resident"))
    return f"{shared:.1f} KiB, {whole:.1f} resident"
