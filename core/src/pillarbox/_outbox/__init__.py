"""What an outbox promises: durable submissions, each in one state, taken by one worker at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs

from .._delivery import Outcome
from .._mail import State, Submission, now
from .._transports import Journal


@attrs.frozen(kw_only=True)
class Entry:
    """A submission as it lies in an outbox.

    Attributes:
        submission: What is to be sent; frozen.
        account: The key of the account, which is the entry's lane.
        owner, company, method, mailbox: The account's, frozen with the entry (rule 27).
        user: The acting user's id, or None.
        state: Where it stands.
        due_at: When it may start; aware.
        attempts: How many were begun. Never evidence of what was sent.
        notes: What its journal holds.
        reason: Why it stands where it stands, a sentence.
        changed_at: When it last moved; aware.
    """

    submission: Submission
    account: str
    owner: str
    company: str
    method: str
    mailbox: str
    user: str | None = None
    state: State = State.QUEUED
    due_at: dt.datetime = attrs.field(factory=now)
    attempts: int = 0
    notes: Mapping[str, str] = attrs.field(factory=dict)
    reason: str = ""
    changed_at: dt.datetime = attrs.field(factory=now)

    @property
    def key(self) -> str:
        """The submission's."""
        return self.submission.key


@runtime_checkable
class Outbox(Protocol):
    """Keeps submissions until they are settled. Each call is durable when it returns."""

    def put(self, entry: Entry, *, claimed_by: str | None = None) -> Entry:
        """Keep *entry*; with *claimed_by* it is that worker's at once. The same key again changes nothing.

        Raises:
            MessageError: The key is there with other content.
        """

    def claim(self, worker: str, *, methods: Sequence[str] | None = None, limit: int = 1) -> list[Entry]:
        """Return up to *limit* due entries that are now *worker*'s, fair over the lanes, in order within one."""

    def journal(self, entry: Entry) -> Journal:
        """Return the journal of the attempt that is about to begin."""

    def settle(self, key: str, outcome: Outcome) -> Entry:
        """Move the entry where the attempt's *outcome* leads (see `TRANSITIONS`)."""

    def hold(self, key: str, reason: str) -> Entry:
        """Keep the entry for a person to decide."""

    def cancel(self, key: str, by: str) -> Entry:
        """Take the entry out, if nothing of it can have left."""

    def pause(self, account: str, reason: str) -> None:
        """Start nothing more in this lane."""

    def resume(self, account: str) -> None:
        """Start again in this lane."""

    def list(self, *, state: State | None = None, limit: int = 100, after: str = "") -> list[Entry]:
        """Return entries, the newest first."""
