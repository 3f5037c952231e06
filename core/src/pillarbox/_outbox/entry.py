"""What an outbox keeps: an entry, its history, the step that moves it, and what is asked about many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from .._mail import Receipt, State, Submission, now

AT_ONCE = dt.datetime.fromtimestamp(0, dt.UTC)
"""The due time of what waits for nothing: due whatever the clock says, also after it was set back."""
ENDED = frozenset({State.ACCEPTED, State.REJECTED, State.CANCELLED})
"""The states that nothing leaves."""
WAITING = frozenset({State.QUEUED, State.DEFERRED})
"""The states from which an entry is claimed when it is due."""
TAKEN = frozenset({State.CLAIMED, State.ATTEMPTING})
"""The states in which an entry is some worker's."""


@attrs.frozen
class Enclosure:
    """An attachment as the history remembers it, when the bytes are long erased."""

    filename: str
    size: int
    sha256: str


@attrs.frozen(kw_only=True)
class Entry:
    """A submission as it lies in an outbox.

    Attributes:
        submission: What is to be sent; frozen. Its bytes are erased a set time after the end.
        account: The key of the account, which is the entry's lane.
        owner, company, method, mailbox: The account's, frozen with the entry (rule 27).
        user: The acting user's id, or None.
        subject: The message's.
        enclosures: Its attachments, in order.
        digest: Names what was asked for, for the idempotency key: equal for equal content.
        priority: The higher, the earlier among those due in its lane; 0 by default.
        part_of: The key of the entry whose recipients were split, or "".
        again_of: The key of the entry that this one repeats on purpose, or "".
        state: Where it stands.
        due_at: When it may start, or be looked for; aware.
        attempts: How many were begun. Never evidence of what was sent.
        notes: What its journal holds.
        reason: Why it stands where it stands, a sentence.
        code: The carrier's last code, or "".
        receipt: The carrier's word, where there is one.
        worker: Whose it is while it is claimed or attempted, or "".
        fence: Grows with each claim; what moves the entry has to know it.
        created_at, changed_at: When it was put, when it last moved; aware.
        attempted_at: When its last hand-over was marked, or None.
        tried_at: When an attempt first failed for a reason that may pass, or None; `retry_for` counts from there.
        size: Octets of its content, also when that is erased; 0 where it is not known.
    """

    submission: Submission
    account: str
    owner: str
    company: str
    method: str
    mailbox: str
    user: str | None = None
    subject: str = ""
    enclosures: tuple[Enclosure, ...] = ()
    digest: str = ""
    priority: int = 0
    part_of: str = ""
    again_of: str = ""
    state: State = State.QUEUED
    due_at: dt.datetime = AT_ONCE
    attempts: int = 0
    notes: Mapping[str, str] = attrs.field(factory=dict)
    reason: str = ""
    code: str = ""
    receipt: Receipt | None = None
    worker: str = ""
    fence: int = 0
    created_at: dt.datetime = attrs.field(factory=now)
    changed_at: dt.datetime = attrs.field(factory=now)
    attempted_at: dt.datetime | None = None
    tried_at: dt.datetime | None = None
    size: int = attrs.field()

    @size.default
    def _as_it_is(self) -> int:
        return self.submission.size

    @property
    def key(self) -> str:
        """The submission's."""
        return self.submission.key

    @property
    def is_erased(self) -> bool:
        """Whether its bytes are gone."""
        return not self.submission.chunks


@attrs.frozen(kw_only=True)
class Step:
    """One move of one entry. It is made only if the entry still stands where the step starts.

    Attributes:
        key: Whose.
        come_from: The states from which it may be made.
        state: Where it leads; None to stay (a look that is to be repeated).
        fence: The claim in which it was decided, or None for a person's decision.
        reason, code: Why, and the carrier's code.
        due_at: When the entry may start, or be looked for, from then on.
        receipt: The carrier's word.
        recipients: Who is still to be sent to, where only some were taken; None for no change.
        counts: Whether it is a failure from which `retry_for` counts.
        answered_at: When the carrier answered, where it counts it against a limit of its mailbox.
        by: Who decided, where it was a person.
    """

    key: str
    come_from: frozenset[State]
    state: State | None
    fence: int | None = None
    reason: str = ""
    code: str = ""
    due_at: dt.datetime | None = None
    receipt: Receipt | None = None
    recipients: tuple[str, ...] | None = None
    counts: bool = False
    answered_at: dt.datetime | None = None
    by: str = ""


@attrs.frozen(kw_only=True)
class Event:
    """A line of an entry's history."""

    at: dt.datetime
    state: State
    reason: str = ""
    code: str = ""
    by: str = ""


@attrs.frozen(kw_only=True)
class Pause:
    """Why nothing starts in a scope: a lane, a company or a user (`lane:<key>`, `company:<id>`, `user:<company>/<id>`).

    Attributes:
        until: When it ends by itself, or None for when somebody resumes it.
        by: Who paused it, or "" for pillarbox.
        kind: `person`, `sign-in`, `settings`, `server` or `burst`.
    """

    scope: str
    reason: str
    since: dt.datetime = attrs.field(factory=now)
    until: dt.datetime | None = None
    by: str = ""
    kind: str = "person"


@attrs.frozen(kw_only=True)
class Search:
    """What to list. Every condition that is given must hold.

    Attributes:
        states: In one of these; empty for any.
        to: Part of a recipient's address.
        reference: The host's document number, exactly.
        since, until: Put between these, aware.
        account, company, user, method: Exactly.
        part_of: The parts of one entry.
        again_of: The repetitions of one entry.
        limit: The most that are returned.
        before: The key of the last entry of the page before.
    """

    states: frozenset[State] = frozenset()
    to: str = ""
    reference: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    account: str = ""
    company: str = ""
    user: str = ""
    method: str = ""
    part_of: str = ""
    again_of: str = ""
    limit: int = 100
    before: str = ""


@attrs.frozen(kw_only=True)
class LaneCount:
    """How many entries of a lane stand in each state that is no end, and since when the oldest waits."""

    account: str
    company: str
    owner: str
    method: str
    mailbox: str
    counts: Mapping[State, int] = attrs.field(factory=dict)
    oldest: dt.datetime | None = None
    next_due: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Wanted:
    """What a worker asks for.

    Attributes:
        worker: Whose they will be.
        most: The most entries in all.
        each: The most of one lane.
        octets: About how much content in all; one entry may be larger.
        busy: Lanes that get nothing now.
        methods: Only of these; None for all.
        accounts: Only these lanes; None for all.
        users: Only of these acting users, and what is carried at their desks; None for all but what has a desk.
    """

    worker: str
    most: int = 1
    each: int = 1
    octets: int = 16 * 1024 * 1024
    busy: frozenset[str] = frozenset()
    methods: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    users: frozenset[str] | None = None
