"""Where a test mail is seen after it was sent: in Sent, and in the inbox that it went to. Asked until one deadline."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import attrs

from ._delivery import discreet, let_go
from ._errors import PillarboxError
from ._mail import Sighting, SightingState, Submission
from ._route import Finding, Level, Route
from ._sending import Deadline
from ._transports import ACCEPTED_NOTE, Journal, Transport

FINDINGS: Mapping[str, str] = {
    "sent-seen": "The test mail is among the sent mail.",
    "sent-not-seen": "The test mail was not seen among the sent mail in time.",
    "sent-not-looked": "The account can't look what was sent.",
    "arrival-seen": "The test mail has arrived.",
    "arrival-not-seen": "The test mail was not seen to arrive in time; it may still.",
    "arrival-not-looked": "The account can't look into the mailbox that the test mail went to.",
}
"""The codes, with their meaning."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between two looks; the last is repeated."""
Look = Callable[[Transport], "Seen"]


@attrs.frozen
class Seen:
    """What one look found, and whether another could find more."""

    finding: Finding
    is_final: bool = True


def follow(
    route: Route,
    submission: Submission,
    journal: Journal,
    open_transport: Callable[[], Transport],
    deadline: Deadline,
) -> Iterator[Finding]:
    """Give where *submission*, which was handed over, is seen: each place once, when it is known, by the *deadline*.

    Args:
        route: By which it went.
        submission: The test mail.
        journal: Of its one attempt.
        open_transport: Makes a transport to look with; a look that hangs keeps it.
        deadline: For all looks together.
    """
    # Without the carrier's word, which would be believed in the place of a look.
    notes = {name: value for name, value in journal.notes.items() if name != ACCEPTED_NOTE}
    waiting: dict[str, Look] = {
        "sent": lambda transport: _sent(transport, submission, Journal(notes)),
        "arrival": lambda transport: _arrival(transport, submission, route),
    }
    found: queue.SimpleQueue[Finding | None] = queue.SimpleQueue()

    def run() -> None:
        with contextlib.suppress(Exception):  # whoever waits is told that nothing was seen
            for one in _looks(open_transport, dict(waiting), deadline):
                found.put(one)
        found.put(None)

    threading.Thread(target=run, name="pillarbox-follow", daemon=True).start()
    for finding in _until(found, deadline):
        waiting.pop(finding.stage, None)
        yield finding
    for stage in waiting:
        yield _not_seen(stage, "no answer in time")


def _until(found: queue.SimpleQueue[Finding | None], deadline: Deadline) -> Iterator[Finding]:
    while True:
        try:
            finding = found.get(timeout=deadline.left)
        except queue.Empty:
            return
        if finding is None:
            return
        yield finding


def _looks(
    open_transport: Callable[[], Transport], waiting: dict[str, Look], deadline: Deadline
) -> Iterator[Finding]:
    """Look in turn at what is *waiting*, and give each as soon as more looks would find no more."""
    transport, started = open_transport(), time.monotonic()
    try:
        for pause in _pauses():
            is_last = (deadline.left or 0.0) <= pause
            for stage in list(waiting):
                seen = waiting[stage](transport)
                if is_last or seen.is_final:
                    del waiting[stage]
                    told = discreet(seen.finding, transport)
                    yield attrs.evolve(told, seconds=time.monotonic() - started)
            if not waiting or is_last:
                return
            time.sleep(pause)
    finally:
        let_go(transport)


def _pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def _sent(transport: Transport, submission: Submission, journal: Journal) -> Seen:
    """Return whether the carrier has it among what was sent."""
    sighting = transport.find(submission, journal)
    if sighting.state is SightingState.SENT:
        return Seen(Finding("sent", Level.OK, "sent-seen", _where(sighting)))
    if sighting.is_final:
        return Seen(Finding("sent", Level.SKIP, "sent-not-looked", sighting.detail))
    return Seen(_not_seen("sent", sighting.detail), is_final=False)


def _where(sighting: Sighting) -> str:
    told = sighting.detail or (sighting.receipt.detail if sighting.receipt else "")
    return told or "it is among the sent mail"


def _arrival(transport: Transport, submission: Submission, route: Route) -> Seen:
    """Return whether it has come into the account's own mailbox; another's can't be looked into."""
    [oneself] = submission.envelope.recipients
    if oneself.casefold() != route.account.mailbox.casefold():
        return _not_looked(f"it went to {oneself}, whose mailbox this account can't look into")
    try:
        has_arrived = transport.has_arrived(submission)
    except PillarboxError as error:
        return Seen(_not_seen("arrival", f"the look failed: {error.detail}", error.cure))
    if has_arrived is None:
        return _not_looked("this account can't look into its inbox: look there yourself")
    if has_arrived:
        return Seen(Finding("arrival", Level.OK, "arrival-seen", f"it came into the inbox of {oneself}"))
    return Seen(_not_seen("arrival", f"not in the inbox of {oneself} yet"), is_final=False)


def _not_looked(seen: str) -> Seen:
    return Seen(Finding("arrival", Level.SKIP, "arrival-not-looked", seen))


def _not_seen(stage: str, seen: str, cure: str = "") -> Finding:
    return Finding(stage, Level.WARN, f"{stage}-not-seen", seen, cure or _CURES[stage])


_CURES = {
    "sent": "Look into Sent yourself. Nothing is sent again.",
    "arrival": "Look into the inbox and among the spam; the server's log says what became of it.",
}
