"""The outbox's protocol: what an entry is, and that what keeps it is known by its methods."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Entry, Outbox, State
from pillarbox.outbox import TRANSITIONS
from tests.core.doubles import submission


def test_an_entry_is_named_by_its_submission_and_starts_queued():
    """Due at once, never attempted, with nothing noted."""
    one = submission()
    entry = Entry(
        submission=one, account="k", owner="company", company="acme", method="x", mailbox="a@b.example"
    )
    assert (entry.key, entry.state, entry.attempts, dict(entry.notes)) == (one.key, State.QUEUED, 0, {})
    assert entry.due_at.utcoffset() is not None
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        entry.state = State.ACCEPTED


def test_an_outbox_is_known_by_what_it_can():
    """A host's own needs no base class."""
    names = ["put", "claim", "journal", "settle", "hold", "cancel", "pause", "resume", "list"]
    whole = type("Whole", (), dict.fromkeys(names, lambda self: None))
    part = type("Part", (), dict.fromkeys(names[1:], lambda self: None))
    assert isinstance(whole(), Outbox)
    assert not isinstance(part(), Outbox)


def test_every_state_can_be_reached_and_none_is_left_but_the_ends():
    """Rule 19: what is handed over never goes back to the queue without a look."""
    assert set(TRANSITIONS) == set(State)
    assert State.QUEUED not in TRANSITIONS[State.ATTEMPTING]
    assert TRANSITIONS[State.UNKNOWN] == {State.ACCEPTED, State.QUEUED, State.HELD}
    reached, frontier = set(), {State.QUEUED}
    while frontier:
        reached |= frontier
        frontier = {after for state in frontier for after in TRANSITIONS[state]} - reached
    assert reached == set(State)
    assert {state for state, after in TRANSITIONS.items() if not after} == {
        State.ACCEPTED,
        State.REJECTED,
        State.CANCELLED,
    }
