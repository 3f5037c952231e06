"""Cases: moves are taken only from where they were decided, and last."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..._errors import OutboxError, OutcomeUnknown, PillarboxError, SendDeferred
from ..._mail import Answer, AnswerState, Envelope, Receipt, State
from ..._outbox import Entry, Pause, steps
from ..._settings import Account
from .._contract import NotStaged
from ._ground import NOON, OutboxGround, keys, letter, refused


class Moving(OutboxGround):
    """Marks, notes and outcomes."""

    def test_a_mark_is_kept_when_it_returns(self) -> None:
        """Another opening of the outbox sees the hand-over before the first octet can leave."""
        entry, other = self.claimed(), self.open()
        self.clock.forward(5)
        with self.box.journal(entry).handing_over():
            found = other.get(entry.key)
        assert found is not None
        assert found.state is State.ATTEMPTING, "the hand-over was marked, and nobody else can see it"
        assert found.attempted_at == self.clock()
        assert found.attempts == 1

    def test_a_stale_claim_marks_nothing(self) -> None:
        """Its entry went back, and is another worker's: nothing may leave."""
        stale = self._stale()
        with refused(SendDeferred), self.box.journal(stale).handing_over():
            pass
        self.is_in(stale, State.CLAIMED)

    def test_a_stale_claim_settles_nothing(self) -> None:
        """Whatever it believes to know."""
        stale = self._stale()
        receipt = Receipt(stale.submission.message_id)
        for outcome in (receipt, SendDeferred("busy"), OutcomeUnknown("lost")):
            step = steps.after(stale, outcome, self.settings, NOON).step
            assert not self.take(step), f"a stale claim moved the entry to {step.state}"
        assert not self.take(steps.released(stale))
        self.is_in(stale, State.CLAIMED)

    def test_a_stale_claim_notes_nothing(self) -> None:
        """Nor does one that has ended."""
        stale = self._stale()
        with refused(SendDeferred):
            self.box.journal(stale).note("draft", "7")
        assert not self.stands(stale).notes

    def test_a_note_that_fails_behind_the_mark_leaves_the_outcome_unknown(self) -> None:
        """It was handed over: nobody may be told that nothing left."""
        entry = self.claimed()
        journal = self.box.journal(entry)
        with journal.handing_over():
            assert self.take(steps.after(entry, OutcomeUnknown("lost"), self.settings, NOON).step)
            with refused(OutcomeUnknown):
                journal.note("draft", "7")

    def _stale(self) -> Entry:
        """Return an entry as a claim knows it that has been lost to another worker."""
        stale = self.claimed()
        assert self.take(steps.released(stale))
        assert self.claim()
        return stale

    def test_two_marks_of_one_claim_are_one(self) -> None:
        """Compare-and-set: of two that try at once, one may hand over."""
        entry = self.claimed()
        assert self.box.take([steps.attempting(entry), steps.attempting(entry)]) == [True, False]

    def test_what_was_cancelled_is_not_handed_over(self) -> None:
        """A person was quicker."""
        entry = self.claimed()
        self.box.cancel(entry.key, by="root")
        with refused(SendDeferred), self.box.journal(entry).handing_over():
            pass
        self.is_in(entry, State.CANCELLED)

    def test_what_was_handed_over_is_neither_cancelled_nor_held_nor_tried_again(self) -> None:
        """The error says where it stands."""
        entry = self.attempted()
        wishes: list[Callable[[], object]] = [
            lambda: self.box.cancel(entry.key),
            lambda: self.box.retry(entry.key),
            lambda: self.box.hold(entry.key, "wait"),
        ]
        for wish in wishes:
            with refused(OutboxError, "attempting"):
                wish()
        self.is_in(entry, State.ATTEMPTING)

    def test_nothing_leaves_an_end(self) -> None:
        """Accepted is accepted, whatever comes later (rule 18)."""
        entry = self.attempted()
        receipt = Receipt(entry.submission.message_id, "4Xk2", at=NOON)
        assert self.take(steps.after(entry, receipt, self.settings, NOON).step)
        assert not self.take(steps.after(entry, OutcomeUnknown("lost"), self.settings, NOON).step)
        for wish in (self.box.cancel, self.box.retry):
            with refused(OutboxError):
                wish(entry.key)
        assert not self.claim()
        assert self.stands(entry).receipt == receipt

    def test_each_of_several_moves_has_its_own_answer(self) -> None:
        """One that can't be taken stops no other."""
        one, other = self.put(letter("1"), letter("2"))
        entries = self.claim()
        self.box.cancel(one)
        assert self.box.take([steps.attempting(entry) for entry in entries]) == [False, True]
        self.is_in(other, State.ATTEMPTING)

    def test_what_nobody_waits_for_is_there_behind_the_next_mark(self) -> None:
        """An outcome is never later than the hand-over of the next: after a crash one is in doubt, not two."""
        self.put(letter("1"), letter("2"))
        first, second = self.claim()
        with self.box.journal(first).handing_over():
            pass
        step = steps.after(first, Receipt(first.submission.message_id), self.settings, NOON).step
        assert self.box.take([step], soon=True) == []
        other = self.open()
        with self.box.journal(second).handing_over():
            found = other.get(first.key)
            assert found is not None
            assert found.state is State.ACCEPTED

    def test_what_nobody_waits_for_is_there_soon(self) -> None:
        """Also when nothing else happens, and when the outbox is closed at once."""
        first = self.attempted()
        step = steps.after(first, Receipt(first.submission.message_id), self.settings, NOON).step
        self.box.take([step], soon=True)
        self._soon(lambda: self.stands(first).state is State.ACCEPTED)
        second = self.attempted()
        step = steps.after(second, Receipt(second.submission.message_id), self.settings, NOON).step
        self.box.take([step], soon=True)
        self.box.close()
        self.is_in(second, State.ACCEPTED)

    def _soon(self, reached: Callable[[], bool]) -> None:
        give_up = time.monotonic() + self.patience
        while not reached():
            assert time.monotonic() < give_up, "it never came"
            time.sleep(0.005)

    def test_notes_come_back(self) -> None:
        """In the next claim, and in the look afterwards."""
        entry = self.claimed()
        journal = self.box.journal(entry)
        journal.note("draft", "7")
        journal.note("draft", "8")
        journal.note("tag", "ü")
        assert self.take(steps.released(entry))
        assert self.claim()[0].notes == {"draft": "8", "tag": "ü"}

    def test_only_those_are_tried_again_that_are_left(self) -> None:
        """Rule 25: the recipients that were taken get nothing more."""
        both = Envelope("orders@acme.example", ("a@customer.example", "b@customer.example"))
        entry = self.attempted(letter(envelope=both))
        answers = {"a@customer.example": Answer(AnswerState.ACCEPTED), "b@customer.example": _LATER}
        receipt = Receipt(entry.submission.message_id, recipients=answers, at=NOON)
        assert self.take(steps.after(entry, receipt, self.settings, NOON, chance=1.0).step)
        self.clock.forward(1)
        again = self.claim()[0]
        assert again.submission.envelope.recipients == ("b@customer.example",)
        assert again.submission.content == entry.submission.content
        assert again.receipt == receipt

    def test_a_failure_counts_from_the_first(self) -> None:
        """`retry_for` is measured from there."""
        entry, tried = self.claimed(), self.clock()
        for _ in range(2):
            step = steps.after(
                entry, SendDeferred("busy", code="450"), self.settings, self.clock(), chance=1.0
            ).step
            assert self.take(step)
            found = self.stands(entry)
            assert (found.tried_at, found.reason, found.code) == (tried, "busy", "450")
            self.clock.forward(60)
            entry = self.claim()[0]
        assert entry.attempts == 2

    def test_a_person_ends_what_is_held(self) -> None:
        """As sent, or as not sent; or has it tried again."""
        for sent, state in ((True, State.ACCEPTED), (False, State.CANCELLED)):
            entry = self._held()
            assert self.box.settle(entry.key, by="root", sent=sent).state is state
        entry = self._held()
        assert self.box.retry(entry.key, by="root").state is State.QUEUED
        assert self.claim()[0].key == entry.key
        assert [one.by for one in self.box.history(entry.key) if one.by] == ["root"]

    def _held(self) -> Entry:
        entry = self.unknown()
        assert self.take(steps.looked_in_vain(entry, "Nobody can look."))
        assert not self.claim(), "what may have been sent was claimed again"
        return entry

    def test_a_look_moves_only_what_it_looked_for(self) -> None:
        """The answer of a look that took long does not meet a later attempt."""
        looked_for = self.unknown()
        assert self.take(steps.safe_again(looked_for))
        again = self.claim()[0]
        with self.box.journal(again).handing_over():
            assert not self.take(steps.safe_again(looked_for))
        assert self.take(steps.after(again, OutcomeUnknown("lost"), self.settings, NOON).step)
        assert not self.take(steps.safe_again(looked_for)), "a stale look sent it again"

    def test_a_look_that_is_to_be_repeated_waits(self) -> None:
        """It stays unknown until then."""
        entry = self.unknown()
        due = self.clock() + dt.timedelta(seconds=60)
        assert self.take(steps._again(entry, due, "Not found so far."))  # noqa: SLF001
        assert not self.box.due_looks()
        self.is_in(entry, State.UNKNOWN)
        self.clock.forward(60)
        (found,) = self.box.due_looks()
        assert (found.key, found.submission.content) == (entry.key, entry.submission.content)
        assert found.reason == "Not found so far."

    def test_moves_at_once_are_taken_once(self) -> None:
        """Eight threads try to mark one claim: one may hand over."""
        entry = self.claimed()

        def mark(_: int) -> bool:
            with contextlib.suppress(PillarboxError), self.box.journal(entry).handing_over():
                return True
            return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(mark, range(8))) == 1

    def test_an_entry_goes_by_another_account(self) -> None:
        """It waits in the other lane, whole, without the old carrier's notes; a stale decision moves nothing."""
        entry = self.stands(self.put(letter())[0])
        other = self._other_account()
        try:
            was_there = self.box.re_point(entry, other, "Moved.", by="root")
        except OutboxError:
            raise NotStaged("this outbox moves nothing to another account") from None
        assert was_there
        assert not self.box.re_point(entry, other, "Moved again.")
        moved = self.stands(entry)
        assert (moved.account, moved.owner, moved.method, moved.mailbox) == (
            other.key,
            other.owner,
            other.method,
            other.mailbox,
        )
        assert moved.submission.content == entry.submission.content
        assert [event.by for event in self.box.history(entry.key)][-1] == "root"
        assert keys(self.claim(each=1)) == [entry.key]

    def test_what_is_of_a_renamed_user_goes_along(self) -> None:
        """Their own lane, their history and their pauses; nobody else's."""
        mine = letter(lane="acme/user:otto/x", owner="user:otto", user="otto")
        others = letter(lane="acme/user:otto2/x", owner="user:otto2", user="otto2")
        self.put(mine, others)
        self.box.pause(Pause(scope="lane:acme/user:otto/x", reason="Holiday.", by="root"))
        self.box.renamed("acme", "otto", "karl")
        found = self.stands(mine)
        if found.account == mine.account:
            raise NotStaged("this outbox leaves what is of a renamed user")
        assert (found.account, found.owner, found.user) == ("acme/user:karl/x", "user:karl", "karl")
        assert self.stands(others).account == others.account
        assert [pause.scope for pause in self.box.pauses()] == ["lane:acme/user:karl/x"]
        self.box.resume("lane:acme/user:karl/x")
        assert set(keys(self.claim(most=9, each=9))) == {mine.key, others.key}

    @staticmethod
    def _other_account() -> Account:
        return Account(owner="user:anna", method="y", mailbox="anna@acme.example", company="acme")


_LATER = Answer(AnswerState.REFUSED_FOR_NOW, "greylisted", "450")
