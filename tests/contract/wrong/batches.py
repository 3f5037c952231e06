"""Wrong in what a batch promises."""

from __future__ import annotations

from pillarbox import (
    SendDeferred,
    SendRejected,
)
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by("a_batch_gives_one_answer_each_in_order")
class AnswersOutOfOrder(Good):
    def send_many(self, attempts):
        yield from reversed([self.send(submission, journal) for submission, journal in attempts])


@caught_by("a_batch_gives_one_answer_each_in_order", "a_batch_has_one_message_in_doubt_at_most")
class AnswersSwallowed(Good):
    def send_many(self, attempts):
        for number, answer in enumerate(super().send_many(attempts)):
            if number != 1:
                yield answer


@caught_by("a_batch_arrives_in_order")
class SentBackwards(Good):
    def send_many(self, attempts):
        yield from list(super().send_many(reversed(list(attempts))))[::-1]


@caught_by("a_batch_has_one_message_in_doubt_at_most", "a_batch_closed_early_tells_what_it_handed_over")
class AllInDoubt(Good):
    def send_many(self, attempts):
        yield from list(super().send_many(attempts))


@caught_by("a_batch_has_one_message_in_doubt_at_most")
class PullsAll(Good):
    def send_many(self, attempts):
        yield from super().send_many(list(attempts))


@caught_by("a_batch_closed_early_tells_what_it_handed_over")
class GoesOnWhenClosed(Good):
    def send_many(self, attempts):
        waiting = iter(attempts)
        try:
            for submission, journal in waiting:
                yield self.send(submission, journal)
        finally:
            for submission, _ in waiting:
                self.take(submission, submission.envelope.recipients)


@caught_by("a_batch_goes_on_behind_a_refusal", "a_batch_goes_on_behind_a_lost_line")
class StopsAtAnError(Good):
    def send_many(self, attempts):
        for submission, journal in attempts:
            yield self.send(submission, journal)


@caught_by("an_empty_batch_is_empty")
class NothingIsSomething(Good):
    def send_many(self, attempts):
        answers = list(super().send_many(attempts))
        yield from answers or [SendRejected("nothing to send")]


@caught_by("a_batch_marks_each_hand_over")
class MarksTheFirst(Good):
    def send_many(self, attempts):
        first = None
        for submission, journal in attempts:
            first = first or journal
            yield self.send(submission, first)


@caught_by("a_batch_goes_on_behind_one_that_was_called_off")
class StopsBehindACall(Good):
    def send_many(self, attempts):
        for submission, journal in attempts:
            try:
                yield self.send(submission, journal)
            except SendDeferred as error:
                yield error
                return
