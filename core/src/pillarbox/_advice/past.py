"""What was sent so far, held against what the account would take: sizes, recipients, the busiest minute and day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import attrs

from .._outbox import Entry
from .._plugins import asked
from .._route import Finding, Level
from .._transports import Limits, Transport
from .change import Change

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


def past(change: Change, transport: type[Transport]) -> Iterator[Finding]:
    """Yield what of the past the account would not have taken."""
    account = change.account
    if account is None:
        return
    if not change.sent:
        seen = "nothing of what was sent is known, so sizes and rates can't be compared"
        yield Finding("history", Level.SKIP, "change-no-history", seen)
        return
    limits = asked(transport, "limits", account.settings)
    able = transport.capabilities(change.connection(account))
    if able.size is not None:
        limits = attrs.evolve(limits, size=min(able.size, limits.size or able.size))
    yield _sizes(change.sent, limits, transport)
    yield from _recipients(change.sent, limits, transport)
    yield from _rates(change.sent, limits)


def _sizes(sent: Sequence[Entry], limits: Limits, transport: type[Transport]) -> Finding:
    sizes = [one.size for one in sent if one.size]
    if limits.size is None or not sizes:
        largest = f"; the largest had {max(sizes):,} octets" if sizes else ""
        why = (
            "no largest size is known in advance"
            if limits.size is None
            else "the sizes of the past are not known"
        )
        return Finding("size", Level.SKIP, "change-size-unknown", f"{why}{largest}")
    over = [size for size in sizes if size > limits.size]
    if not over:
        seen = f"the largest of {len(sizes):,} messages had {max(sizes):,} octets; it takes {limits.size:,}"
        return Finding("size", Level.OK, "change-size-fits", seen)
    seen = f"{len(over):,} of {len(sizes):,} messages had more than {limits.size:,} octets, the largest {max(over):,}"
    cure = "Send less, or a link to it."
    if transport.connector:
        cure = (
            "Connect the account with send and confirm, which may take more; else send less, or a link to it."
        )
    return Finding("size", Level.FAIL, "change-size", seen, cure)


def _recipients(sent: Sequence[Entry], limits: Limits, transport: type[Transport]) -> Iterator[Finding]:
    if limits.recipients is None:
        return
    counts = [max(len(one.submission.envelope.recipients), _answered(one)) for one in sent]
    over = [count for count in counts if count > limits.recipients]
    if not over:
        return
    seen = f"{len(over):,} messages had more than {limits.recipients:,} recipients, the most {max(over):,}"
    if transport.takes_envelope:
        yield Finding("recipients", Level.WARN, "change-recipients", f"{seen}; they would be split")
    else:
        yield Finding(
            "recipients", Level.FAIL, "change-recipients", f"{seen}; they would be refused", "Split them."
        )


def _answered(entry: Entry) -> int:
    return len(entry.receipt.recipients) if entry.receipt is not None else 0


def _rates(sent: Sequence[Entry], limits: Limits) -> Iterator[Finding]:
    moments = sorted(one.attempted_at for one in sent if one.attempted_at is not None)
    held = [
        (busiest(moments, span), most, name)
        for span, most, name in ((MINUTE, limits.per_minute, "minute"), (DAY, limits.per_day, "day"))
        if most is not None and moments
    ]
    for (count, began), most, name in held:
        if count > most:
            seen = f"{count:,} messages left in the {name} from {began:%Y-%m-%d %H:%M} UTC; it takes {most:,} a {name}"
            yield Finding("rate", Level.WARN, "change-rate", seen, "The rest would wait, and leave later.")
    if held and all(count <= most for (count, _), most, _ in held):
        told = ", ".join(f"{count:,} of {most:,} in a {name}" for (count, _), most, name in held)
        yield Finding("rate", Level.OK, "change-rate-fits", f"at the busiest, {told}")


def busiest(moments: Sequence[dt.datetime], span: dt.timedelta) -> tuple[int, dt.datetime]:
    """Return how many of *moments*, in order and not none, lie within one *span*, and where that begins."""
    first, best = 0, (0, moments[0])
    for last, moment in enumerate(moments):
        while moment - moments[first] >= span:
            first += 1
        best = max(best, (last - first + 1, moments[first]), key=lambda one: one[0])
    return best
