"""Wrong in what a look finds."""

from __future__ import annotations

from pillarbox import (
    Receipt,
    Sighting,
    SightingState,
)
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by(
    "what_was_accepted_is_never_called_absent",
    "another_transport_sees_the_same",
    "killed_after_the_answer_it_is_never_called_unsent",
)
class AbsentWithoutLooking(Good):
    def find(self, submission, journal):
        return Sighting(SightingState.ABSENT)


@caught_by(
    "what_was_never_sent_is_never_called_sent",
    "a_look_after_a_lost_answer_is_honest",
    "killed_before_the_hand_over_nothing_left",
)
class SentWithoutLooking(Good):
    def find(self, submission, journal):
        return Sighting(SightingState.SENT, Receipt(submission.message_id))


@caught_by("what_was_never_sent_is_never_called_sent")
class FoundBySubject(Good):
    def find(self, submission, journal):
        there = any(b"Subject: Invoice 1001" in one.content for one in self.carrier.accepted())
        if not there:
            return Sighting(SightingState.ABSENT)
        return Sighting(SightingState.SENT, Receipt(submission.message_id))


@caught_by("another_transport_sees_the_same")
class RemembersOnlyItsOwn(Good):
    keys: frozenset[str] = frozenset()

    def send(self, submission, journal):
        receipt = super().send(submission, journal)
        self.keys |= {submission.key}
        return receipt

    def find(self, submission, journal):
        if submission.key in self.keys:
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT)


@caught_by("a_look_that_fails_is_unclear")
class FailedLookCalledAbsent(Good):
    def find(self, submission, journal):
        found = super().find(submission, journal)
        return Sighting(SightingState.ABSENT) if found.state is SightingState.UNCLEAR else found


@caught_by("a_look_that_fails_is_unclear")
class LookThatRaises(Good):
    def find(self, submission, journal):
        if self.carrier.fault:
            raise ConnectionError("closed")
        return super().find(submission, journal)


@caught_by("a_look_sends_nothing")
class LooksBySending(Good):
    def find(self, submission, journal):
        found = super().find(submission, journal)
        self.take(submission, submission.envelope.recipients)
        return found


@caught_by("what_says_that_it_can_look_sees_what_was_accepted")
class PromisesTooMuch(Good):
    def find(self, submission, journal):
        return Sighting(SightingState.UNCLEAR)
