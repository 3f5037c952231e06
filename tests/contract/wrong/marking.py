"""Wrong in when the hand-over is marked."""

from __future__ import annotations

from pillarbox import (
    Journal,
)
from tests.contract.good import Good, log
from tests.contract.wrong.caught import caught_by


@caught_by(
    "nothing_is_accepted_before_the_hand_over",
    "killed_before_the_hand_over_nothing_left",
    "called_off_before_the_hand_over_nothing_leaves",
    "a_mark_that_fails_lets_nothing_leave",
)
class MarkedLate(Good):
    def send(self, submission, journal):
        fault = self.carrier.hear()
        self.before(fault)
        recipients = self.wanted(submission, fault)
        self.submit(submission, recipients, fault)
        with journal.handing_over():
            return self.receipt(submission, recipients, fault)


@caught_by(
    "the_hand_over_is_marked",
    "send_marks_the_hand_over_in_its_code",
    "killed_at_the_mark_it_is_never_called_unsent",
    "killed_after_the_answer_it_is_never_called_unsent",
    "killed_while_it_waits_for_the_answer_it_is_never_called_unsent",
    "a_line_cut_after_the_hand_over_is_unknown",
)
class NeverMarked(Good):
    marks_hand_over = False

    def send(self, submission, journal):
        return super().send(submission, Journal())


@caught_by(
    "a_line_cut_before_the_hand_over_is_deferred",
    "silence_before_the_hand_over_is_deferred",
    "unreachable_is_deferred",
)
class MarkedTooEarly(Good):
    def send(self, submission, journal):
        with journal.handing_over():
            return super().send(submission, journal)


@caught_by("the_hand_over_is_marked")
class SubmitsTwice(Good):
    def send(self, submission, journal):
        super().send(submission, journal)
        return super().send(submission, journal)


@caught_by("a_mark_that_fails_lets_nothing_leave", "called_off_before_the_hand_over_nothing_leaves")
class MarksIfItCan(Good):
    def send(self, submission, journal):
        try:
            with journal.handing_over():
                pass
        except Exception:  # noqa: BLE001
            log("no mark")
        return super().send(submission, Journal())


@caught_by("killed_at_a_note_it_is_never_called_unsent")
class NotedTooLate(Good):
    def send(self, submission, journal):
        receipt = super().send(submission, Journal())
        journal.note("id", submission.key)
        return receipt
