"""Cases: what a transport tells, in receipts, errors, notes and the log, is exact, bounded, and no more than it should be."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from ..._errors import PillarboxError, SendDeferred, SendError
from ..._mail import AnswerState, Receipt
from ..._transports import Journal, Transport
from ._faults import FAULTS
from ._ground import Ground, NotStaged, outcome_of
from ._overheard import listening

LONGEST_DETAIL = 1_000
"""Characters of an error's sentence: a quotation of 512 octets and some words around it."""
LONGEST_WAIT = 7 * 86_400.0
MOST_NOTES, LONGEST_NOTE = 50, 10_000
PHRASE = "the words that only this message has"
SUBJECT = "A subject that only this message has"


class Telling(Ground):
    """What it says."""

    def test_a_receipt_is_of_now(self) -> None:
        """Its moment is aware, and between the call and its return."""
        before = dt.datetime.now(dt.UTC)
        at = self.send(self.submission()).at
        assert at.tzinfo is not None, f"the moment has no zone: {at!r}"
        after = dt.datetime.now(dt.UTC)
        assert before - dt.timedelta(seconds=2) <= at <= after, (
            f"it was accepted at {at}, between {before} and {after}"
        )

    def test_a_receipt_tells_of_every_recipient_or_of_none(self) -> None:
        """One that is left out would be taken for accepted by one reader, and for refused by another."""
        submission = self.submission()
        told = self.send(submission).recipients
        left = set(submission.envelope.recipients) - set(told)
        assert not told or not left, f"the receipt says nothing of {sorted(left)}"

    def test_the_words_of_an_error_are_fit_to_be_shown(self) -> None:
        """One sentence, of a bounded length, without control, escape or bidirectional characters (rule 39)."""
        for name, error in self._errors(*FAULTS):
            for said in (error.detail, error.cure, getattr(error, "code", "")):
                assert said.isprintable(), f"{name}: what is shown holds characters that are not: {said!r}"
                assert len(said) <= LONGEST_DETAIL, f"{name}: {len(said):,} characters are no sentence"
            assert error.detail.strip(), f"{name}: {type(error).__name__} says nothing"

    def test_a_wait_is_a_number_of_seconds(self) -> None:
        """`retry_after` is none of the provider's clock, and no word of it; at most a week."""
        for name, error in self._errors(*FAULTS):
            wait = error.retry_after if isinstance(error, SendDeferred) else None
            if wait is not None:
                assert isinstance(wait, (int, float)), f"{name}: retry_after is {wait!r}"
                assert 0 <= wait <= LONGEST_WAIT, f"{name}: retry_after is {wait} seconds"

    def test_an_error_tells_refused_for_now_from_refused_for_good(self) -> None:
        """Where it tells of recipients, it tells of each what the carrier said of them."""
        wanted = {
            "recipient refused": AnswerState.REFUSED,
            "recipient refused for now": AnswerState.REFUSED_FOR_NOW,
        }
        for name, error in self._errors(*wanted):
            told = {answer.state for answer in getattr(error, "recipients", {}).values()}
            assert told <= {wanted[name]}, f"{name}: the error says {told}"

    def test_a_lost_answer_is_followed_by_no_second_try(self) -> None:
        """Whoever sends again by themselves sends twice (rule 24)."""
        before = len(self.accepted())
        with self.stage("cut after"), self.opened() as transport:
            outcome_of(transport, self.submission(), Journal())
        count = len(self.accepted()) - before
        assert count <= 1, f"one call, and the carrier has it {count} times"

    def test_notes_are_short_and_hold_nothing_of_the_message(self) -> None:
        """They are kept when the message's bytes are long erased."""
        journal = Journal()
        self.send(self.submission(f"{PHRASE}\n", subject=SUBJECT), journal)
        assert len(journal.notes) <= MOST_NOTES, f"{len(journal.notes)} notes"
        for name, value in journal.notes.items():
            assert len(value) <= LONGEST_NOTE, f"the note {name} has {len(value):,} characters"
            assert PHRASE not in value, f"the note {name} holds the message"
            assert SUBJECT not in value, f"the note {name} holds the subject"

    def test_notes_of_others_are_let_be(self) -> None:
        """Those of another version, or of the carrier that had the message before, mean nothing here."""
        submission, journal = self.submission(), Journal({"of-another.version": "\u2026", "x": ""})
        with self.opened() as transport:
            outcome = outcome_of(transport, submission, journal)
        assert isinstance(outcome, Receipt), f"behind notes of others it ended in {outcome!r}"

    def test_the_log_holds_neither_addresses_nor_words_of_a_message(self) -> None:
        """Nobody looks for customers and invoices in a log, and many read it."""
        who = "somebody.in.particular@customer.example"
        with listening() as lines, self.opened() as transport:
            outcome_of(transport, self.submission(f"{PHRASE}\n", subject=SUBJECT, to=who), Journal())
        for line in lines:
            assert who not in line, f"the log holds a recipient: {line[:200]!r}"
            assert PHRASE not in line, f"the log holds the message: {line[:200]!r}"
            assert SUBJECT not in line, f"the log holds the subject: {line[:200]!r}"

    def test_no_secret_is_told_when_the_line_breaks(self) -> None:
        """Nor in the log or the transcript, at whatever stage."""
        self._needs_secrets()
        tried = 0
        for name in (
            "unreachable",
            "cut before",
            "cut inside",
            "cut after",
            "nonsense after",
            "content refused",
        ):
            with contextlib.suppress(NotStaged), self._overheard(name) as (transport, lines):
                outcome = outcome_of(transport, self.submission(), Journal())
                tried += 1
                self.keeps_secrets(*lines, repr(outcome), str(outcome))
        if not tried:
            raise NotStaged("stage() brings about no line that breaks")

    def test_no_secret_is_told_by_a_look_that_fails(self) -> None:
        """Nor by a check that does."""
        self._needs_secrets()
        with self._overheard("unreachable") as (transport, lines):
            seen = [repr(transport.find(self.submission(), Journal())), *map(repr, transport.check())]
            self.keeps_secrets(*lines, *seen)

    @contextlib.contextmanager
    def _overheard(self, name: str) -> Iterator[tuple[Transport, list[str]]]:
        with self.stage(name), listening() as lines, self.opened() as transport:
            transport.trace = lines.append
            yield transport, lines

    def _needs_secrets(self) -> None:
        if not self.secrets:
            raise NotStaged("secrets is empty: there is nothing to look for")

    def _errors(self, *names: str) -> Iterator[tuple[str, PillarboxError]]:
        """Send while the carrier misbehaves in each way that can be staged, and yield the errors.

        Raises:
            NotStaged: None could be.
        """
        tried = 0
        for name in names:
            try:
                with self.stage(name), self.opened() as transport:
                    outcome = outcome_of(transport, self.submission(), Journal())
            except NotStaged:
                continue
            tried += 1
            if isinstance(outcome, (SendError, PillarboxError)):
                yield name, outcome
        if not tried:
            raise NotStaged("stage() brings about none of these faults")
