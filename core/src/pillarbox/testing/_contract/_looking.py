"""Cases: a look for a message that is in doubt says what is known, and sends nothing."""

from __future__ import annotations

from ..._mail import Receipt, Sighting, SightingState, Submission
from ..._transports import Journal, Transport
from ._ground import Ground, outcome_of


class Looking(Ground):
    """What `find` promises."""

    def test_what_was_accepted_is_never_called_absent(self) -> None:
        """It is SENT, or UNCLEAR where the carrier can't be asked."""
        submission, journal = self.submission(), Journal()
        with self.opened() as transport:
            transport.send(submission, journal)
            assert _look(transport, submission, journal) is not SightingState.ABSENT, (
                "accepted, and called absent"
            )

    def test_what_was_never_sent_is_never_called_sent(self) -> None:
        """Another message that was sent is no evidence."""
        self.send(self.submission())
        with self.opened() as transport:
            found = _look(transport, self.submission(), Journal())
        assert found is not SightingState.SENT, "never sent, and called sent"

    def test_what_says_that_it_can_look_sees_what_was_accepted(self) -> None:
        """`capabilities` promises no more than `find` keeps."""
        submission, journal = self.submission(), Journal()
        with self.opened() as transport:
            transport.send(submission, journal)
            found = _look(transport, submission, journal)
            can = type(transport).capabilities(None).find
        assert found is SightingState.SENT or not can, f"it says that it can look, and finds {found.value}"

    def test_another_transport_sees_the_same(self) -> None:
        """A look after a crash is made by another instance, with the notes of the attempt alone."""
        submission, journal = self.submission(), Journal()
        self.send(submission, journal)
        again = Journal(journal.notes)
        with self.opened() as transport:
            assert _look(transport, submission, again) is not SightingState.ABSENT, (
                "accepted, and called absent"
            )

    def test_a_look_after_a_lost_answer_is_honest(self) -> None:
        """SENT only what the carrier has, ABSENT only what it does not have."""
        submission, journal = self.submission(), Journal()
        before = len(self.accepted())
        with self.stage("cut after"), self.opened() as transport:
            outcome = outcome_of(transport, submission, journal)
        assert not isinstance(outcome, Receipt)
        with self.opened() as transport:
            found = _look(transport, submission, journal)
        has_it = len(self.accepted()) > before
        assert found is not SightingState.SENT or has_it, (
            "the look says SENT, and the carrier does not have it"
        )
        assert found is not SightingState.ABSENT or not has_it, "the look says ABSENT, and the carrier has it"

    def test_a_look_that_fails_is_unclear(self) -> None:
        """A carrier that can't be reached proves nothing (rule 21)."""
        submission, journal = self.submission(), Journal()
        self.send(submission, journal)
        with self.stage("unreachable"), self.opened() as transport:
            for one in (submission, self.submission()):
                found = _look(transport, one, journal)
                assert found is SightingState.UNCLEAR, f"it could not look, and says {found.value}"

    def test_a_look_sends_nothing(self) -> None:
        """However often it is made."""
        submission, journal = self.submission(), Journal()
        self.send(submission, journal)
        before = self.accepted()
        with self.opened() as transport:
            for one in (submission, self.submission(), submission):
                transport.find(one, journal)
        assert self.accepted() == before, "a look has sent something"


def _look(transport: Transport, submission: Submission, journal: Journal) -> SightingState:
    """Return what a look finds.

    Raises:
        AssertionError: It raised, or answered something else than a sighting.
    """
    try:
        found = transport.find(submission, journal)
    except Exception as error:
        raise AssertionError(f"a look never raises; what fails is UNCLEAR: {error!r}") from error
    assert isinstance(found, Sighting), f"find returned {type(found).__name__}"
    if found.receipt is not None:
        assert found.receipt.message_id == submission.message_id, "the receipt is for another message"
    return found.state
