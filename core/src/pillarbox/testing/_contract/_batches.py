"""Cases: several messages over one line; one answer each, in order, and one message in doubt at most."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from ..._errors import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected
from ..._mail import Receipt, Submission
from ..._transports import Journal
from ._ground import Ground
from ._journals import Watched


class Batches(Ground):
    """What `send_many` promises."""

    def test_a_batch_gives_one_answer_each_in_order(self) -> None:
        """As many answers as messages, in their order, and all of them with the carrier in that order."""
        submissions = [self.submission(f"number {number}\n") for number in range(5)]
        with self.opened() as transport:
            answers = list(transport.send_many((one, Journal()) for one in submissions))
        told = [getattr(answer, "message_id", answer) for answer in answers]
        assert told == [one.message_id for one in submissions], f"the answers are {told}"

    def test_a_batch_arrives_in_order(self) -> None:
        """What is sent first is accepted first."""
        self.needs_bytes()
        submissions = [self.submission(f"number {number}\n") for number in range(5)]
        before = len(self.accepted())
        with self.opened() as transport:
            list(transport.send_many((one, Journal()) for one in submissions))
        got = [one.content for one in self.accepted()[before:]]
        assert got == [self.expected_content(one) for one in submissions], "lost, doubled or out of order"

    def test_a_batch_has_one_message_in_doubt_at_most(self) -> None:
        """The next is handed over when those before it were answered, and the one behind it is pulled no sooner.

        Where the settings ask for more at once, `in_doubt` says how many.
        """
        answered = 0
        early: list[str] = []

        def handed_over(number: int) -> None:
            if number >= answered + self.in_doubt:
                early.append(f"message {number + 1} was handed over with {answered} answered")

        def attempts() -> Iterator[tuple[Submission, Journal]]:
            for number in range(5):
                if number > answered + self.in_doubt:
                    early.append(f"message {number + 1} was pulled with {answered} answered")
                yield self.submission(), Watched(functools.partial(handed_over, number))

        with self.opened() as transport:
            for _ in transport.send_many(attempts()):
                answered += 1
        assert answered == 5, f"5 messages, and {answered} answers"
        assert not early, "; ".join(early)

    def test_a_batch_closed_early_tells_what_it_handed_over(self) -> None:
        """Whoever stops listening knows by the journals what the carrier may have, and can send on."""
        before = len(self.accepted())
        journals = [Journal() for _ in range(5)]
        with self.opened() as transport:
            answers = transport.send_many((self.submission(), journal) for journal in journals)
            assert isinstance(next(answers), Receipt)
            close = getattr(answers, "close", None)
            assert close is not None, (
                "send_many returns an iterator that can't be closed; write it as a generator"
            )
            close()
            assert isinstance(transport.send(self.submission(), Journal()), Receipt), "unfit for the next"
        handed_over = sum(journal.handed_over for journal in journals)
        assert handed_over <= 1 + self.in_doubt, f"{handed_over} were handed over when one was asked for"
        count = len(self.accepted()) - before - 1
        assert count <= handed_over, f"the carrier has {count}, and {handed_over} were marked as handed over"

    def test_a_batch_goes_on_behind_a_refusal(self) -> None:
        """One message that is refused is one answer; the others are sent."""
        told = self._batch("second message refused", 3)
        assert told == [Receipt, SendRejected, Receipt], f"the answers are {told}"

    def test_a_batch_goes_on_behind_a_lost_line(self) -> None:
        """The message whose answer was lost is unknown; those that were not on their way are sent, over another line."""
        told = self._batch("second message lost", 2 + self.in_doubt)
        assert told[:2] == [Receipt, OutcomeUnknown], f"the answers are {told}"
        assert told[-1] is Receipt, f"the answers are {told}"

    def _batch(self, fault: str, size: int) -> list[type]:
        with self.stage(fault), self.opened() as transport:
            try:
                answers = list(transport.send_many((self.submission(), Journal()) for _ in range(size)))
            except PillarboxError as error:
                raise AssertionError(f"an error is an answer, and send_many raised it: {error!r}") from error
        return [type(answer) for answer in answers]

    def test_a_batch_marks_each_hand_over(self) -> None:
        """In the journal of the message that is handed over, and in no other."""
        journals = [Watched() for _ in range(3)]
        with self.opened() as transport:
            list(transport.send_many((self.submission(), journal) for journal in journals))
        entered = [journal.entered for journal in journals]
        assert entered == [1, 1, 1], f"the hand-overs were marked {entered} times"

    def test_a_batch_goes_on_behind_one_that_was_called_off(self) -> None:
        """Its caller is told that nothing left; the others leave."""
        journals = [Journal() for _ in range(3)]
        journals[1].call_off()
        before = len(self.accepted())
        with self.opened() as transport:
            answers = list(transport.send_many((self.submission(), journal) for journal in journals))
        told = [type(answer) for answer in answers]
        assert told == [Receipt, SendDeferred, Receipt], f"the answers are {told}"
        count = len(self.accepted()) - before
        assert count == 2, f"two were to leave, and the carrier has {count}"

    def test_an_empty_batch_is_empty(self) -> None:
        """Nothing to send is nothing to say."""
        with self.opened() as transport:
            assert list(transport.send_many([])) == [], "nothing was sent, and it has an answer"
