"""The plugin contract: what a transport is, and the journal in which an attempt leaves its marks."""

from __future__ import annotations

import abc
import contextlib
import enum
import inspect
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from ._connectors import App, Connection
from ._declared import settings_class
from ._errors import PillarboxError, SendDeferred, Unavailable
from ._mail import ACCEPTED, Answer, AnswerState, Receipt, Sighting, SightingState, Submission, now
from ._network import Network
from ._route import Finding, Route
from ._settings import Account
from ._vault import Credentials

if TYPE_CHECKING:
    from ._event_source import EventSource


class SenderPolicy(enum.Enum):
    """Which address a company's account shows for its users, when nobody asked for another."""

    USER = "user"
    """The user's own address (the rule for SMTP)."""
    ACCOUNT = "account"
    """The account's mailbox, with the user's name (Microsoft 365, Gmail)."""
    CLIENT = "client"
    """Whatever the mail program on the desktop is set to (Outlook)."""


@attrs.frozen(kw_only=True)
class Limits:
    """What a carrier allows one mailbox; None where it says nothing.

    Attributes:
        concurrency: Attempts at the same time.
        per_minute, per_day: Submissions.
        recipients: Of one submission.
        size: Octets of one message as the carrier counts them.
    """

    concurrency: int = 1
    per_minute: int | None = None
    per_day: int | None = None
    recipients: int | None = None
    size: int | None = None


@attrs.frozen(kw_only=True)
class Description:
    """An account in words, for `explain`.

    Attributes:
        sign_in: Who signs in, a clause: `signs in as orders@acme.example`.
        via: Through what: `smtp.acme.example:587, STARTTLS required`.
        copy: Where the sent copy is: `filed by Microsoft 365`.
    """

    sign_in: str = ""
    via: str = ""
    copy: str = ""


@attrs.frozen(kw_only=True)
class Capabilities:
    """What an account can do, computed from what was granted.

    Attributes:
        find: Whether it can look whether a submission was sent.
        send_as: Whether it can show addresses other than its mailbox, given proof.
        note: What it can't do and why, a sentence, or "".
        size: Octets of the largest message, where that depends on what was granted; None where it does not.
    """

    find: bool = False
    send_as: bool = False
    note: str = ""
    size: int | None = None


@attrs.frozen(kw_only=True)
class Outbound:
    """From where a carrier's mail comes, as SPF sees it (RFC 7208): what `check` compares with the domain's record.

    Attributes:
        include: The name by which domains include the carrier's machines: `spf.protection.outlook.com`; "" for none.
        server: Else the server that takes the mail, which may send it on from the same address.
    """

    include: str = ""
    server: str = ""


@attrs.frozen
class Proof:
    """How it is known that an account may show an address: `alias list`, `probe`, `same mailbox`."""

    how: str


ACCEPTED_NOTE = "accepted"
"""Under which a journal notes the carrier's word."""


class Journal:
    """The durable notes of one attempt, and the moment of its hand-over. This one lives in memory.

    An outbox keeps its own by overriding `_write` and `_mark`, which return when the mark is durable.

    Attributes:
        notes: What was noted in this attempt and earlier ones of the same submission.
        handed_over: Whether the carrier may have the message.
        receipt: The carrier's word, where it is known before the attempt is over; nothing can undo it (rule 18).
    """

    def __init__(self, notes: Mapping[str, str] | None = None) -> None:
        self.notes: dict[str, str] = dict(notes or {})
        self.handed_over: bool = False
        self.receipt: Receipt | None = None
        self._called_off = False
        self._gate = threading.Lock()

    def note(self, name: str, value: str) -> None:
        """Keep *value* under *name*; it is durable when this returns, and no secret may stand in it."""
        self._write(name, value)
        self.notes[name] = value

    def accepted(self, receipt: Receipt) -> None:
        """Keep the carrier's word, durably, before something is done that takes time or may fail: filing a copy.

        From then on neither an error nor a passed deadline nor a crash makes the outcome unknown.
        """
        self.receipt = receipt
        answers = {who: answer.state.value for who, answer in receipt.recipients.items()}
        self.note(ACCEPTED_NOTE, json.dumps({"reference": receipt.reference, "recipients": answers}))

    def noted_receipt(self, submission: Submission) -> Receipt | None:
        """Return the carrier's word for *submission* as `accepted` noted it, or None.

        What was noted of an earlier try, from which these recipients are left over, is not about this one.
        """
        try:
            known = json.loads(self.notes[ACCEPTED_NOTE])
            answers = {who: Answer(AnswerState(state)) for who, state in known["recipients"].items()}
            taken = [answers.get(who, ACCEPTED).state for who in submission.envelope.recipients]
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        if AnswerState.ACCEPTED not in taken:
            return None
        return Receipt(submission.message_id, str(known.get("reference", "")), recipients=answers)

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """Mark the hand-over, durably, then run the block that submits.

        Whatever is raised before it leaves the message not sent; whatever foreign error is raised inside or after
        it leaves the outcome unknown.

        Raises:
            SendDeferred: The caller has called the attempt off, or its deadline has passed; nothing left.
        """
        with self._gate:
            if self._called_off:
                raise SendDeferred(
                    "The attempt was called off before the hand-over; nothing left.", stage="hand-over"
                )
            if not self.handed_over:
                self._mark()
                self.handed_over = True
        yield

    def call_off(self) -> bool:
        """Forbid the hand-over, from any thread; False when it has already been."""
        with self._gate:
            self._called_off = not self.handed_over
            return self._called_off

    @property
    def called_off(self) -> bool:
        """Whether the hand-over was forbidden."""
        return self._called_off

    def _write(self, name: str, value: str) -> None:
        """Make a note durable."""

    def _mark(self) -> None:
        """Make the hand-over durable, and settle the lane's previous entry with it."""


class Transport(abc.ABC):
    """Carries submissions for one account. A transport's author writes `send`; the rest has honest defaults.

    One instance serves one lane, and one thread at a time; it may keep a connection open between sends. The annotation of
    `settings` names the class of its settings, made of attrs and `pillarbox.settings.setting`.

    Args:
        settings: An instance of that class.
        credentials: A view of this account's secrets.
        trace: Takes lines of the conversation, redacted.
    """

    settings: Any
    label: ClassVar[str] = ""
    """What a person calls the method; its name by default."""
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.ACCOUNT
    takes_envelope: ClassVar[bool] = True
    """Whether the carrier sends to the envelope's recipients; False where it reads To, Cc and Bcc."""
    saves_copy: ClassVar[bool] = False
    """Whether the carrier files a copy in Sent."""
    platforms: ClassVar[tuple[str, ...]] = ()
    """The values of `sys.platform` where it works; empty for all."""
    settling: ClassVar[float] = 120.0
    """Seconds after an attempt before "not found" is evidence of absence."""
    resend_safe_for: ClassVar[timedelta] = timedelta(0)
    """How long the carrier recognises `submission.key` and sends nothing twice."""
    options: ClassVar[type | None] = None
    """The attrs class of `Message.options[<method>]`."""
    connector: ClassVar[str] = ""
    """The name of the connector that signs its accounts in, for methods with Connect."""
    events: ClassVar[type[EventSource] | None] = None
    """Where the provider tells what became of mails after it took them, if it does."""
    clock_skew: timedelta | None = None
    """How far the other side's clock is ahead of this machine's, as far as `tell_clock` was told."""
    marks_hand_over: ClassVar[bool]
    """Whether `send` enters `journal.handing_over()`; seen from the class's own methods unless it says so itself.
    A transport that never does is taken to have handed over from the start."""

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        if "marks_hand_over" not in vars(cls):
            cls.marks_hand_over = any(map(_marks, vars(cls).values())) or (
                getattr(cls, "marks_hand_over", False) and _sends_as_its_base(cls)
            )

    def __init__(
        self,
        settings: Any,
        credentials: Credentials | None = None,
        *,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.trace = trace
        self.network: Network = Network()
        """How to reach other machines; core puts the deployment's in its place (rule 38)."""
        self.account: Account | None = None
        """Whose account this is, where core made the instance."""
        self.app: App | None = None
        """The registration of its connector, where it has one and core made the instance."""
        self.route: Route | None = None
        """What `check` is asked about, set by core before it: whose mail, and which address it shows."""

    @abc.abstractmethod
    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once and return the carrier's word.

        Enter `journal.handing_over()` around the step after which the carrier may have the message.

        Raises:
            SendRejected: Refused for good, nothing left.
            SendDeferred: Nothing left, but it may later.
            SignInNeeded: The credential was refused, nothing left.
            OutcomeUnknown: Handed over, and no valid answer came.
            MessageError: This message can't go by this carrier.
        """

    def send_many(self, attempts: Iterable[tuple[Submission, Journal]]) -> Iterator[Receipt | PillarboxError]:
        """Submit several; one answer each, in order, as they are known.

        Pulls the next only when another may be in doubt. Closing the iterator early leaves what was handed over
        and not answered unknown.
        """
        for submission, journal in attempts:
            try:
                answer: Receipt | PillarboxError = self.send(submission, journal)
            except PillarboxError as error:
                answer = error
            yield answer

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look whether the carrier has it. What can't look, or fails to, answers UNCLEAR."""
        if (known := journal.noted_receipt(submission)) is not None:
            return Sighting(SightingState.SENT, known)
        detail = f"{self.label or 'This method'} can't look what was sent."
        return Sighting(SightingState.UNCLEAR, detail=detail, is_final=True)

    def has_arrived(self, submission: Submission) -> bool | None:
        """Whether *submission*, which went to the account's own mailbox, is in its inbox; None where nobody can look.

        `check` asks it of its test mail, several times.

        Raises:
            PillarboxError: The look failed.
        """
        return None

    def tell_clock(self, said: str) -> None:
        """Note when the other side says it is, so that `check` compares it with this machine's clock.

        Args:
            said: A date as mail and HTTP write it (RFC 5322 3.3, RFC 9110 5.6.7); what is none is passed over.
        """
        from email.utils import parsedate_to_datetime

        try:
            theirs = parsedate_to_datetime(said)
        except (ValueError, TypeError, OverflowError):
            return
        if theirs.tzinfo is not None:
            self.clock_skew = theirs - now()

    def check(self) -> Iterator[Finding]:
        """Look, stage by stage and sending nothing, whether the account would work; stops where it makes no sense.

        `self.route` says for whom: a server may take mail from the account's mailbox and not from this user's address.
        """
        yield from ()

    def may_show(self, address: str) -> Proof | None:
        """Return how it is known that the account may show *address*, or None."""
        return None

    def close(self) -> None:  # noqa: B027  (nothing to let go is a fair default)
        """Let the connection go; never raises for a carrier that is gone. A later `send` connects again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def limits(cls, settings: Any) -> Limits:
        """Return what the carrier allows one mailbox."""
        return Limits()

    @classmethod
    def describe(cls, settings: Any) -> Description:
        """Return the account in words, without a network."""
        return Description(via=cls.label)

    @classmethod
    def outbound(cls, settings: Any) -> Outbound | None:
        """Return from where the carrier's mail comes; None where nothing is known of it, so `check` asks no DNS."""
        return None

    @classmethod
    def identity(cls, settings: Any) -> str | None:
        """Return the sign-in name that must equal the owner's address (rule 16), or None for no such rule."""
        return None

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return what an account can do, given what its sign-in was granted."""
        return Capabilities()

    @classmethod
    def warnings(cls, settings: Any) -> tuple[str, ...]:
        """Return what is doubtful about *settings* that are valid, each a sentence with its cure."""
        return ()

    @classmethod
    def settings_class(cls) -> type:
        """Return the class that the annotation of `settings` names.

        Only that name is evaluated: other annotations may be of names imported under TYPE_CHECKING alone.

        Raises:
            TypeError: There is no such annotation, or it is not an attrs class.
        """
        found = settings_class(cls, "settings", Transport)
        if found is None:
            raise TypeError(f"{cls.__name__} needs an annotation settings: <its attrs class>.")
        return found

    @classmethod
    def require_platform(cls, settings: Any = None) -> None:
        """Do nothing where the transport works on this platform.

        Args:
            settings: The account's, where one is asked about: they may let another machine do the work.

        Raises:
            Unavailable: It does not.
        """
        if cls.platforms and sys.platform not in cls.platforms:
            raise Unavailable(f"{cls.label} works on {' and '.join(cls.platforms)}, not on {sys.platform}.")


def _marks(member: object) -> bool:
    return _mentions(_code(member), "handing_over")


def _sends_as_its_base(cls: type[Transport]) -> bool:
    """Whether *cls* leaves `send` to its base, or calls the base's in its own."""
    return "send" not in vars(cls) or _mentions(_code(vars(cls)["send"]), "super")


def _code(member: object) -> CodeType | None:
    return getattr(inspect.unwrap(member) if callable(member) else member, "__code__", None)


def _mentions(code: CodeType | None, name: str) -> bool:
    if code is None:
        return False
    nested = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return name in code.co_names or any(_mentions(one, name) for one in nested)
