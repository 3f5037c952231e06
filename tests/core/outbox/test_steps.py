"""Which step follows, without any storage: rules 19 to 28."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from pillarbox import (
    Answer,
    AnswerState,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    SettingsError,
    Sighting,
    SightingState,
    SignInNeeded,
    State,
    Unavailable,
)
from pillarbox._outbox import steps
from pillarbox._outbox.entry import AT_ONCE
from pillarbox.outbox import TRANSITIONS, Entry, OnUnknown, OutboxSettings
from tests.core.doubles import submission

RULES = OutboxSettings()
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TAKEN = Answer(AnswerState.ACCEPTED)
NO = Answer(AnswerState.REFUSED, "no such user", "550")
LATER = Answer(AnswerState.REFUSED_FOR_NOW, "greylisted", "450")


def entry(**more):
    facts = {
        "account": "acme/company/x",
        "owner": "company",
        "company": "acme",
        "method": "x",
        "mailbox": "a@b.example",
    }
    return Entry(submission=submission(), **{**facts, "state": State.CLAIMED, "fence": 3, **more})


def test_every_state_can_be_reached_and_none_is_left_but_the_ends():
    """Rule 19: what is handed over never goes back to the queue without a look."""
    assert set(TRANSITIONS) == set(State)
    assert State.QUEUED not in TRANSITIONS[State.ATTEMPTING]
    assert TRANSITIONS[State.UNKNOWN] == {State.ACCEPTED, State.QUEUED, State.HELD}
    ends = {state for state, after in TRANSITIONS.items() if not after}
    assert ends == {State.ACCEPTED, State.REJECTED, State.CANCELLED}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Receipt("<m@x>"), State.ACCEPTED),
        (OutcomeUnknown("cut"), State.UNKNOWN),
        (SendRejected("no"), State.REJECTED),
        (MessageError("too large"), State.REJECTED),
        (SendDeferred("later"), State.DEFERRED),
        (SignInNeeded("password refused"), State.DEFERRED),
        (SettingsError("no such variable"), State.DEFERRED),
        (Unavailable("no such program"), State.DEFERRED),
    ],
)
def test_an_outcome_leads_where_the_table_allows(outcome, state):
    """And only in the claim in which it was decided."""
    step = steps.after(entry(), outcome, RULES, NOON).step
    assert (step.state, step.fence) == (state, 3)
    assert all(state in TRANSITIONS[where] for where in step.come_from if where is State.ATTEMPTING)


def test_a_refused_sign_in_pauses_the_lane_until_somebody_signs_in():
    """Forty waiting mails must not lock the mailbox."""
    found = steps.after(entry(), SignInNeeded("535 no"), RULES, NOON)
    assert (found.pause.scope, found.pause.until, found.pause.kind) == (
        "lane:acme/company/x",
        None,
        "sign-in",
    )
    assert found.step.due_at == AT_ONCE


def test_settings_that_fail_rest_the_lane_and_are_tried_again():
    """Somebody mends the file; nobody has to resume anything."""
    found = steps.after(entry(), SettingsError("PW is not set"), RULES, NOON)
    assert found.pause.until == NOON + HOUR


@pytest.mark.parametrize("stage", ["dns", "connect", "tls", "greeting", "sign-in", "limit"])
def test_a_server_that_is_not_there_rests_the_lane(stage):
    """It says nothing of the message, and the next would meet the same."""
    found = steps.after(entry(), SendDeferred("refused", stage=stage), RULES, NOON, chance=1.0)
    assert found.pause.until == found.step.due_at == NOON + dt.timedelta(minutes=1)


def test_a_message_that_waits_steps_aside():
    """Only itself."""
    found = steps.after(entry(), SendDeferred("450", stage="recipient"), RULES, NOON, chance=1.0)
    assert found.pause is None


def test_waits_grow_from_a_minute_to_an_hour_with_full_jitter():
    """Rule 28; and never less than a tenth of the shortest."""
    longest = [steps.backoff(count, RULES, 1.0).total_seconds() for count in (1, 2, 3, 7, 100)]
    assert longest == [60, 120, 240, 3600, 3600]
    assert steps.backoff(9, RULES, 0.0).total_seconds() == 6
    assert 6 <= steps.backoff(1, RULES).total_seconds() <= 60


def test_what_the_server_asks_for_is_waited_for():
    """Within reason."""
    due = steps.after(entry(), SendDeferred("slow down", retry_after=7200), RULES, NOON).step.due_at
    assert due == NOON + 2 * HOUR
    due = steps.after(entry(), SendDeferred("slow down", retry_after=1e12), RULES, NOON).step.due_at
    assert due == NOON + 24 * HOUR


def test_it_is_given_up_two_days_after_it_first_failed():
    """Days in which nothing was tried do not count."""
    old = entry(created_at=NOON - 30 * 24 * HOUR, tried_at=NOON - 47 * HOUR)
    assert steps.after(old, SendDeferred("450"), RULES, NOON).step.state is State.DEFERRED
    older = attrs.evolve(old, tried_at=NOON - 49 * HOUR)
    step = steps.after(older, SendDeferred("450"), RULES, NOON).step
    assert (step.state, step.reason) == (State.REJECTED, "Given up after 2 days: 450")


def test_only_those_refused_for_now_are_tried_again():
    """Rule 25; and what was said of the others is kept."""
    receipt = Receipt("<m@x>", recipients={"a@c": TAKEN, "b@c": LATER, "c@c": NO})
    step = steps.after(entry(), receipt, RULES, NOON).step
    assert (step.state, step.recipients) == (State.DEFERRED, ("b@c",))
    again = entry(receipt=receipt)
    done = steps.after(again, Receipt("<m@x>", recipients={"b@c": TAKEN}), RULES, NOON).step
    assert (done.state, dict(done.receipt.recipients)) == (
        State.ACCEPTED,
        {"a@c": TAKEN, "b@c": TAKEN, "c@c": NO},
    )


def test_a_carrier_without_an_envelope_is_not_asked_twice():
    """It would send to those who have it."""
    receipt = Receipt("<m@x>", recipients={"a@c": TAKEN, "b@c": LATER})
    assert steps.after(entry(), receipt, RULES, NOON, takes_envelope=False).step.state is State.ACCEPTED


def test_a_rest_that_is_refused_does_not_undo_what_was_taken():
    """The message was accepted for some."""
    receipt = Receipt("<m@x>", recipients={"a@c": TAKEN, "b@customer.example": LATER})
    step = steps.after(entry(receipt=receipt), SendRejected("no such user", code="550"), RULES, NOON).step
    assert step.state is State.ACCEPTED
    assert step.receipt.recipients["b@customer.example"].state is AnswerState.REFUSED


@pytest.mark.parametrize(
    ("state", "leads"), [(State.CLAIMED, State.QUEUED), (State.ATTEMPTING, State.UNKNOWN)]
)
def test_what_a_dead_worker_had(state, leads):
    """Before the hand-over nothing left; after it nobody knows (rule 20)."""
    step = steps.after_death(entry(state=state), NOON)
    assert (step.state, step.come_from) == (leads, {state})


def looked(sighting, waited, rules=RULES, **more):
    settling = dt.timedelta(minutes=2)
    unknown = entry(state=State.UNKNOWN, **more)
    return steps.after_look(unknown, sighting, rules, settling, dt.timedelta(seconds=waited), NOON)


UNCLEAR = Sighting(SightingState.UNCLEAR, detail="The server is down.")
BLIND = Sighting(SightingState.UNCLEAR, is_final=True)
ABSENT = Sighting(SightingState.ABSENT)
RESEND = OutboxSettings(on_unknown=OnUnknown.RESEND)


@pytest.mark.parametrize(
    ("sighting", "waited", "rules", "state"),
    [
        (Sighting(SightingState.SENT, Receipt("<m@x>")), 0, RULES, State.ACCEPTED),
        (ABSENT, 119, RULES, None),
        (ABSENT, 120, RULES, State.QUEUED),
        (UNCLEAR, 10, RULES, None),
        (UNCLEAR, 1799, RULES, None),
        (UNCLEAR, 1800, RULES, State.HELD),
        (BLIND, 0, RULES, State.HELD),
        (BLIND, 0, RESEND, None),
        (BLIND, 120, RESEND, State.QUEUED),
    ],
)
def test_a_look_moves_only_on_evidence(sighting, waited, rules, state):
    """Rule 21: absence counts after the settling delay; what is unclear is a person's, or as the deployment chose."""
    step = looked(sighting, waited, rules)
    assert step.state is state
    assert (step.due_at or NOON) >= NOON or step.due_at == AT_ONCE


def test_a_part_that_was_seen_is_not_taken_for_all():
    """Its parts bear one Message-ID."""
    sent = Sighting(SightingState.SENT, Receipt("<m@x>"))
    assert looked(sent, 0, part_of="k").state is State.HELD
    assert looked(sent, 0, receipt=Receipt("<m@x>")).state is State.HELD


def test_the_caller_of_send_ends_the_entry_with_its_error():
    """Only the unknown stays, and is looked for."""
    states = [[step.state for step in steps.ended_for_caller(entry(), outcome)] for outcome in (Receipt("<m@x>"), SendRejected("no"), OutcomeUnknown("cut"), SendDeferred("later"))]  # fmt: skip
    assert states == [[State.ACCEPTED], [State.REJECTED], [State.UNKNOWN], [State.DEFERRED, State.CANCELLED]]


def test_a_person_may_not_decide_what_stands_elsewhere():
    """Nothing of what was handed over can be cancelled; only what is held can be found not sent."""
    assert State.ATTEMPTING not in steps.cancelled("k", "", "").come_from
    assert State.UNKNOWN not in steps.cancelled("k", "", "").come_from
    assert steps.found_out(entry(), "", "", sent=False, at=NOON).come_from == {State.HELD}
    assert steps.found_out(entry(), "", "", sent=True, at=NOON).come_from == {State.HELD, State.UNKNOWN}


def test_the_carriers_word_in_the_journal_needs_no_look():
    """Who was refused for now is tried again, and nobody who has it."""
    unknown = entry(state=State.UNKNOWN, part_of="k")
    whole = steps.after_word(unknown, Receipt("<m@x>"), RULES, NOON)
    assert (whole.state, whole.come_from) == (State.ACCEPTED, {State.UNKNOWN})
    some = Receipt("<m@x>", recipients={"a@c": TAKEN, "b@c": LATER})
    left = steps.after_word(unknown, some, RULES, NOON)
    assert (left.state, left.recipients, left.counts) == (State.QUEUED, ("b@c",), True)
    assert left.due_at > NOON
    assert steps.after_word(unknown, some, RULES, NOON, takes_envelope=False).state is State.ACCEPTED
