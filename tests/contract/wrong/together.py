"""Wrong where several are at work, or one gives up."""

from __future__ import annotations

import os
import time

from pillarbox import SendDeferred
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by("called_off_at_the_last_moment_nothing_leaves")
class LeavesHalfATransaction(Good):
    left = ()

    def wanted(self, submission, fault):
        self.left = (*self.left, *super().wanted(submission, fault))
        return self.left

    def submit(self, submission, recipients, fault):
        self.left = ()
        super().submit(submission, recipients, fault)


@caught_by("called_off_at_the_last_moment_nothing_leaves")
class LooksForItsCallerOnlyAtTheStart(Good):
    def send(self, submission, journal):
        if journal.called_off:
            raise SendDeferred("called off")
        try:
            return super().send(submission, journal)
        except SendDeferred:
            if journal.called_off:
                self.take(submission, submission.envelope.recipients)
            raise


@caught_by("several_instances_at_once_do_not_mix")
class OneDraftForAll(Good):
    def before(self, fault):
        super().before(fault)
        time.sleep(0.01)

    def send(self, submission, journal):
        type(self).draft = submission
        return super().send(submission, journal)

    def take(self, submission, recipients):
        super().take(self.draft, self.draft.envelope.recipients)


@caught_by("an_instance_works_in_a_forked_process")
class BelongsToOneProcess(Good):
    process = 0

    def before(self, fault):
        super().before(fault)
        self.process = self.process or os.getpid()
        if self.process != os.getpid():
            raise SendDeferred("the line is my parent's")


@caught_by("an_instance_works_in_a_forked_process")
class SendsTheParentsLastAgain(Good):
    last = None

    def take(self, submission, recipients):
        if self.last is not None and self.process != os.getpid():
            super().take(*self.last)
        self.last, self.process = (submission, recipients), os.getpid()
        super().take(submission, recipients)
