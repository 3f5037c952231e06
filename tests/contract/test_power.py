"""The contract is worth something: transports that are wrong in one way each are caught, by a case that names it."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from pillarbox import (
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SendRejected,
    Sighting,
    SightingState,
    SignInNeeded,
    Transport,
)
from pillarbox.testing import Accepted, TransportContract, run_cases

SECRET = "canary-55-secret"


class Carrier:
    """Keeps what it accepts in a folder, so that it outlives a killed sender; misbehaves as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault = ""
        self.sent = 0

    def take(self, content: bytes, sender: str, recipients: tuple[str, ...]) -> None:
        number = len(list(self.folder.iterdir()))
        head = "\n".join([sender, *recipients]).encode()
        (self.folder / f"{number:04d}-{uuid.uuid4().hex}").write_bytes(head + b"\n\n" + content)

    def accepted(self) -> list[Accepted]:
        found = []
        for file in sorted(self.folder.iterdir()):
            head, _, content = file.read_bytes().partition(b"\n\n")
            sender, *recipients = head.decode().split("\n")
            found.append(Accepted(content, sender, recipients))
        return found


@attrs.frozen
class Settings:
    name: str = "good"


class Good(Transport):
    """Right in every way that the contract asks for."""

    settings: Settings
    label = "Good"
    carrier: Carrier

    def send(self, submission, journal):
        carrier, envelope = self.carrier, submission.envelope
        carrier.sent += 1
        fault = carrier.fault
        self.before(fault)
        recipients = tuple(
            who for who in envelope.recipients if not (fault == "one recipient refused" and "office" in who)
        )
        with journal.handing_over():
            if fault == "content refused" or (fault == "second message refused" and carrier.sent == 2):
                raise SendRejected("spam", stage="content")
            if fault == "content refused for now":
                raise SendDeferred("later", stage="content")
            if fault in {"cut after", "silent after", "nonsense after"}:
                raise OutcomeUnknown(f"{fault}", stage="content")
            carrier.take(self.content(submission), envelope.sender, recipients)
        from pillarbox import Answer, AnswerState

        answers = {
            who: Answer(AnswerState.ACCEPTED if who in recipients else AnswerState.REFUSED)
            for who in envelope.recipients
        }
        return Receipt(submission.message_id, recipients=answers)

    def content(self, submission):
        return submission.content

    def before(self, fault):
        if fault in {"unreachable", "cut before"}:
            raise SendDeferred("closed", stage="connect")
        if fault == "credential refused":
            raise SignInNeeded("wrong password", stage="sign-in")
        if fault == "sender refused":
            raise SendRejected("not yours", stage="sender")
        if fault == "recipient refused":
            raise SendRejected("nobody", stage="recipient")
        if fault == "recipient refused for now":
            raise SendDeferred("busy", stage="recipient")

    def find(self, submission, journal):
        if self.carrier.fault == "unreachable":
            return Sighting(SightingState.UNCLEAR)
        there = any(one.content == submission.content for one in self.carrier.accepted())
        return (
            Sighting(SightingState.SENT, Receipt(submission.message_id))
            if there
            else Sighting(SightingState.ABSENT)
        )


class BccShown(Good):
    def content(self, submission):
        return submission.content_with_bcc()


class BytesAltered(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n.\r\n", b"\r\n\r\n")


class LineEndsAltered(Good):
    def content(self, submission):
        return submission.content.replace(b"\r\n", b"\n")


class RecipientDropped(Good):
    def send(self, submission, journal):
        with journal.handing_over():
            self.carrier.take(
                submission.content, submission.envelope.sender, submission.envelope.recipients[:1]
            )
        return Receipt(submission.message_id)


class OneMessageForEach(Good):
    def send(self, submission, journal):
        with journal.handing_over():
            for recipient in submission.envelope.recipients:
                self.carrier.take(submission.content, submission.envelope.sender, (recipient,))
        return Receipt(submission.message_id)


class MarkedLate(Good):
    def send(self, submission, journal):
        self.before(self.carrier.fault)
        self.carrier.take(submission.content, submission.envelope.sender, submission.envelope.recipients)
        with journal.handing_over():
            return Receipt(submission.message_id)


class NeverMarked(Good):
    def send(self, submission, journal):
        self.before(self.carrier.fault)
        self.carrier.take(submission.content, submission.envelope.sender, submission.envelope.recipients)
        return Receipt(submission.message_id)


class MarkedTooEarly(Good):
    def send(self, submission, journal):
        with journal.handing_over():
            return super().send(submission, journal)


class UnknownCalledDeferred(Good):
    def send(self, submission, journal):
        try:
            return super().send(submission, journal)
        except OutcomeUnknown as error:
            raise SendDeferred(error.detail) from None


class DeferredCalledUnknown(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SendDeferred as error:
            raise OutcomeUnknown(error.detail) from None


class SignInCalledRejected(Good):
    def before(self, fault):
        try:
            super().before(fault)
        except SignInNeeded as error:
            raise SendRejected(error.detail) from None


class SecretInError(Good):
    def before(self, fault):
        if fault == "credential refused":
            raise SignInNeeded(f"the password {SECRET} is wrong", stage="sign-in")
        super().before(fault)


class SecretInChain(Good):
    def before(self, fault):
        try:
            if fault == "credential refused":
                raise ValueError(f"AUTH PLAIN {SECRET}")
        except ValueError as error:
            raise SignInNeeded("wrong password", stage="sign-in") from error
        super().before(fault)


class SecretTraced(Good):
    def send(self, submission, journal):
        if self.trace:
            self.trace(f"AUTH PLAIN {SECRET}")
        return super().send(submission, journal)


class AbsentWithoutLooking(Good):
    def find(self, submission, journal):
        return Sighting(SightingState.ABSENT)


class SentWithoutLooking(Good):
    def find(self, submission, journal):
        return Sighting(SightingState.SENT, Receipt(submission.message_id))


class FailedLookCalledAbsent(Good):
    def find(self, submission, journal):
        found = super().find(submission, journal)
        return Sighting(SightingState.ABSENT) if found.state is SightingState.UNCLEAR else found


class AnswersOutOfOrder(Good):
    def send_many(self, attempts):
        yield from reversed([self.send(submission, journal) for submission, journal in attempts])


class AnswersSwallowed(Good):
    def send_many(self, attempts):
        for number, answer in enumerate(super().send_many(attempts)):
            if number != 1:
                yield answer


class StopsAtARefusal(Good):
    def send_many(self, attempts):
        for submission, journal in attempts:
            yield self.send(submission, journal)


class PartialRefusalIsAnError(Good):
    def send(self, submission, journal):
        if self.carrier.fault == "one recipient refused":
            raise SendRejected("one of them is nobody", stage="recipient")
        return super().send(submission, journal)


class ForeignErrors(Good):
    def before(self, fault):
        if fault in {"unreachable", "cut before"}:
            raise ConnectionError("closed")
        super().before(fault)


class CheckSends(Good):
    def check(self):
        self.carrier.take(b"test", "anna@acme.example", ("anna@acme.example",))
        yield from ()


class WrongMessageId(Good):
    def send(self, submission, journal):
        return attrs.evolve(super().send(submission, journal), message_id="<other@acme.example>")


WRONG = [
    (BccShown, "bcc_gets_it_and_is_not_shown"),
    (BytesAltered, "the_bytes_are_untouched"),
    (LineEndsAltered, "the_bytes_are_untouched"),
    (RecipientDropped, "the_envelope_is_exact"),
    (OneMessageForEach, "one_send_is_one_message"),
    (MarkedLate, "nothing_is_accepted_before_the_hand_over"),
    (MarkedLate, "killed_before_the_hand_over_nothing_left"),
    (NeverMarked, "the_hand_over_is_marked"),
    (NeverMarked, "killed_after_the_answer_is_never_called_unsent"),
    (MarkedTooEarly, "a_line_cut_before_the_hand_over_is_deferred"),
    (UnknownCalledDeferred, "a_line_cut_after_the_hand_over_is_unknown"),
    (DeferredCalledUnknown, "unreachable_is_deferred"),
    (SignInCalledRejected, "a_refused_credential_needs_a_sign_in"),
    (SecretInError, "a_refused_credential_needs_a_sign_in"),
    (SecretInChain, "a_refused_credential_needs_a_sign_in"),
    (SecretTraced, "no_secret_is_told"),
    (AbsentWithoutLooking, "find_is_three_valued_and_honest"),
    (SentWithoutLooking, "find_is_three_valued_and_honest"),
    (FailedLookCalledAbsent, "a_look_that_fails_is_unclear"),
    (AnswersOutOfOrder, "a_batch_gives_one_answer_each_in_order"),
    (AnswersSwallowed, "a_batch_gives_one_answer_each_in_order"),
    (StopsAtARefusal, "a_batch_goes_on_behind_a_refusal"),
    (PartialRefusalIsAnError, "a_refused_recipient_does_not_stop_the_others"),
    (ForeignErrors, "unreachable_is_deferred"),
    (CheckSends, "check_yields_findings_and_sends_nothing"),
    (WrongMessageId, "a_receipt_carries_our_message_id"),
]


def contract_of(transport: type[Good]) -> type[TransportContract]:
    """Return the contract with *transport* under it."""

    class Contract(TransportContract):
        secrets = (SECRET,)
        carrier_outlives = True

        def setup_method(self) -> None:
            self.folder = tempfile.TemporaryDirectory()
            self.carrier = Carrier(Path(self.folder.name))

        def teardown_method(self) -> None:
            self.folder.cleanup()

        def make_transport(self) -> Transport:
            made = transport(Settings())
            made.carrier = self.carrier
            return made

        def accepted(self) -> list[Accepted]:
            return self.carrier.accepted()

        @contextlib.contextmanager
        def stage(self, fault: str) -> Iterator[None]:
            self.carrier.fault, self.carrier.sent = fault, 0
            yield
            self.carrier.fault = ""

    Contract.__test__ = False
    return Contract


def test_the_good_transport_passes_every_case():
    """No false alarm, and nothing that can't be staged."""
    results = run_cases(contract_of(Good))
    assert len(results) > 35
    assert [(one.case, one.reason) for one in results if one.state != "passed"] == []


@pytest.mark.parametrize(("transport", "case"), WRONG, ids=[f"{one.__name__}-{case}" for one, case in WRONG])
def test_a_wrong_transport_is_caught(transport, case):
    """Each by the case that names what is wrong with it."""
    results = {one.case: one for one in run_cases(contract_of(transport))}
    assert results[case].state == "failed", results[case]


def test_a_case_that_can_not_be_staged_is_not_called_passed():
    """An author who only writes make_transport is told what was not tried."""

    class Minimal(TransportContract):
        def make_transport(self) -> Transport:
            made = Good(Settings())
            made.carrier = self.carrier
            return made

        def setup_method(self) -> None:
            self.folder = tempfile.TemporaryDirectory()
            self.carrier = Carrier(Path(self.folder.name))

        def teardown_method(self) -> None:
            self.folder.cleanup()

    Minimal.__test__ = False
    states = [one.state for one in run_cases(Minimal)]
    assert states.count("not staged") > 10
    assert "failed" not in states
