"""Wrong in what they tell: receipts, errors, notes, the log."""

from __future__ import annotations

import datetime as dt
import logging

import attrs

from pillarbox import Answer, AnswerState, OutcomeUnknown, SendDeferred, SendRejected, Sighting, SightingState
from tests.contract.good import BEFORE, LOST, SECRET, Good, log
from tests.contract.wrong.caught import caught_by


@caught_by("a_receipt_is_of_now")
class TellsTheProvidersClock(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        return attrs.evolve(made, at=made.at - dt.timedelta(hours=1))


@caught_by("a_receipt_is_of_now")
class ForgetsTheZone(Good):
    def receipt(self, submission, recipients, fault):
        return attrs.evolve(super().receipt(submission, recipients, fault), at=dt.datetime.now())  # noqa: DTZ005


@caught_by("a_receipt_tells_of_every_recipient_or_of_none")
class TellsOfTheFirst(Good):
    def receipt(self, submission, recipients, fault):
        made = super().receipt(submission, recipients, fault)
        return attrs.evolve(made, recipients=dict(list(made.recipients.items())[:1]))


@caught_by("the_words_of_an_error_are_fit_to_be_shown")
class QuotesAsItCame(Good):
    def submit(self, submission, recipients, fault):
        if fault == "content refused":
            raise SendRejected("refused", cure="550 no\r\n\x1b[31msuch\u202e user", stage="content")
        super().submit(submission, recipients, fault)


@caught_by("the_words_of_an_error_are_fit_to_be_shown")
class QuotesThePage(Good):
    def submit(self, submission, recipients, fault):
        if fault == "content refused":
            raise SendRejected("refused", cure="<html>" * 1_000, stage="content")
        super().submit(submission, recipients, fault)


@caught_by("the_words_of_an_error_are_fit_to_be_shown")
class SaysNothing(Good):
    def before(self, fault):
        if fault == "unreachable":
            raise SendDeferred("", stage="connect")
        super().before(fault)


@caught_by("a_wait_is_a_number_of_seconds")
class WaitsUntil(Good):
    def before(self, fault):
        if fault == "sender refused for now":
            raise SendDeferred("later", retry_after=dt.datetime.now(dt.UTC).timestamp() + 60)
        super().before(fault)


@caught_by("a_wait_is_a_number_of_seconds")
class WaitsBackwards(Good):
    def before(self, fault):
        if fault == "sender refused for now":
            raise SendDeferred("later", retry_after=-5)
        super().before(fault)


@caught_by("an_error_tells_refused_for_now_from_refused_for_good")
class CallsAllForGood(Good):
    def before(self, fault):
        if fault in {"recipient refused", "recipient refused for now"}:
            told = {"ap@customer.example": Answer(AnswerState.REFUSED, "no")}
            raise BEFORE[fault](fault, stage="recipient", recipients=told)
        super().before(fault)


@caught_by("a_lost_answer_is_followed_by_no_second_try")
class TriesAgain(Good):
    def submit(self, submission, recipients, fault):
        if fault == "cut after":
            for _ in range(2):
                self.take(submission, recipients)
            raise OutcomeUnknown(fault, stage="content")
        super().submit(submission, recipients, fault)


@caught_by("notes_are_short_and_hold_nothing_of_the_message")
class NotesTheMessage(Good):
    def before(self, fault):
        super().before(fault)
        self.journal.note("request", self.text)

    def send(self, submission, journal):
        self.journal, self.text = journal, submission.content.decode("utf-8", "replace")[:9_000]
        return super().send(submission, journal)


@caught_by("notes_are_short_and_hold_nothing_of_the_message")
class NotesWithoutEnd(Good):
    def send(self, submission, journal):
        for number in range(60):
            journal.note(f"line {number}", "x")
        return super().send(submission, journal)


@caught_by("notes_of_others_are_let_be")
class KnowsEveryNote(Good):
    def send(self, submission, journal):
        known = {"draft", "account"}
        if set(journal.notes) - known:
            raise SendDeferred(f"unknown notes: {sorted(journal.notes)}")
        return super().send(submission, journal)


@caught_by("the_log_holds_neither_addresses_nor_words_of_a_message")
class LogsRecipients(Good):
    def take(self, submission, recipients):
        logging.getLogger("a.plugin").info("sent to %s", ", ".join(recipients))
        super().take(submission, recipients)


@caught_by("the_log_holds_neither_addresses_nor_words_of_a_message")
class LogsRequests(Good):
    def take(self, submission, recipients):
        log(submission.content.decode("ascii", "replace"))
        super().take(submission, recipients)


@caught_by("no_secret_is_told_when_the_line_breaks")
class TellsTheSecretOfALostLine(Good):
    def submit(self, submission, recipients, fault):
        if fault in LOST:
            log(f"POST with key {SECRET} was lost")
        super().submit(submission, recipients, fault)


@caught_by("no_secret_is_told_when_the_line_breaks")
class TellsTheSecretInTheTranscript(Good):
    def before(self, fault):
        if self.trace is not None and fault == "cut before":
            self.trace(f"> Authorization: Bearer {SECRET}")
        super().before(fault)


@caught_by("no_secret_is_told_by_a_look_that_fails")
class TellsTheSecretInALook(Good):
    def find(self, submission, journal):
        if self.carrier.fault == "unreachable":
            return Sighting(SightingState.UNCLEAR, detail=f"GET /sent?key={SECRET} failed")
        return super().find(submission, journal)
