"""What would become of a company's mail, or a user's, if its method were changed: from settings and history, no network."""

from __future__ import annotations

from collections.abc import Iterator

from .._errors import PillarboxError, TransportNotInstalled
from .._route import Finding, Level
from .abilities import abilities
from .addresses import addresses
from .change import Change as Change
from .past import past
from .signing_in import signing_in
from .waiting import waiting


def advise(change: Change) -> Iterator[Finding]:
    """Yield what would break, or be other, if *change* were made; a finding that fails has to be mended first."""
    record = change.record
    if record.method == change.to and change.is_in_use:
        yield Finding("method", Level.OK, "change-none", f"{record} sends by {change.to} already")
        return
    try:
        transport = change.transports[change.to]
    except (KeyError, PillarboxError) as error:
        yield _not_there(change, error)
        return
    yield from _here(change)
    yield from signing_in(change)
    yield from addresses(change)
    yield from abilities(change, transport)
    yield from past(change, transport)
    yield from waiting(change, transport)


def _not_there(change: Change, error: Exception) -> Finding:
    told = error if isinstance(error, PillarboxError) else TransportNotInstalled(f"There is no {change.to}.")
    return Finding(
        "method", Level.FAIL, "change-not-installed", told.detail, told.cure, exit_code=told.exit_code
    )


def _here(change: Change) -> Iterator[Finding]:
    """Yield whether the method works on this computer."""
    try:
        change.transports[change.to].require_platform()
    except PillarboxError as error:
        cure = error.cure or "Let the worker run on a computer where it does."
        yield Finding("method", Level.WARN, "change-elsewhere", error.detail, cure)
