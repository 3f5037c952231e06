"""Cases: an outcome is told by the stage that the attempt had reached, never more and never less than is known."""

from __future__ import annotations

import copy

from ..._errors import OutcomeUnknown, PillarboxError, SendDeferred
from ..._mail import AnswerState, Receipt
from ..._transports import Journal
from ._canary import words_of
from ._faults import FAULTS, Fault
from ._ground import Ground, NotStaged, outcome_of, through_pickle
from ._journals import Watched


class Outcomes(Ground):
    """What an outcome means."""

    def ends_as_it_must(self, name: str) -> Receipt | Exception:
        """Send while the carrier misbehaves as *name* says, and return what came of it.

        Raises:
            AssertionError: The outcome, the journal and what the carrier has do not agree.
        """
        journal, before = Watched(), self.count()
        with self.stage(name), self.opened() as transport:
            outcome = outcome_of(transport, self.submission(), journal)
        _is_one_of(outcome, FAULTS[name], name)
        wanted = FAULTS[name].handed_over
        assert wanted is None or journal.handed_over is wanted, (
            f"{name}: the hand-over was {'not ' if wanted else ''}marked"
        )
        assert journal.entered <= 1 or name == "credential refused", (
            f"{name}: it was submitted again by itself"
        )
        if not isinstance(outcome, (Receipt, OutcomeUnknown)) and before is not None:
            assert self.count() == before, f"{name}: said not to have left, and the carrier has it"
        if isinstance(outcome, PillarboxError):
            self.keeps_secrets(*words_of(outcome))
            survives(outcome)
        return outcome

    def test_unreachable_is_deferred(self) -> None:
        """Nothing answers: nothing left, try later."""
        self.ends_as_it_must("unreachable")

    def test_a_line_cut_before_the_hand_over_is_deferred(self) -> None:
        """Cut before the content: nothing left."""
        self.ends_as_it_must("cut before")

    def test_silence_before_the_hand_over_is_deferred(self) -> None:
        """A deadline that passes before the content: nothing left."""
        self.ends_as_it_must("silent before")

    def test_a_refused_credential_needs_a_sign_in(self) -> None:
        """A refused credential is neither final nor worth a retry by itself."""
        self.ends_as_it_must("credential refused")

    def test_a_sign_in_refused_for_now_is_deferred(self) -> None:
        """Too many sign-ins say nothing against the credential."""
        self.ends_as_it_must("credential refused for now")

    def test_a_refused_sender_is_rejected(self) -> None:
        """The carrier does not let the account show the address."""
        self.ends_as_it_must("sender refused")

    def test_a_sender_refused_for_now_is_deferred(self) -> None:
        """It may be let later."""
        self.ends_as_it_must("sender refused for now")

    def test_all_recipients_refused_for_good_is_rejected(self) -> None:
        """Nobody is left to get it."""
        self.ends_as_it_must("recipient refused")

    def test_all_recipients_refused_for_now_is_deferred(self) -> None:
        """They may be accepted later."""
        self.ends_as_it_must("recipient refused for now")

    def test_refused_content_is_rejected(self) -> None:
        """A complete answer is an answer, also after the hand-over."""
        self.ends_as_it_must("content refused")

    def test_content_refused_for_now_is_deferred(self) -> None:
        """So is a complete not now."""
        self.ends_as_it_must("content refused for now")

    def test_a_line_cut_inside_the_content_is_never_called_accepted(self) -> None:
        """Unknown, or not sent where the carrier can't have taken the end for the end."""
        self.ends_as_it_must("cut inside")

    def test_a_line_cut_after_the_hand_over_is_unknown(self) -> None:
        """No answer to what was handed over: nobody knows."""
        self.ends_as_it_must("cut after")

    def test_silence_after_the_hand_over_is_unknown(self) -> None:
        """A deadline that passes says nothing about what was accepted."""
        self.ends_as_it_must("silent after")

    def test_nonsense_after_the_hand_over_is_unknown(self) -> None:
        """An answer that is none says nothing either."""
        self.ends_as_it_must("nonsense after")

    def test_a_refused_recipient_does_not_stop_the_others(self) -> None:
        """Partial refusal is a receipt with an answer for each (rule 25)."""
        self._is_refused_alone("one recipient refused", AnswerState.REFUSED)

    def test_a_recipient_refused_for_now_is_told_from_one_refused_for_good(self) -> None:
        """Only those refused for now are tried again (rule 25)."""
        self._is_refused_alone("one recipient refused for now", AnswerState.REFUSED_FOR_NOW)

    def _is_refused_alone(self, name: str, state: AnswerState) -> None:
        self.needs_envelope()
        receipt = self.ends_as_it_must(name)
        assert isinstance(receipt, Receipt)
        told = {who: answer.state for who, answer in receipt.recipients.items()}
        wanted = {**dict.fromkeys(self.recipients, AnswerState.ACCEPTED), self.recipients[-1]: state}
        assert told == wanted, f"{name}: the receipt says {told}"

    def test_called_off_before_the_hand_over_nothing_leaves(self) -> None:
        """A caller whose deadline has passed is told that nothing left, and nothing does."""
        journal, before = Journal(), self.count()
        journal.call_off()
        with self.opened() as transport:
            outcome = outcome_of(transport, self.submission(), journal)
            assert isinstance(outcome, SendDeferred), f"called off, and it ended in {outcome!r}"
            assert not journal.handed_over, "called off, and handed over nevertheless"
            assert self.count() == before, "called off, and the carrier has it"
            assert isinstance(transport.send(self.submission(), Journal()), Receipt), "unfit for the next"

    def test_it_can_be_used_after_a_refusal(self) -> None:
        """A message that was refused does not spoil the transport for the next."""
        self._is_fit_after("recipient refused", "content refused", "content refused for now")

    def test_it_can_be_used_after_a_lost_line(self) -> None:
        """A line that broke, at whatever stage, does not spoil it either."""
        self._is_fit_after("cut after", "cut inside", "cut before", "unreachable")

    def _is_fit_after(self, *names: str) -> None:
        tried = 0
        with self.opened() as transport:
            for name in names:
                try:
                    with self.stage(name):
                        outcome = outcome_of(transport, self.submission(), Journal())
                except NotStaged:
                    continue
                tried += 1
                _is_one_of(outcome, FAULTS[name], name)
                again = outcome_of(transport, self.submission(), Journal())
                assert isinstance(again, Receipt), f"after {name}, the next message ended in {again!r}"
        if not tried:
            raise NotStaged(f"stage() brings about none of: {', '.join(names)}")


def _is_one_of(outcome: Receipt | Exception, fault: Fault, name: str) -> None:
    wanted = " or ".join(kind.__name__ for kind in fault.ends_in)
    found = f"{type(outcome).__name__} in the place of {wanted}: {outcome}"
    assert isinstance(outcome, fault.ends_in), f"{name}: {found}"


def survives(error: PillarboxError) -> None:
    """Raise AssertionError unless *error* comes through pickle and copy as it is: errors cross processes (Celery)."""
    for again in (through_pickle(error), copy.copy(error)):
        same = (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
        assert same, f"{error!r} comes through pickle or copy as {again!r}"
