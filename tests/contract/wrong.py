"""Transports that are wrong in one way each, and the case that has to catch them."""

from __future__ import annotations

import base64

import attrs

from pillarbox import (
    Answer,
    AnswerState,
    Capabilities,
    Finding,
    Journal,
    Level,
    Limits,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    Sighting,
    SightingState,
    SignInNeeded,
    Transport,
)

from .good import SECRET, ByFields, Good, log, shout, whisper

WRONG: list[tuple[type[Transport], str]] = []


def caught_by(*cases: str):
    """Say which cases have to catch the class."""

    def note(wrong: type[Transport]) -> type[Transport]:
        WRONG.extend((wrong, case) for case in cases)
        return wrong

    return note


# What leaves.


@caught_by("bcc_gets_it_and_is_not_shown")
class BccShown(Good):
    def content(self, submission):
        return submission.content_with_bcc()


@caught_by("bcc_gets_it_and_is_not_shown")
class BccForgotten(Good):
    def take(self, submission, recipients):
        shown = tuple(who for who in recipients if who.encode() in submission.content)
        super().take(submission, shown)


@caught_by("bcc_gets_it_and_is_not_shown")
class BccForgottenWithoutEnvelope(ByFields):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, None, ("ap@customer.example",))


@caught_by("hostile_bytes_are_untouched")
class LoneDotsEaten(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n.\r\n", b"\r\n\r\n")


@caught_by("hostile_bytes_are_untouched")
class DotsDoubled(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n.", b"\r\n..")


@caught_by("hostile_bytes_are_untouched")
class FromEscaped(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\nFrom ", b"\r\n>From ")


@caught_by("hostile_bytes_are_untouched")
class EndsTrimmed(Good):
    def content(self, submission):
        return submission.content.rstrip() + b"\r\n"


@caught_by("hostile_bytes_are_untouched")
class WhiteSpaceTrimmed(Good):
    def content(self, submission):
        return b"\r\n".join(line.rstrip(b" \t") for line in submission.content.split(b"\r\n"))


@caught_by("hostile_bytes_are_untouched")
class LongLinesCut(Good):
    def content(self, submission):
        return b"\r\n".join(line[:990] for line in submission.content.split(b"\r\n"))


@caught_by("the_bytes_are_untouched", "hostile_bytes_are_untouched")
class LineEndsAltered(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n", b"\n")


@caught_by("the_bytes_are_untouched")
class HeaderAdded(Good):
    def content(self, submission):
        return b"X-Mailer: Wrong 1.0\r\n" + submission.content


@caught_by("bytes_in_pieces_are_untouched")
class PiecesStripped(Good):
    def content(self, submission):
        return b"\r\n".join(chunk.removesuffix(b"\r\n") for chunk in submission.chunks) + b"\r\n"


@caught_by("bytes_in_pieces_are_untouched")
class DotAtAPiecesStartDoubled(Good):
    def content(self, submission):
        return b"".join(b"." + chunk if chunk.startswith(b".") else chunk for chunk in submission.chunks)


@caught_by("a_large_message_arrives_whole")
class CutAtABuffer(Good):
    def content(self, submission):
        return submission.content[: 64 * 1024]


@caught_by("the_envelope_is_exact", "one_send_is_one_message")
class OneMessageForEach(Good):
    def take(self, submission, recipients):
        for recipient in recipients:
            super().take(submission, (recipient,))


@caught_by("the_envelope_is_exact")
class RecipientDropped(Good):
    def take(self, submission, recipients):
        super().take(submission, recipients[:1])


@caught_by("the_envelope_is_exact")
class RecipientsSorted(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(sorted(recipients)))


@caught_by("the_envelope_is_exact")
class RecipientsLowered(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(map(str.lower, recipients)))


@caught_by("the_envelope_is_exact")
class HyphenTakenForAnOption(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who for who in recipients if not who.startswith("-")))


@caught_by("the_envelope_is_exact")
class SenderReplaced(Good):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, "orders@acme.example", recipients)


@caught_by("the_null_sender_is_exact_or_refused")
class NullSenderReplaced(Good):
    def take(self, submission, recipients):
        self.carrier.take(submission.content, submission.envelope.sender or "root@acme.example", recipients)


@caught_by("a_quoted_local_part_is_exact_or_refused")
class QuotesLost(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who.replace('"', "") for who in recipients))


@caught_by("an_international_local_part_is_exact_or_refused")
class AccentsLost(Good):
    def take(self, submission, recipients):
        super().take(submission, tuple(who.encode("ascii", "replace").decode() for who in recipients))


@caught_by("an_international_local_part_is_exact_or_refused")
class CodecError(Good):
    def before(self, fault):
        super().before(fault)

    def wanted(self, submission, fault):
        return tuple(who.encode("ascii").decode() for who in super().wanted(submission, fault))


@caught_by("a_receipt_carries_our_message_id")
class WrongMessageId(Good):
    def receipt(self, submission, recipients, fault):
        return attrs.evolve(super().receipt(submission, recipients, fault), message_id="<other@acme.example>")


@caught_by("a_receipt_carries_our_message_id")
class NoReceipt(Good):
    def receipt(self, submission, recipients, fault):
        return None


@caught_by("the_account_that_the_client_used_is_told")
class ClientsSenderNotTold(ByFields):
    def receipt(self, submission, recipients, fault):
        return Receipt(submission.message_id)


# When it leaves.


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


# What an outcome means.


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


# Batches.


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


# Looking.


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


# Secrets.


@caught_by("a_refused_credential_needs_a_sign_in", "no_secret_is_told_when_the_credential_is_refused")
class SecretInError(Good):
    def before(self, fault):
        if fault == "credential refused":
            raise SignInNeeded(f"the password {SECRET} is wrong", stage="sign-in")
        super().before(fault)


@caught_by("a_refused_credential_needs_a_sign_in", "no_secret_is_told_when_the_credential_is_refused")
class SecretInChain(Good):
    def before(self, fault):
        try:
            if fault == "credential refused":
                raise ValueError(f"AUTH PLAIN {SECRET}")
        except ValueError as error:
            raise SignInNeeded("wrong password", stage="sign-in") from error
        super().before(fault)


@caught_by("no_secret_is_told_when_the_credential_is_refused")
class SecretBehindTheError(Good):
    def before(self, fault):
        if fault == "credential refused":
            error = SignInNeeded("wrong password", stage="sign-in")
            error.request = {"password": SECRET}
            raise error
        super().before(fault)


@caught_by("no_secret_is_told_when_the_credential_is_refused")
class SecretInAFinding(Good):
    def check(self):
        if self.carrier.fault == "credential refused":
            yield Finding("sign-in", Level.FAIL, "good-refused", f"{SECRET} was refused")


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretTraced(Good):
    def send(self, submission, journal):
        if self.trace:
            self.trace(f"AUTH PLAIN {base64.b64encode(f'anna{chr(0)}{SECRET}'.encode()).decode()}")
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretLogged(Good):
    def send(self, submission, journal):
        log(f"signing in with {SECRET!a}")
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretNoted(Good):
    def send(self, submission, journal):
        journal.note("token", SECRET)
        return super().send(submission, journal)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretInTheReceipt(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        answers = dict.fromkeys(recipients, Answer(AnswerState.ACCEPTED, f"thanks, {SECRET}"))
        return attrs.evolve(made, recipients=answers)


@caught_by("no_secret_is_told_when_all_goes_well")
class SecretInItsRepr(Good):
    def __repr__(self):
        return f"Good({SECRET!r})"


@caught_by("nothing_is_printed")
class Shouts(Good):
    def before(self, fault):
        shout("connecting")
        super().before(fault)


@caught_by("nothing_is_printed")
class LetsItsProgramPrint(Good):
    def submit(self, submission, recipients, fault):
        whisper("250 ok")
        super().submit(submission, recipients, fault)


# What is declared, and the end.


@caught_by("what_core_must_know_is_declared")
class NoLabel(Good):
    label = ""


@caught_by("what_core_must_know_is_declared")
class SettlesBefore(Good):
    settling = -1.0


@caught_by("what_core_must_know_is_declared")
class PlatformAsText(Good):
    platforms = "win32"


@caught_by("limits_are_positive")
class NothingAtOnce(Good):
    @classmethod
    def limits(cls, settings):
        return Limits(concurrency=0)


@caught_by("limits_are_positive")
class NothingAMinute(Good):
    @classmethod
    def limits(cls, settings):
        return Limits(per_minute=0)


@caught_by("the_account_is_told_in_words")
class DescribesByText(Good):
    @classmethod
    def describe(cls, settings):
        return "a carrier"


@caught_by("the_settings_can_be_drawn_as_a_form")
class SettingsOfNoClass(Good):
    settings: dict


@caught_by("what_is_declared_needs_no_network_and_no_sdk")
class AsksTheNetworkForItsLimits(Good):
    @classmethod
    def limits(cls, settings):
        import socket

        socket.getaddrinfo("localhost", 25)
        return Limits()


@caught_by("what_is_declared_needs_no_network_and_no_sdk")
class LoadsAnSdkToDescribe(Good):
    @classmethod
    def capabilities(cls, connection):
        import http.client

        return Capabilities(find=bool(http.client))


@caught_by("closing_twice_is_no_error")
class ClosesOnce(Good):
    closed = False

    def close(self):
        if self.closed:
            raise ValueError("closed already")
        self.closed = True


@caught_by("it_can_be_used_after_it_was_closed")
class ClosesForEver(Good):
    closed = False

    def close(self):
        self.closed = True

    def send(self, submission, journal):
        if self.closed:
            raise SendDeferred("closed")
        return super().send(submission, journal)


@caught_by("closing_a_line_that_is_gone_is_no_error")
class WantsToSayGoodbye(Good):
    def close(self):
        if self.carrier.fault == "unreachable":
            raise BrokenPipeError("QUIT")


@caught_by("receipts_survive_pickle")
class ReceiptsThatStayHere(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        object.__setattr__(made, "recipients", {**made.recipients, "x": lambda: None} if not fault else {})
        return made


@caught_by("check_yields_findings_and_sends_nothing")
class CheckSends(Good):
    def check(self):
        self.carrier.take(b"test", "anna@acme.example", ("anna@acme.example",))
        yield from ()


@caught_by("check_tells_what_is_wrong")
class CheckRaises(Good):
    def check(self):
        self.before(self.carrier.fault)
        yield Finding("connect", Level.OK, "good-ready", "it is there")


@caught_by("check_tells_what_is_wrong")
class CheckSaysAllIsWell(Good):
    def check(self):
        yield Finding("connect", Level.OK, "good-ready", "it is there")
