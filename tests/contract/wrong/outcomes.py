"""Wrong in what an outcome means."""

from __future__ import annotations

from pillarbox import (
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    SignInNeeded,
)
from tests.contract.good import Good
from tests.contract.wrong.caught import caught_by


@caught_by("a_line_cut_after_the_hand_over_is_unknown", "silence_after_the_hand_over_is_unknown")
class UnknownCalledDeferred(Good):
    def send(self, submission, journal):
        try:
            return super().send(submission, journal)
        except OutcomeUnknown as error:
            raise SendDeferred(error.detail) from None


@caught_by("nonsense_after_the_hand_over_is_unknown")
class NonsenseCalledAccepted(Good):
    def submit(self, submission, recipients, fault):
        if fault != "nonsense after":
            super().submit(submission, recipients, fault)


@caught_by("a_line_cut_inside_the_content_is_never_called_accepted")
class HalfIsEnough(Good):
    def submit(self, submission, recipients, fault):
        if fault != "cut inside":
            super().submit(submission, recipients, fault)


@caught_by("unreachable_is_deferred", "a_line_cut_before_the_hand_over_is_deferred")
class DeferredCalledUnknown(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SendDeferred as error:
            raise OutcomeUnknown(error.detail) from None


@caught_by("a_refused_credential_needs_a_sign_in")
class SignInCalledRejected(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SignInNeeded as error:
            raise SendRejected(error.detail) from None


@caught_by("a_refused_sender_is_rejected", "all_recipients_refused_for_good_is_rejected")
class RefusalCalledDeferred(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SendRejected as error:
            raise SendDeferred(error.detail) from None


@caught_by("a_sender_refused_for_now_is_deferred", "all_recipients_refused_for_now_is_deferred")
class DeferredCalledRejected(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SendDeferred as error:
            raise SendRejected(error.detail) from None


@caught_by("a_sign_in_refused_for_now_is_deferred")
class NotNowCalledSignIn(Good):
    def before(self, fault):
        if fault == "credential refused for now":
            raise SignInNeeded(fault)
        super().before(fault)


@caught_by("refused_content_is_rejected")
class RefusalCalledUnknown(Good):
    def submit(self, submission, recipients, fault):
        try:
            super().submit(submission, recipients, fault)
        except SendRejected as error:
            raise OutcomeUnknown(error.detail) from None


@caught_by("content_refused_for_now_is_deferred")
class RetriesByItself(Good):
    def send(self, submission, journal):
        try:
            return super().send(submission, journal)
        except SendDeferred:
            return super().send(submission, journal)


@caught_by("content_refused_for_now_is_deferred")
class NotNowCalledRejected(Good):
    def submit(self, submission, recipients, fault):
        try:
            super().submit(submission, recipients, fault)
        except SendDeferred as error:
            raise SendRejected(error.detail) from None


@caught_by("refused_content_is_rejected")
class RefusedAndKept(Good):
    def submit(self, submission, recipients, fault):
        self.take(submission, recipients)
        super().submit(submission, recipients, fault)


@caught_by("a_refused_recipient_does_not_stop_the_others")
class PartialRefusalIsAnError(Good):
    def wanted(self, submission, fault):
        if fault.startswith("one recipient refused"):
            raise SendRejected("one of them is nobody", stage="recipient")
        return super().wanted(submission, fault)


@caught_by("a_refused_recipient_does_not_stop_the_others")
class PartialRefusalNotTold(Good):
    def receipt(self, submission, recipients, fault):
        return Receipt(submission.message_id)


@caught_by("a_recipient_refused_for_now_is_told_from_one_refused_for_good")
class NotNowCalledForGood(Good):
    def receipt(self, submission, recipients, fault):
        return super().receipt(submission, recipients, fault.removesuffix(" for now"))


@caught_by("all_recipients_refused_for_now_is_deferred")
class NobodyNowCalledNobody(Good):
    def before(self, fault):
        super().before(fault.removesuffix(" for now"))


@caught_by("unreachable_is_deferred", "a_line_cut_before_the_hand_over_is_deferred")
class ForeignErrors(Good):
    def before(self, fault):
        if fault in {"unreachable", "cut before"}:
            raise ConnectionError("closed")
        super().before(fault)


@caught_by("it_can_be_used_after_a_refusal", "it_can_be_used_after_a_lost_line")
class SpoiltByAnError(Good):
    spoilt = False

    def send(self, submission, journal):
        if self.spoilt:
            raise SendDeferred("still busy with the last")
        self.spoilt = True
        receipt = super().send(submission, journal)
        self.spoilt = False
        return receipt


class Unpicklable(SendRejected):
    def __init__(self, code, text):
        super().__init__(text, code=str(code))


@caught_by("refused_content_is_rejected")
class ErrorsThatStayHere(Good):
    def submit(self, submission, recipients, fault):
        if fault == "content refused":
            raise Unpicklable(554, "spam")
        super().submit(submission, recipients, fault)
