"""TransportContract: what every transport has to keep, as cases that its author inherits.

    class TestSendmail(TransportContract):
        def make_transport(self):
            return SendmailTransport(SendmailSettings(command=str(FAKE)))

An author who can also tell what the carrier got (`accepted`) and make it misbehave (`stage`) has more cases run; those that
can't be staged are reported as such, never as passed.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import os
import pickle
import tempfile
import traceback
import unittest
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import attrs

from .._address import Address
from .._attachment import Attachment
from .._composition import compose
from .._delivery import deliver
from .._errors import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SignInNeeded
from .._mail import AnswerState, Receipt, Sighting, SightingState, Submission
from .._message import Message
from .._route import Finding, Route
from .._schema import form
from .._settings import Account
from .._transports import Capabilities, Description, Journal, Limits, SenderPolicy, Transport

CONTRACT_VERSION = "1"
"""Grows when a case is added or changed."""

BODIES: Mapping[str, str] = {
    "dots": ".\n..\n.hidden\n\r\n.\r\nend .\n",
    "from": "From the start\nFrom here on\n>From there\n",
    "blank ends": "\n\n\ntext\n\n\n",
    "no final line end": "text",
    "one long line": "word " * 400,
    "not ASCII": "Grüße, 你好, \N{ENVELOPE}\n" * 30,
    "smuggling": "a\n.\nMAIL FROM:<eve@evil.example>\nRCPT TO:<eve@evil.example>\nDATA\nb\n.\n",
    "empty": "",
}

FAULTS: Mapping[str, tuple[type[PillarboxError], bool | None]] = {
    "unreachable": (SendDeferred, False),
    "cut before": (SendDeferred, False),
    "credential refused": (SignInNeeded, False),
    "sender refused": (SendRejected, False),
    "recipient refused": (SendRejected, False),
    "recipient refused for now": (SendDeferred, False),
    "content refused": (SendRejected, None),
    "content refused for now": (SendDeferred, None),
    "cut after": (OutcomeUnknown, True),
    "silent after": (OutcomeUnknown, True),
    "nonsense after": (OutcomeUnknown, True),
}
"""What `stage` may be asked for: the error that it must end in, and whether the hand-over must have been marked."""


@attrs.frozen
class Accepted:
    """A message that the carrier has.

    Attributes:
        content: Its bytes, as far as the carrier keeps them as they came.
        sender: The envelope's sender, or None where the carrier decides.
        recipients: The envelope's recipients, in order.
    """

    content: bytes
    sender: str | None
    recipients: tuple[str, ...] = attrs.field(converter=tuple)


class NotStaged(unittest.SkipTest):
    """The author has not said how to bring this about; the case was not tried."""


class TransportContract:
    """Inherit this in a test class, write `make_transport`, and as many of the other methods as you can."""

    __test__: bool = False
    secrets: ClassVar[tuple[str, ...]] = ()
    """The secrets that `make_transport`'s credentials hold, to be looked for where they must not be."""
    sender: ClassVar[str] = "anna@acme.example"
    recipients: ClassVar[tuple[str, ...]] = ("ap@customer.example", "office@customer.example")
    carrier_outlives: ClassVar[bool] = False
    """Whether the carrier is another process, so that a sender can be killed and the carrier asked afterwards."""

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        cls.__test__ = True

    def make_transport(self) -> Transport:
        """Return a fresh transport of the account under test."""
        raise NotImplementedError("TransportContract needs make_transport(self) -> Transport.")

    def accepted(self) -> list[Accepted]:
        """Return what the carrier has accepted in this test, the oldest first."""
        raise NotStaged("accepted() is not written: what the carrier got can't be looked at")

    def stage(self, fault: str) -> contextlib.AbstractContextManager[object]:
        """Make the carrier misbehave as *fault* (a key of `FAULTS`) says, for the length of the block."""
        raise NotStaged(f"stage() does not bring about: {fault}")

    def expected_content(self, submission: Submission) -> bytes:
        """Return the bytes that the carrier must get: by default the content, without Bcc."""
        return submission.content

    # What the cases use.

    def submission(
        self, text: str = "Good morning,\nplease find our invoice.\n", **fields: Any
    ) -> Submission:
        """Return a submission as core would compose it for this transport."""
        message = Message(**{"to": self.recipients, "subject": "Invoice 1001", "text": text, **fields})
        return compose(message, self.route())

    def route(self) -> Route:
        """Return a route for the transport's sender policy."""
        by_client = self._class().sender_policy is SenderPolicy.CLIENT
        account = Account(owner="user:anna", method="under-test", mailbox=self.sender)
        shown = None if by_client else Address(self.sender, "Anna Berg")
        return Route(
            account=account,
            from_address=shown,
            envelope_sender=None if by_client else self.sender,
            user="anna",
        )

    def _class(self) -> type[Transport]:
        with self._open() as transport:
            return type(transport)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Transport]:
        transport = self.make_transport()
        try:
            yield transport
        finally:
            transport.close()

    def _send(self, submission: Submission, journal: Journal | None = None) -> Receipt:
        with self._open() as transport:
            return transport.send(submission, journal or Journal())

    def _takes_envelope(self) -> None:
        if not self._class().takes_envelope:
            raise NotStaged("the carrier takes no envelope")

    # Declared, without an instance or a network.

    def test_the_settings_can_be_drawn_as_a_form(self) -> None:
        """The annotation of `settings` names an attrs class, and each field has a kind."""
        for field in form(self._class().settings_class()):
            assert field.kind in {
                "text",
                "integer",
                "number",
                "boolean",
                "choice",
                "secret",
                "list",
                "table",
            }, field.name

    def test_what_core_must_know_is_declared(self) -> None:
        """The class attributes have the values that the contract allows."""
        cls = self._class()
        assert cls.label, "a person sees the label"
        assert isinstance(cls.sender_policy, SenderPolicy)
        assert isinstance(cls.takes_envelope, bool)
        assert isinstance(cls.saves_copy, bool)
        assert all(isinstance(name, str) for name in cls.platforms)
        assert cls.settling >= 0
        assert cls.resend_safe_for.total_seconds() >= 0
        assert cls.options is None or attrs.has(cls.options)

    def test_the_account_is_told_without_an_instance(self) -> None:
        """limits, describe, capabilities and warnings answer by the settings alone."""
        with self._open() as transport:
            cls, settings = type(transport), transport.settings
        limits = cls.limits(settings)
        assert isinstance(limits, Limits)
        assert limits.concurrency >= 1
        assert all(
            one is None or one > 0
            for one in (limits.per_minute, limits.per_day, limits.recipients, limits.size)
        )
        assert isinstance(cls.describe(settings), Description)
        assert isinstance(cls.capabilities(None), Capabilities)
        assert all(isinstance(warning, str) for warning in cls.warnings(settings))

    def test_send_marks_the_hand_over_in_its_code(self) -> None:
        """A transport that never marks it is taken to have handed over from the start."""
        assert self._class().marks_hand_over, "enter journal.handing_over() around what submits"

    # What leaves.

    def test_a_receipt_carries_our_message_id(self) -> None:
        """The carrier's word is a Receipt for this message."""
        submission = self.submission()
        receipt = self._send(submission)
        assert isinstance(receipt, Receipt)
        assert receipt.message_id == submission.message_id
        assert set(receipt.recipients) <= set(submission.envelope.recipients)
        assert not receipt.refused

    def test_the_hand_over_is_marked(self) -> None:
        """A message that was accepted was handed over."""
        journal = Journal()
        self._send(self.submission(), journal)
        assert journal.handed_over

    def test_nothing_is_accepted_before_the_hand_over(self) -> None:
        """At the moment of the mark, the carrier has nothing yet."""
        before = self.accepted()
        seen: list[int] = []

        class Watching(Journal):
            def _mark(journal) -> None:  # noqa: N805
                seen.append(len(self.accepted()))

        self._send(self.submission(), Watching())
        assert seen == [len(before)], "the carrier had the message when the hand-over was marked"
        assert len(self.accepted()) == len(before) + 1, "one send is one message"

    def test_the_bytes_are_untouched(self) -> None:
        """What was composed is what arrives, octet by octet, whatever the text."""
        for name, text in BODIES.items():
            submission = self.submission(text, attachments=[Attachment("all.bin", bytes(range(256)) * 5)])
            self._send(submission)
            assert self.accepted()[-1].content == self.expected_content(submission), (
                f"the body {name!r} was altered"
            )

    def test_the_envelope_is_exact(self) -> None:
        """Sender and recipients arrive as given, each once, in order, odd ones too."""
        self._takes_envelope()
        odd = (
            "x@customer.example",
            "UPPER.Case+tag@Customer.Example",
            "o'neill_%$#@customer.example",
            "-f@customer.example",
        )
        submission = self.submission(to=(*odd, odd[0]))
        self._send(submission)
        got = self.accepted()[-1]
        assert got.recipients == submission.envelope.recipients == odd
        if submission.envelope.sender is not None:
            assert got.sender == submission.envelope.sender

    def test_bcc_gets_it_and_is_not_shown(self) -> None:
        """Bcc is in the envelope, and in nothing that a recipient gets (rule 29)."""
        self._takes_envelope()
        hidden = "hidden.copy@customer.example"
        self._send(self.submission(bcc=hidden))
        got = self.accepted()[-1]
        assert hidden in got.recipients
        assert b"hidden.copy" not in got.content
        assert b"\nbcc:" not in got.content.lower()

    def test_one_send_is_one_message(self) -> None:
        """However many recipients there are."""
        before = len(self.accepted())
        self._send(self.submission(to=[f"r{number}@customer.example" for number in range(20)]))
        assert len(self.accepted()) == before + 1

    # What an outcome means.

    def _fails_as(self, fault: str) -> None:
        wanted, marked = FAULTS[fault]
        journal = Journal()
        before = self._count()
        with self.stage(fault), self._open() as transport:
            try:
                receipt = transport.send(self.submission(), journal)
            except PillarboxError as error:
                found: BaseException = error
            else:
                raise AssertionError(f"{fault}: said to be accepted: {receipt}")
        assert type(found) is wanted, (
            f"{fault}: {type(found).__name__} in the place of {wanted.__name__}: {found}"
        )
        assert marked is None or journal.handed_over is marked, (
            f"{fault}: the hand-over was{'' if marked else ' not'} to be marked"
        )
        if wanted is not OutcomeUnknown and before is not None:
            assert self._count() == before, f"{fault}: said not to have left, and the carrier has it"
        self._keeps_secrets(found)

    def _count(self) -> int | None:
        try:
            return len(self.accepted())
        except NotStaged:
            return None

    def test_unreachable_is_deferred(self) -> None:
        """Nothing answers: nothing left, try later."""
        self._fails_as("unreachable")

    def test_a_line_cut_before_the_hand_over_is_deferred(self) -> None:
        """Cut before the content: nothing left."""
        self._fails_as("cut before")

    def test_a_refused_credential_needs_a_sign_in(self) -> None:
        """A refused credential is neither final nor worth a retry by itself."""
        self._fails_as("credential refused")

    def test_a_refused_sender_is_rejected(self) -> None:
        """The carrier does not let the account show the address."""
        self._fails_as("sender refused")

    def test_all_recipients_refused_for_good_is_rejected(self) -> None:
        """Nobody is left to get it."""
        self._fails_as("recipient refused")

    def test_all_recipients_refused_for_now_is_deferred(self) -> None:
        """They may be accepted later."""
        self._fails_as("recipient refused for now")

    def test_refused_content_is_rejected(self) -> None:
        """A complete answer is an answer, also after the hand-over."""
        self._fails_as("content refused")

    def test_content_refused_for_now_is_deferred(self) -> None:
        """So is a complete not now."""
        self._fails_as("content refused for now")

    def test_a_line_cut_after_the_hand_over_is_unknown(self) -> None:
        """No answer to what was handed over: nobody knows."""
        self._fails_as("cut after")

    def test_silence_after_the_hand_over_is_unknown(self) -> None:
        """A deadline that passes says nothing about what was accepted."""
        self._fails_as("silent after")

    def test_nonsense_after_the_hand_over_is_unknown(self) -> None:
        """An answer that is none says nothing either."""
        self._fails_as("nonsense after")

    def test_a_refused_recipient_does_not_stop_the_others(self) -> None:
        """Partial refusal is a receipt with an answer for each (rule 25)."""
        self._takes_envelope()
        with self.stage("one recipient refused"):
            receipt = self._send(self.submission())
        states = [answer.state for answer in receipt.recipients.values()]
        assert sorted(state.value for state in states) == ["accepted", AnswerState.REFUSED.value]

    def test_called_off_before_the_hand_over_nothing_leaves(self) -> None:
        """A caller whose deadline has passed is told that nothing left, and nothing does."""
        journal = Journal()
        before = self._count()
        journal.call_off()
        with self._open() as transport:
            try:
                transport.send(self.submission(), journal)
            except SendDeferred:
                assert before is None or self._count() == before
                transport.send(self.submission(), Journal())  # and it is fit for the next
                return
        raise AssertionError("a called-off attempt was accepted")

    def test_it_can_be_used_after_an_error(self) -> None:
        """One failure does not spoil the transport for the next message."""
        with self._open() as transport:
            with self.stage("recipient refused"), contextlib.suppress(PillarboxError):
                transport.send(self.submission(), Journal())
            assert isinstance(transport.send(self.submission(), Journal()), Receipt)

    # Killed.

    def _killed(self, point: str) -> tuple[bool, int]:
        """Kill a sender at *point*; return whether its journal says handed over, and how many messages the carrier got."""
        if not self.carrier_outlives or not hasattr(os, "fork"):
            raise NotStaged("the carrier lives in this process, or this system can't fork")
        before = len(self.accepted())
        submission = self.submission()
        with tempfile.TemporaryDirectory() as folder:
            marks = Path(folder) / "journal"
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", DeprecationWarning
                )  # a fork beside threads; the child execs nothing of theirs
                child = os.fork()
            if not child:
                _die(self.make_transport, submission, marks, point)
            os.waitpid(child, 0)
            return marks.exists(), len(self.accepted()) - before

    def test_killed_before_the_hand_over_nothing_left(self) -> None:
        """The journal says not handed over, and it is true."""
        assert self._killed("before") == (False, 0)

    def test_killed_inside_the_hand_over_is_never_called_unsent(self) -> None:
        """The mark is there, whatever the carrier has."""
        handed_over, count = self._killed("inside")
        assert handed_over
        assert count <= 1

    def test_killed_after_the_answer_is_never_called_unsent(self) -> None:
        """The carrier has it, and the journal says that it may."""
        assert self._killed("after") == (True, 1)

    # Batches.

    def test_a_batch_gives_one_answer_each_in_order(self) -> None:
        """As many answers as messages, in their order."""
        submissions = [self.submission(f"number {number}\n") for number in range(5)]
        with self._open() as transport:
            answers = list(transport.send_many((one, Journal()) for one in submissions))
        assert [getattr(answer, "message_id", answer) for answer in answers] == [
            one.message_id for one in submissions
        ]

    def test_a_batch_has_one_message_in_doubt_at_most(self) -> None:
        """When the next is handed over, the one before was answered."""
        journals = [Journal() for _ in range(4)]
        submissions = [self.submission() for _ in journals]
        with self._open() as transport:
            for number, _ in enumerate(transport.send_many(zip(submissions, journals, strict=True))):
                in_doubt = [journal.handed_over for journal in journals[number + 1 :]]
                assert sum(in_doubt) <= 1, f"{sum(in_doubt)} messages in doubt behind answer {number}"

    def test_a_batch_goes_on_behind_a_refusal(self) -> None:
        """One message that is refused is one answer; the others are sent."""
        with self.stage("second message refused"), self._open() as transport:
            answers = list(transport.send_many((self.submission(), Journal()) for _ in range(3)))
        assert [type(answer) for answer in answers] == [Receipt, SendRejected, Receipt]

    def test_an_empty_batch_is_empty(self) -> None:
        """Nothing to send is nothing to say."""
        with self._open() as transport:
            assert list(transport.send_many([])) == []

    # Looking.

    def test_find_is_three_valued_and_honest(self) -> None:
        """What was accepted is never ABSENT, what was never sent is never SENT."""
        submission, journal = self.submission(), Journal()
        with self._open() as transport:
            never = transport.find(self.submission(), Journal())
            transport.send(submission, journal)
            found = transport.find(submission, journal)
        assert isinstance(never, Sighting)
        assert never.state is not SightingState.SENT
        assert found.state is not SightingState.ABSENT

    def test_a_look_that_fails_is_unclear(self) -> None:
        """A carrier that can't be reached proves nothing (rule 21)."""
        submission, journal = self.submission(), Journal()
        self._send(submission, journal)
        with self.stage("unreachable"), self._open() as transport:
            assert transport.find(submission, journal).state is SightingState.UNCLEAR

    # Secrets.

    def _keeps_secrets(self, error: BaseException | None) -> None:
        told = [repr(error), str(error)]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            told += [repr(vars(error)), repr(error.args), "".join(traceback.format_exception(error))]
            error = error.__cause__ or error.__context__
        for secret in self.secrets:
            assert not any(secret in text for text in told), "a secret stands in an error"

    def test_no_secret_is_told(self) -> None:
        """Not in the transcript, not in a repr, not in a finding, not in an error."""
        lines: list[str] = []
        with self._open() as transport:
            transport.trace = lines.append
            deliver(self.submission(), Journal(), transport)
            findings = list(transport.check())
            told = "\n".join([*lines, repr(transport), repr(transport.settings), *map(repr, findings)])
        for secret in self.secrets:
            assert secret not in told, "a secret is told"
        for fault in ("credential refused", "cut before", "content refused", "cut after"):
            with contextlib.suppress(NotStaged), self.stage(fault), self._open() as transport:
                try:
                    transport.send(self.submission(), Journal())
                except PillarboxError as error:
                    self._keeps_secrets(error)

    # Values, and the end.

    def test_receipts_and_errors_survive_pickle_and_copy(self) -> None:
        """They cross process boundaries (Celery)."""
        receipt = self._send(self.submission())
        assert pickle.loads(pickle.dumps(receipt)) == receipt  # noqa: S301
        with contextlib.suppress(NotStaged), self.stage("content refused"), self._open() as transport:
            try:
                transport.send(self.submission(), Journal())
            except PillarboxError as error:
                for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
                    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))  # noqa: PT017

    def test_closing_twice_is_no_error(self) -> None:
        """Before the first message, after it, and again."""
        transport = self.make_transport()
        transport.close()
        with self._open() as used:
            used.send(self.submission(), Journal())
            used.close()
            used.close()

    def test_check_yields_findings_and_sends_nothing(self) -> None:
        """Each with a stage and a stable code."""
        before = self._count()
        with self._open() as transport:
            findings = list(transport.check())
        assert all(
            isinstance(one, Finding) and one.stage and one.code == one.code.lower() for one in findings
        )
        assert self._count() == before


def _die(make: Callable[[], Transport], submission: Submission, marks: Path, point: str) -> None:
    """In a child: send, and end without a word at *point*."""

    class Durable(Journal):
        def _mark(self) -> None:
            if point == "before":
                os._exit(9)
            marks.write_bytes(b"handed over")
            if point == "inside":
                os._exit(9)

    try:
        make().send(submission, Durable())
    finally:
        os._exit(9)


@attrs.frozen
class CaseResult:
    """How one case ended.

    Attributes:
        case: Its name, stable: `bcc_gets_it_and_is_not_shown`.
        meaning: Its sentence.
        state: `passed`, `failed` or `not staged`.
        reason: What was wrong, or why it could not be staged.
    """

    case: str
    meaning: str
    state: str
    reason: str = ""


def run_cases(contract: type[TransportContract]) -> list[CaseResult]:
    """Run every case of *contract* outside pytest, each on an instance of its own, and return how they ended."""
    cases = inspect.getmembers(contract, inspect.isfunction)
    return [_run(contract, name, case) for name, case in cases if name.startswith("test_")]


def _run(contract: type[TransportContract], name: str, case: Callable[..., None]) -> CaseResult:
    meaning = (inspect.getdoc(case) or "").partition("\n")[0]
    short = name.removeprefix("test_")
    instance = contract()
    setup, teardown = getattr(instance, "setup_method", None), getattr(instance, "teardown_method", None)
    try:
        if setup:
            setup()
        case(instance)
    except NotStaged as reason:
        return CaseResult(short, meaning, "not staged", str(reason))
    except Exception as problem:  # noqa: BLE001  (whatever a transport raises is a case that failed)
        return CaseResult(short, meaning, "failed", f"{type(problem).__name__}: {problem}")
    finally:
        if teardown:
            teardown()
    return CaseResult(short, meaning, "passed")
