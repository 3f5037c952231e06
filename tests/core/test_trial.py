"""The test mail of a check: sent once, to oneself, by the real way; and where it is seen, told by one deadline."""

from __future__ import annotations

import time

import pytest

from pillarbox import (
    Account,
    Level,
    OutcomeUnknown,
    Receipt,
    Route,
    SendDeferred,
    SendRejected,
    Sighting,
    SightingState,
    SignInNeeded,
)
from pillarbox._trial import FINDINGS, SUBJECT, trial
from pillarbox.outbox import Search
from tests.core.doubles import SECRET, KeptOutbox, Known, Slow, mailer, slow

OFFICE = None
"""The company itself, whose mailbox is the address that shows."""


def tried(user=OFFICE, *, deadline=5.0, **attributes):
    """Return what `check(send=True)` finds from the test mail on, by stage, and what was handed over."""
    method = slow(**attributes)
    found = list(mailer(method).check(user, send=True, deadline=deadline))
    stages = [one for one in found if one.stage in {"send", "sent", "arrival"}]
    assert {one.code for one in stages} <= set(FINDINGS)
    return {one.stage: one for one in stages}, method


def codes(found):
    return [one.code for one in found.values()]


def taking(**receipt):
    """Return a `send` that keeps what it was given and answers with a receipt."""

    def send(self, submission, journal):
        type(self).handed.append(submission)
        with journal.handing_over():
            return Receipt(submission.message_id, **receipt)

    return send


def seen(state=SightingState.SENT, **more):
    def find(self, submission, journal):
        found = Receipt(submission.message_id) if state is SightingState.SENT else None
        return Sighting(state, found, **more)

    return find


def test_without_being_asked_nothing_is_sent():
    """A check sends no mail."""
    method = slow()
    assert all(one.stage != "send" for one in mailer(method).check("anna"))
    assert method.handed == []


@pytest.mark.parametrize(
    ("user", "address"), [("anna", "anna@acme.example"), (OFFICE, "orders@acme.example")]
)
def test_one_mail_goes_from_the_address_that_shows_to_that_address(user, address):
    """Marked as a test, and as written by nobody."""
    found, method = tried(user, send=taking(reference="4Xk2", detail="2.0.0 Ok"))
    [submission] = method.handed
    message = submission.message()
    assert submission.envelope.recipients == (address,)
    assert (message["From"].addresses[0].addr_spec, message["Subject"]) == (address, SUBJECT)
    assert (message["Auto-Submitted"], message["X-Pillarbox-Test"]) == ("auto-generated", "check")
    assert found["send"].code == "send-accepted"
    assert found["send"].seen == f'the test mail to {address} was taken as 4Xk2: "2.0.0 Ok"'


def test_it_is_followed_into_sent_and_the_inbox():
    """Each told when it is known, although it takes several looks."""
    looks = []

    def has_arrived(self, submission):
        looks.append(submission.key)
        return len(looks) == 3

    found, method = tried(send=taking(), find=seen(detail="found in Sent"), has_arrived=has_arrived)
    assert codes(found) == ["send-accepted", "sent-seen", "arrival-seen"]
    assert found["sent"].seen == "found in Sent"
    assert looks == [method.handed[0].key] * 3
    assert len(method.handed) == 1


def test_a_look_does_not_believe_the_receipt():
    """The carrier's word, noted in the journal, is no sighting."""

    def send(self, submission, journal):
        with journal.handing_over():
            journal.accepted(Receipt(submission.message_id))
            journal.note("draft", "17")
            return Receipt(submission.message_id)

    def find(self, submission, journal):
        assert journal.noted_receipt(submission) is None
        assert journal.notes == {"draft": "17"}
        return Sighting(SightingState.UNCLEAR, is_final=True, detail="can't look")

    assert codes(tried(send=send, find=find)[0]) == ["send-accepted", "sent-not-looked", "arrival-not-looked"]


def test_who_can_not_look_says_so_at_once():
    """A method without a way to look, and a mailbox that is not the account's."""
    started = time.monotonic()
    found, _ = tried("anna", send=taking(), has_arrived=lambda self, submission: True)
    assert codes(found) == ["send-accepted", "sent-not-looked", "arrival-not-looked"]
    assert found["arrival"].seen.startswith("it went to anna@acme.example")
    assert time.monotonic() - started < 2


def test_what_is_not_seen_in_time_is_a_warning():
    """The deadline ends the looks; it may still come."""
    started = time.monotonic()
    unclear = seen(SightingState.UNCLEAR, detail="not yet")
    found, _ = tried(send=taking(), find=unclear, has_arrived=lambda self, submission: False, deadline=2.0)
    assert codes(found) == ["send-accepted", "sent-not-seen", "arrival-not-seen"]
    assert {one.level for one in found.values()} == {Level.OK, Level.WARN}
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("name", ["find", "has_arrived"])
def test_a_look_that_hangs_is_left(name):
    """By the deadline, whatever the plugin does."""
    started = time.monotonic()
    found, _ = tried(send=taking(), **{name: lambda *_: time.sleep(10)}, deadline=1.0)
    assert "arrival-not-seen" in codes(found)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("error", [SendDeferred(f"gone {SECRET}", stage="arrival"), KeyError(SECRET)])
def test_a_look_that_fails_is_a_warning(error):
    """Without the secret; it is not tried again, since each try might be a refused sign-in."""
    looks = []

    def has_arrived(self, submission):
        looks.append(1)
        self.credentials = Known()
        raise error

    found, _ = tried(send=taking(), has_arrived=has_arrived)
    assert found["arrival"].code == "arrival-not-seen"
    assert (SECRET in repr(found), len(looks)) == (False, 1)


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (SendRejected("no"), "send-refused", 65),
        (SendDeferred("later"), "send-deferred", 75),
        (SignInNeeded("who?"), "send-sign-in", 77),
        (RuntimeError(SECRET), "send-deferred", 75),
    ],
)
def test_what_does_not_leave_is_told_and_not_followed(error, code, exit_code):
    """With the exit code of a send."""

    def send(self, submission, journal):
        raise error

    found, _ = tried(send=send, marks_hand_over=True)
    assert [(one.code, one.level, one.exit_code) for one in found.values()] == [(code, Level.FAIL, exit_code)]
    assert SECRET not in repr(found)


def test_an_unknown_outcome_is_said_followed_and_not_tried_again():
    """It may have arrived, which a look tells."""

    def send(self, submission, journal):
        type(self).handed.append(submission.key)
        with journal.handing_over():
            raise OutcomeUnknown("no answer")

    found, method = tried(send=send, find=seen(), has_arrived=lambda self, submission: True)
    assert codes(found) == ["send-unknown", "sent-seen", "arrival-seen"]
    assert (found["send"].level, found["send"].exit_code) == (Level.FAIL, 70)
    assert len(method.handed) == 1


@pytest.mark.parametrize(("where", "code"), [("before", "send-deferred"), ("inside", "send-unknown")])
def test_a_carrier_that_hangs_is_bounded(where, code):
    """Before the hand-over it is called off; behind it, it is unknown."""
    started = time.monotonic()
    found, _ = tried(**{where: 10.0}, deadline=0.5)
    assert found["send"].code == code
    assert time.monotonic() - started < 4


def test_behind_a_failure_nothing_is_sent():
    """Of a stage, and of the settings themselves."""

    def check(self):
        raise SignInNeeded("who?", stage="sign-in")
        yield

    found, method = tried(check=check)
    assert (found["send"].level, found["send"].code) == (Level.SKIP, "send-not-tried")
    assert method.handed == []
    assert [one.code for one in mailer(slow()).check("nobody", send=True)] == [
        "settings-refused",
        "send-not-tried",
    ]


def test_where_no_address_shows_there_is_nobody_to_send_to():
    """A mail program shows its own, which is not known here."""
    route = Route(account=Account(owner="company", method="x", mailbox=""), from_address=None)
    [found] = trial(route, lambda route: Slow(None), seconds=1.0)
    assert (found.level, found.code) == (Level.SKIP, "send-no-address")


@pytest.mark.parametrize("kept", ["outbox", "history"])
def test_no_outbox_keeps_a_test_mail(kept):
    """So that no worker ever sends it again; nor does a history."""
    outbox = KeptOutbox()
    with mailer(slow(), **{kept: outbox}) as made:
        assert "send-accepted" in [one.code for one in made.check(send=True, deadline=2.0)]
        assert outbox.list(Search()) == []
