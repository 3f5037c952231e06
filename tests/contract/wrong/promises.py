"""Wrong in keeping what they declare."""

from __future__ import annotations

import datetime as dt

from pillarbox import Limits, Proof, SendRejected
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by("a_message_of_the_size_that_it_declares_is_taken")
class DeclaresAThousandMore(Good):
    def before(self, fault):
        super().before(fault)
        if self.size > 399_000:
            raise SendRejected("too large", stage="size")

    def send(self, submission, journal):
        self.size = submission.size
        return super().send(submission, journal)


@caught_by("a_message_of_the_size_that_it_declares_is_taken")
class LimitThatIsNotToTheOctet(Good):
    def send(self, submission, journal):
        if submission.size >= 400_000:
            raise SendRejected("too large", stage="size")
        return super().send(submission, journal)


@caught_by("as_many_recipients_as_it_declares_are_taken")
class DeclaresMoreThanItTakes(Good):
    def take(self, submission, recipients):
        super().take(submission, recipients[:49])

    def receipt(self, submission, recipients, fault):
        return super().receipt(submission, recipients[:49], fault)


@caught_by("as_many_recipients_as_it_declares_are_taken")
class RefusesTheLastThatItDeclares(Good):
    def before(self, fault):
        super().before(fault)
        if self.many:
            raise SendRejected("too many", stage="recipient")

    def send(self, submission, journal):
        self.many = len(submission.envelope.recipients) >= 50
        return super().send(submission, journal)

    @classmethod
    def limits(cls, settings):
        return Limits(recipients=50)


@caught_by("what_recognises_a_key_sends_nothing_twice")
class RecognisesNothing(Good):
    resend_safe_for = dt.timedelta(hours=1)


@caught_by("no_proof_is_given_for_a_strangers_address")
class ShowsAnybody(Good):
    def may_show(self, address):
        return Proof("alias list")


@caught_by("attachments_of_every_kind_arrive")
class NamesInAscii(Good):
    def content(self, submission):
        return submission.content.replace(b"Gr%C3%B6%C3%9Fe", b"Groesse")


@caught_by("attachments_of_every_kind_arrive")
class InlineForgotten(Good):
    def content(self, submission):
        return submission.content.replace(b"logo.png", b"logo.gif")
