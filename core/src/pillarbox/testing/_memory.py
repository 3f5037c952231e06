"""A transport that keeps what it accepts in memory, and can be told to fail: for hosts' tests, and as an example."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from email.message import EmailMessage
from typing import ClassVar

import attrs

from .._connectors import Connection
from .._errors import SendDeferred, SendRejected
from .._mail import ACCEPTED, Answer, AnswerState, Receipt, Sighting, SightingState, Submission
from .._route import Finding, Level
from .._schema import setting
from .._settings import Account
from .._transports import Capabilities, Description, Journal, SenderPolicy, Transport


@attrs.frozen
class Sent:
    """A submission that was accepted.

    Attributes:
        submission: What the carrier got.
        account: The account that carried it; None where no `Mailer` made the transport.
        refused: The recipients that were not accepted.
    """

    submission: Submission
    account: Account | None = None
    refused: tuple[str, ...] = ()

    @property
    def to(self) -> tuple[str, ...]:
        """Whom it goes to, hidden recipients included."""
        return tuple(who for who in self.submission.envelope.recipients if who not in self.refused)

    @property
    def shown(self) -> str:
        """The address that From shows; "" where the program on the desktop decides."""
        return self.submission.from_header or ""

    @property
    def by(self) -> str:
        """Whose account carried it: `company` or `user:<id>`; "" where it is not known."""
        return self.account.owner if self.account else ""

    @property
    def subject(self) -> str:
        """The subject."""
        return str(self.message["Subject"])

    @property
    def message(self) -> EmailMessage:
        """The message as the standard library reads it, Bcc included."""
        return self.submission.message()

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        return f"{self.subject!r} from {self.shown or 'whom the client shows'} to {', '.join(self.to)}{by}"


@attrs.frozen
class _Failure:
    error: Exception
    handed_over: bool
    accepted: bool


class Box:
    """Where memory transports of one name put what they accept. Safe between threads.

    Attributes:
        sent: What was accepted, the oldest first.
        can_be_seen: Whether a look into it works; False makes every look UNCLEAR.
    """

    _all: ClassVar[dict[str, Box]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.can_be_seen: bool = True
        self._failures: deque[_Failure | None] = deque()
        self._refusals: dict[str, Answer] = {}
        self._lock = threading.Lock()

    @classmethod
    def named(cls, name: str) -> Box:
        """Return the box called *name*; the same one each time."""
        with cls._guard:
            return cls._all.setdefault(name, cls())

    def fail_next(
        self, error: Exception, *, handed_over: bool = False, accepted: bool = False, after: int = 0
    ) -> None:
        """Raise *error* from the next send.

        Args:
            error: Any.
            handed_over: Whether it is raised inside the hand-over, or before it.
            accepted: Whether the box has the message nevertheless, as a carrier whose answer was lost.
            after: How many sends go well before.
        """
        handed_over = handed_over or accepted
        with self._lock:
            self._failures.extend([None] * after)
            self._failures.append(_Failure(error, handed_over, accepted))

    def refuse(self, recipient: str, said: str = "no such user", *, for_now: bool = False) -> None:
        """Refuse *recipient* from now on; a message to nobody else is refused as a whole."""
        state = AnswerState.REFUSED_FOR_NOW if for_now else AnswerState.REFUSED
        self._refusals[recipient] = Answer(state, said)

    def clear(self) -> None:
        """Forget what was accepted and the failures to come, and behave well again."""
        with self._lock:
            self.sent.clear()
        self.behave()

    def behave(self) -> None:
        """Fail no more, refuse nobody, and be seen."""
        with self._lock:
            self._failures.clear()
            self._refusals.clear()
            self.can_be_seen = True

    def accept(self, submission: Submission, account: Account | None, journal: Journal) -> Receipt:
        """Take *submission*, or fail as `fail_next` and `refuse` asked.

        Raises:
            Exception: What `fail_next` was given.
            SendRejected, SendDeferred: Every recipient is refused.
        """
        failure = self._next_failure()
        if failure is not None and not failure.handed_over:
            raise failure.error
        answers = {who: self._refusals.get(who, ACCEPTED) for who in submission.envelope.recipients}
        _require_somebody(answers)
        with journal.handing_over():
            number = self._keep(Sent(submission, account, _refused(answers)), failure)
        return Receipt(submission.message_id, f"memory-{number}", recipients=answers)

    def _next_failure(self) -> _Failure | None:
        with self._lock:
            return self._failures.popleft() if self._failures else None

    def _keep(self, sent: Sent, failure: _Failure | None) -> int:
        with self._lock:
            if failure is None or failure.accepted:
                self.sent.append(sent)
            number = len(self.sent)
        if failure is not None:
            raise failure.error
        return number

    def look(self, submission: Submission) -> Sighting:
        """Say whether the box holds *submission*; UNCLEAR where it can't be seen."""
        if not self.can_be_seen:
            return Sighting(SightingState.UNCLEAR, detail="The box can't be seen.")
        with self._lock:
            there = any(sent.submission.key == submission.key for sent in self.sent)
        if there:
            return Sighting(SightingState.SENT, Receipt(submission.message_id))
        return Sighting(SightingState.ABSENT, detail="The box does not hold it.")


def _refused(answers: dict[str, Answer]) -> tuple[str, ...]:
    return tuple(who for who, answer in answers.items() if answer is not ACCEPTED)


def _require_somebody(answers: dict[str, Answer]) -> None:
    """Raise where nobody is left, deferred if one of them may be accepted later (rule 25)."""
    if len(_refused(answers)) < len(answers):
        return
    for_now = any(answer.state is AnswerState.REFUSED_FOR_NOW for answer in answers.values())
    said = "; ".join(dict.fromkeys(answer.said for answer in answers.values()))
    raise (SendDeferred if for_now else SendRejected)(said, stage="recipient", recipients=answers)


@attrs.frozen
class MemorySettings:
    """The settings of the method `memory`.

    Attributes:
        box: The name of the `Box` that takes what is sent.
    """

    box: str = setting("default", help="Where in memory the messages are put.")


class MemoryTransport(Transport):
    """Keeps submissions in a `Box`. Not installed as a method: give it by `Plugins(extra={"memory": MemoryTransport})`."""

    settings: MemorySettings
    label: ClassVar[str] = "Memory"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.USER
    settling: ClassVar[float] = 0.0
    marks_hand_over: ClassVar[bool] = True

    @property
    def box(self) -> Box:
        """Where what is sent goes."""
        return Box.named(self.settings.box)

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Put *submission* into the box; see `Transport.send`."""
        return self.box.accept(submission, self.account, journal)

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look into the box."""
        return self.box.look(submission)

    def check(self) -> Iterator[Finding]:
        """Say whether the box can be seen."""
        if self.box.can_be_seen:
            yield Finding("memory", Level.OK, "memory-ready", f"{len(self.box.sent)} messages so far")
        else:
            yield Finding("memory", Level.FAIL, "memory-unseen", "the box can't be seen")

    @classmethod
    def describe(cls, settings: MemorySettings) -> Description:
        """Return the account in words."""
        return Description(via=f"memory, box {settings.box}", copy="in the box")

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return that it can look."""
        return Capabilities(find=True)
