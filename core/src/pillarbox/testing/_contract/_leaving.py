"""Cases: what leaves is what was composed, to whom it was addressed, from the moment that the journal says."""

from __future__ import annotations

import uuid

import attrs

from ..._attachment import Attachment
from ..._errors import MessageError
from ..._mail import Receipt, Submission
from ..._transports import Journal, SenderPolicy
from ._bodies import BODIES, TEXTS, divisions, large
from ._ground import Ground, outcome_of
from ._journals import Watched

ODD = (
    "x@customer.example",
    "UPPER.Case+tag@Customer.Example",
    "o'neill_%$#@customer.example",
    "-f@customer.example",
)
"""Addresses of which each is allowed and has been lost by somebody."""


class Leaving(Ground):
    """What leaves."""

    def test_a_receipt_carries_our_message_id(self) -> None:
        """The carrier's word is a Receipt for this message, about its recipients and no others."""
        submission = self.submission()
        receipt = self.send(submission)
        assert isinstance(receipt, Receipt), f"send returned {type(receipt).__name__}"
        assert receipt.message_id == submission.message_id, "the receipt is for another message"
        assert set(receipt.recipients) <= set(submission.envelope.recipients), "it tells of strangers"
        assert not receipt.refused, f"nobody was to be refused: {receipt.refused}"

    def test_the_account_that_the_client_used_is_told(self) -> None:
        """Where the program on the desktop decides, the receipt says which address it used."""
        receipt = self.send(self.submission())
        by_client = self.transport_class().sender_policy is SenderPolicy.CLIENT
        assert bool(receipt.sender) or not by_client, "Receipt.sender is empty under SenderPolicy.CLIENT"

    def test_the_hand_over_is_marked(self) -> None:
        """A message that was accepted was handed over, once."""
        journal = Watched()
        self.send(self.submission(), journal)
        assert journal.handed_over, "it was accepted, and the journal says that nothing was handed over"
        assert journal.entered == 1, f"it was submitted {journal.entered} times"

    def test_nothing_is_accepted_before_the_hand_over(self) -> None:
        """At the moment of the mark, the carrier has nothing yet."""
        before = len(self.accepted())
        seen: list[int] = []
        self.send(self.submission(), Watched(lambda: seen.append(len(self.accepted()))))
        assert seen == [before], "the carrier had the message when the hand-over was marked"

    def test_a_mark_that_fails_lets_nothing_leave(self) -> None:
        """Where the journal can't be written, nothing is submitted: nobody would know of it after a crash."""
        before = self.accepted()

        def full() -> None:
            raise OSError("no space left on device")

        with self.opened() as transport:
            outcome = outcome_of(transport, self.submission(), Watched(full))
            assert isinstance(outcome, Exception), "it was submitted although the mark could not be made"
            assert self.accepted() == before, "the carrier has it although the mark could not be made"

    def test_the_bytes_are_untouched(self) -> None:
        """What was composed is what arrives, octet by octet, whatever the text."""
        self.needs_bytes()
        for name, text in TEXTS.items():
            attached = self.submission(text, attachments=[Attachment("all.bin", bytes(range(256)) * 5)])
            for submission in (self.submission(text), attached):
                self._arrives_whole(submission, name)

    def test_hostile_bytes_are_untouched(self) -> None:
        """Lone dots, lines of 998 octets, From at a line's start, empty lines last: nothing is added and nothing lost."""
        self.needs_bytes()
        for name, body in BODIES.items():
            self._arrives_whole(self.submission_of(body), name)

    def test_bytes_in_pieces_are_untouched(self) -> None:
        """However the content is cut into chunks, within line ends too, what arrives is their sum."""
        self.needs_bytes()
        whole = self.submission_of(BODIES["lines of dots"] + BODIES["a dot last"])
        for number, chunks in enumerate(divisions(whole.content)):
            # Each is a submission of its own: a carrier that recognises a key would take the first alone.
            one = attrs.evolve(whole, chunks=chunks, key=uuid.uuid4().hex)
            self._arrives_whole(one, f"division {number}")

    def test_a_large_message_arrives_whole(self) -> None:
        """Longer than the buffers on the way, with dots at the start of many lines."""
        self.needs_bytes()
        self._arrives_whole(self.submission_of(large()), "large")

    def _arrives_whole(self, submission: Submission, name: str) -> None:
        got, wanted = self.arrived(submission).content, self.expected_content(submission)
        at = next((number for number, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), -1)
        at = min(len(got), len(wanted)) if at < 0 else at
        assert got == wanted, (
            f"{name}: altered at octet {at:,} of {len(wanted):,}:"
            f" {got[max(0, at - 20) : at + 20]!r} in the place of {wanted[max(0, at - 20) : at + 20]!r}"
        )

    def test_the_envelope_is_exact(self) -> None:
        """Sender and recipients arrive as given, each once, in order, odd ones too."""
        self.needs_envelope()
        self._arrives_as_addressed(self.submission(to=(*ODD, ODD[0]), cc=("cc@customer.example", ODD[1])))

    def test_one_send_is_one_message(self) -> None:
        """However many recipients there are."""
        self.arrived(self.submission(to=[f"r{number}@customer.example" for number in range(20)]))

    def test_a_quoted_local_part_is_exact_or_refused(self) -> None:
        """Quotes, spaces and an @ in a local part stay, or nothing leaves (RFC 5321 4.1.2)."""
        self.needs_envelope()
        self._is_exact_or_refused(
            self.submission(to=('"john doe"@customer.example', '"a@b"@customer.example'))
        )

    def test_an_international_local_part_is_exact_or_refused(self) -> None:
        """It goes with SMTPUTF8 or not at all (rule 31)."""
        self.needs_envelope()
        self._is_exact_or_refused(self.submission(to="jörg@customer.example"))

    def test_the_null_sender_is_exact_or_refused(self) -> None:
        """Mail that nobody must answer has no reverse-path (RFC 5321 4.5.5), and no other takes its place."""
        self.needs_envelope()
        plain = self.submission()
        self._is_exact_or_refused(attrs.evolve(plain, envelope=attrs.evolve(plain.envelope, sender="")))

    def _is_exact_or_refused(self, submission: Submission) -> None:
        before, journal = self.accepted(), Journal()
        with self.opened() as transport:
            outcome = outcome_of(transport, submission, journal)
        if isinstance(outcome, Exception):
            assert isinstance(outcome, MessageError), f"{type(outcome).__name__} in the place of MessageError"
            assert self.accepted() == before, "it was refused, and the carrier has it"
            assert not journal.handed_over, "what can't go by this carrier is refused before the hand-over"
        else:
            self._is_as_addressed(submission)

    def _arrives_as_addressed(self, submission: Submission) -> None:
        self.arrived(submission)
        self._is_as_addressed(submission)

    def _is_as_addressed(self, submission: Submission) -> None:
        got, wanted = self.accepted()[-1], submission.envelope
        assert got.recipients == wanted.recipients, f"to {got.recipients} in the place of {wanted.recipients}"
        if wanted.sender is not None:
            assert got.sender == wanted.sender, f"from {got.sender!r} in the place of {wanted.sender!r}"

    def test_bcc_gets_it_and_is_not_shown(self) -> None:
        """Bcc is among those it goes to, and in nothing that a recipient gets (rule 29)."""
        hidden = "hidden.copy@customer.example"
        got = self.arrived(self.submission(bcc=hidden))
        assert hidden in got.recipients, "a hidden recipient gets nothing"
        if self.transport_class().takes_envelope:
            assert b"hidden.copy" not in got.content, "a hidden recipient is shown"
            assert b"\nbcc:" not in got.content.lower(), "there is a Bcc header"
