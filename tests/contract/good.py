"""A carrier in a folder, and transports to it that are right in every way that the contract asks for."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from email import message_from_bytes
from email.utils import getaddresses
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pillarbox import (
    Answer,
    AnswerState,
    Capabilities,
    Finding,
    Level,
    Limits,
    MessageError,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SenderPolicy,
    SendRejected,
    Sighting,
    SightingState,
    SignInNeeded,
    Transport,
)
from pillarbox.testing import FAULTS, Accepted, TransportContract

if TYPE_CHECKING:
    from decimal import Decimal

SECRET = "canary-55-secret/+é"
BEFORE = {
    "unreachable": SendDeferred,
    "cut before": SendDeferred,
    "silent before": SendDeferred,
    "credential refused": SignInNeeded,
    "credential refused for now": SendDeferred,
    "sender refused": SendRejected,
    "sender refused for now": SendDeferred,
    "recipient refused": SendRejected,
    "recipient refused for now": SendDeferred,
}
ANSWERS = {"content refused": SendRejected, "content refused for now": SendDeferred}
LOST = {"cut inside", "cut after", "silent after", "nonsense after"}


class Carrier:
    """Keeps what it accepts in a folder, so that it outlives a killed sender; misbehaves as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault = ""
        self.heard = 0
        self.keys = set()

    def hear(self) -> str:
        """Begin with a message, and return the fault that it meets."""
        self.heard += 1
        kind, _, rest = self.fault.partition(" message ")
        if kind == "second":
            met = {"refused": "content refused", "lost": "cut after"}[rest]
            return met if self.heard == 2 else ""
        return self.fault

    def take(self, content: bytes, sender: str | None, recipients: tuple[str, ...]) -> None:
        number = len(list(self.folder.iterdir()))
        head = "\n".join(["-" if sender is None else f"<{sender}>", *recipients]).encode()
        (self.folder / f"{number:04d}-{uuid.uuid4().hex}").write_bytes(head + b"\n\n" + content)

    def accepted(self) -> list[Accepted]:
        return [self.read(file) for file in sorted(self.folder.iterdir())]

    def read(self, file: Path) -> Accepted:
        head, _, content = file.read_bytes().partition(b"\n\n")
        sender, *recipients = head.decode().split("\n")
        return Accepted(content, None if sender == "-" else sender[1:-1], recipients)


@attrs.frozen
class Settings:
    name: str = "good"


class Good(Transport):
    """Announces, hands over, and takes the answer, as a protocol of several steps."""

    settings: Settings
    label = "Good"
    carrier: Carrier
    price: Decimal  # a name that only type checkers know does no harm

    def send(self, submission, journal):
        fault = self.carrier.hear()
        self.before(fault)
        recipients = self.wanted(submission, fault)
        with journal.handing_over():
            self.submit(submission, recipients, fault)
        return self.receipt(submission, recipients, fault)

    def before(self, fault):
        if fault in BEFORE:
            raise BEFORE[fault](fault, stage="before")

    def wanted(self, submission, fault):
        recipients = submission.envelope.recipients
        return recipients[:-1] if fault.startswith("one recipient") else recipients

    def submit(self, submission, recipients, fault):
        if fault in ANSWERS:
            raise ANSWERS[fault](fault, stage="content")
        if fault in LOST:
            raise OutcomeUnknown(fault, stage="content")
        self.take(submission, recipients)

    def take(self, submission, recipients):
        self.carrier.take(self.content(submission), submission.envelope.sender, recipients)

    def content(self, submission):
        return submission.content

    def receipt(self, submission, recipients, fault):
        refused = AnswerState.REFUSED_FOR_NOW if fault.endswith("for now") else AnswerState.REFUSED
        answers = {
            who: Answer(AnswerState.ACCEPTED if who in recipients else refused)
            for who in submission.envelope.recipients
        }
        return Receipt(submission.message_id, recipients=answers)

    def find(self, submission, journal):
        if self.carrier.fault == "unreachable":
            return Sighting(SightingState.UNCLEAR)
        wanted = submission.message_id.encode()
        there = any(wanted in one.content for one in self.carrier.accepted())
        receipt = Receipt(submission.message_id)
        return Sighting(SightingState.SENT, receipt) if there else Sighting(SightingState.ABSENT)

    def check(self):
        if self.carrier.fault in BEFORE:
            yield Finding("connect", Level.FAIL, "good-unreachable", f"the carrier is {self.carrier.fault}")
        else:
            yield Finding("connect", Level.OK, "good-ready", "it is there")

    @classmethod
    def capabilities(cls, connection):
        return Capabilities(find=True)

    @classmethod
    def limits(cls, settings):
        return Limits(recipients=50, size=400_000)


class Recognising(Good):
    """As a provider with idempotency keys: what it knows already it answers as before, and sends to nobody."""

    label = "Recognising"
    resend_safe_for = dt.timedelta(hours=24)

    def take(self, submission, recipients):
        if submission.key not in self.carrier.keys:
            self.carrier.keys.add(submission.key)
            super().take(submission, recipients)


class OneRequest(Good):
    """As a provider's API: whatever it refuses, it refuses in its answer to the one request."""

    label = "One request"

    def send(self, submission, journal):
        fault = self.carrier.hear()
        if fault in {"unreachable", "cut before", "silent before"}:
            self.before(fault)
        recipients = self.wanted(submission, fault)
        with journal.handing_over():
            self.before(fault)
            self.submit(submission, recipients, fault)
        return self.receipt(submission, recipients, fault)


class Drafting(Good):
    """As a provider that keeps drafts: notes the draft before it sends it, and finds it by the note."""

    label = "Drafting"

    def send(self, submission, journal):
        journal.note("draft", submission.key)
        return super().send(submission, journal)

    def find(self, submission, journal):
        if journal.notes.get("draft") != submission.key:
            return Sighting(SightingState.UNCLEAR)
        return super().find(submission, journal)


class Choosy(Good):
    """Takes no address that an old mail system would not, and says so before anything leaves."""

    label = "Choosy"

    def send(self, submission, journal):
        odd = any('"' in who or not who.isascii() for who in submission.envelope.recipients)
        if odd or submission.envelope.sender == "":
            raise MessageError("Only plain addresses can go by this carrier.")
        return super().send(submission, journal)


class ByFields(Good):
    """As Outlook: takes fields, decides the sender, reads To, Cc and Bcc, and can't look."""

    label = "By fields"
    sender_policy = SenderPolicy.CLIENT
    takes_envelope = False

    def take(self, submission, recipients):
        content = submission.content_with_bcc()
        message = message_from_bytes(content)
        fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
        self.carrier.take(content, None, tuple(address for _, address in getaddresses(fields)))

    def receipt(self, submission, recipients, fault):
        return Receipt(submission.message_id, sender="anna@outlook.example", submitted_only=True)

    def find(self, submission, journal):
        return Transport.find(self, submission, journal)

    @classmethod
    def capabilities(cls, connection):
        return Capabilities(note="Outlook's boxes can't be searched here.")


class Contract(TransportContract):
    """The contract, with one of these transports under it."""

    __test__ = False
    secrets = (SECRET,)
    carrier_outlives = True
    transport = Good

    def setup_method(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.carrier = Carrier(Path(self.folder.name))

    def teardown_method(self) -> None:
        self.folder.cleanup()

    def make_transport(self) -> Transport:
        made = self.transport(Settings())
        made.carrier = self.carrier
        return made

    def accepted(self) -> list[Accepted]:
        return self.carrier.accepted()

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        assert fault in FAULTS
        self.carrier.fault, self.carrier.heard = fault, 0
        yield
        self.carrier.fault = ""


def contract_of(under_test: type[Transport], **changes: object) -> type[TransportContract]:
    """Return the contract with *under_test* under it."""
    return type("Contract", (Contract,), {"transport": under_test, "__test__": False, **changes})


def log(text: str) -> None:
    logging.getLogger("a.plugin").debug(text)


def shout(text: str) -> None:
    print(text, file=sys.stderr)


def whisper(text: str) -> None:
    os.write(1, text.encode())
