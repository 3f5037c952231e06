"""The values that travel: envelope, submission, receipt, sighting, and the states of a submission."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import MessageError, quotation

if TYPE_CHECKING:
    from email.message import EmailMessage


def now() -> dt.datetime:
    """Return this moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def _distinct(recipients: Iterable[str]) -> tuple[str, ...]:
    if isinstance(recipients, str):
        raise MessageError("recipients must be several addresses, not one text.")
    return tuple(dict.fromkeys(recipients))


@attrs.frozen
class Envelope:
    """Sender and recipients as the wire sees them (RFC 5321 2.3.1).

    Attributes:
        sender: The reverse-path without angle brackets; None when the carrier decides (`SenderPolicy.CLIENT`).
        recipients: The forward-paths, each once, at least one.
        smtputf8: Whether one of them can only travel with SMTPUTF8 (RFC 6531).
    """

    sender: str | None
    recipients: tuple[str, ...] = attrs.field(converter=_distinct)

    @recipients.validator
    def _has_a_recipient(self, _: object, recipients: tuple[str, ...]) -> None:
        if not recipients:
            raise MessageError("An envelope has a recipient.")

    @property
    def smtputf8(self) -> bool:
        return not all(path.isascii() for path in (self.sender or "", *self.recipients))


@attrs.frozen(kw_only=True)
class Submission:
    """Envelope and composed bytes, frozen once (RFC 6409). A retry carries the same bytes.

    Attributes:
        key: Names this submission for ever; 32 hexadecimal digits.
        message_id: `<left@right>`, written into the bytes.
        envelope: Who it is from and goes to, on the wire.
        chunks: The message without Bcc, CRLF line ends, lines of at most 998 octets, in pieces.
        bcc_header: The `Bcc:` header with its CRLF, or b"".
        header_size: Where in the joined chunks the header ends: the octets before the empty line.
        from_header: The addr-spec that From shows, or None when the carrier decides.
        smtputf8: Whether it can only travel with SMTPUTF8 (RFC 6531): an address of the envelope or of the header
            has a local part beyond ASCII. By default what the envelope says.
        reference: The host's document number.
        not_after: The moment from which it fails rather than leaves; aware.
        options: What the message asks of the one transport that takes it.
        composed_at: When it was frozen; aware, UTC.
    """

    key: str
    message_id: str
    envelope: Envelope
    chunks: tuple[bytes, ...] = attrs.field(repr=lambda chunks: f"<{sum(map(len, chunks)):,} octets>")
    bcc_header: bytes = attrs.field(default=b"", repr=False)
    header_size: int = 0
    from_header: str | None = None
    smtputf8: bool = attrs.field()
    reference: str = ""
    not_after: dt.datetime | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    composed_at: dt.datetime = attrs.field(factory=now)

    @smtputf8.default
    def _as_the_envelope(self) -> bool:
        return self.envelope.smtputf8

    @property
    def content(self) -> bytes:
        """The message as one piece, without Bcc."""
        return b"".join(self.chunks)

    @property
    def size(self) -> int:
        """Octets of the content, as RFC 1870 counts them."""
        return sum(map(len, self.chunks))

    def content_with_bcc(self) -> bytes:
        """Return the message with its Bcc header: for sent copies, and for carriers that read it and strip it."""
        content = self.content
        return content[: self.header_size] + self.bcc_header + content[self.header_size :]

    def message(self) -> EmailMessage:
        """Return the message, Bcc included, parsed for carriers that take fields rather than bytes."""
        from email import message_from_bytes, policy

        return message_from_bytes(self.content_with_bcc(), policy=policy.default)  # type: ignore[return-value,unused-ignore]


class AnswerState(enum.Enum):
    """What a carrier said of one recipient."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """For good."""
    REFUSED_FOR_NOW = "refused for now"


@attrs.frozen
class Answer:
    """A carrier's answer for one recipient, in its own words."""

    state: AnswerState
    said: str = attrs.field(default="", converter=quotation)
    code: str = attrs.field(default="", converter=quotation)


ACCEPTED = Answer(AnswerState.ACCEPTED)


def _answers(value: Mapping[str, Answer] | None) -> Mapping[str, Answer]:
    return dict(value or {})


class CopyState(enum.Enum):
    """What became of the sent copy."""

    FILED = "filed"
    ALREADY_THERE = "already there"
    BY_CARRIER = "filed by the carrier"
    UNCLEAR = "unclear"
    """Handed to the mailbox, which did not say whether it took it."""
    FAILED = "failed"
    """There is none; the message was accepted all the same."""


@attrs.frozen
class Copy:
    """Where the sent copy of an accepted message is. It changes nothing of what was sent.

    Attributes:
        state: What became of it.
        where: The folder and its server, or who files it: `Sent at imap.acme.example`.
        detail: Why there is none, a sentence; or what the mailbox calls it.
        cure: What to do, or "".
    """

    state: CopyState
    where: str = attrs.field(default="", converter=quotation)
    detail: str = attrs.field(default="", converter=quotation)
    cure: str = attrs.field(default="", kw_only=True)

    def __str__(self) -> str:
        match self.state:
            case CopyState.FILED:
                return f"A copy was filed in {self.where}."
            case CopyState.ALREADY_THERE:
                return f"A copy was already in {self.where}."
            case CopyState.BY_CARRIER:
                return f"A copy is filed by {self.where}."
            case CopyState.UNCLEAR:
                return f"Whether a copy is in {self.where} is not known. {self.detail} {self.cure}".rstrip()
            case CopyState.FAILED:
                return f"No copy was filed in {self.where}. {self.detail} {self.cure}".rstrip()


@attrs.frozen
class Receipt:
    """The carrier's word that it took charge of the message. It does not say that anybody has received it.

    Attributes:
        message_id: Ours.
        reference: The carrier's own name for the message: a queue id, a message id of its API.
        provider_message_id: The Message-ID that the carrier put in the place of ours, if it said so.
        sender: The account really used, where only the carrier knows it (`SenderPolicy.CLIENT`); else None.
        recipients: Wire address -> answer. Empty means that all of the envelope's were accepted.
        submitted_only: Whether acceptance was only into a box from which the carrier sends later (Graph, Outlook).
        detail: The carrier's closing words.
        copy: What became of the sent copy; None where nobody keeps one, or nothing is known of it.
        security: How the connection was protected: `TLS 1.3, TLS_AES_256_GCM_SHA384, certificate verified`; "" where that
            is not known.
        at: When; aware, UTC.
    """

    message_id: str
    reference: str = attrs.field(default="", converter=quotation)
    provider_message_id: str = attrs.field(default="", kw_only=True, converter=quotation)
    sender: str | None = attrs.field(default=None, kw_only=True)
    recipients: Mapping[str, Answer] = attrs.field(default=None, kw_only=True, converter=_answers)
    submitted_only: bool = attrs.field(default=False, kw_only=True)
    detail: str = attrs.field(default="", kw_only=True, converter=quotation)
    copy: Copy | None = attrs.field(default=None, kw_only=True)
    security: str = attrs.field(default="", kw_only=True, converter=quotation)
    at: dt.datetime = attrs.field(factory=now, kw_only=True)

    @property
    def refused(self) -> Mapping[str, Answer]:
        """The recipients that were not accepted, for good or for now."""
        return {
            who: answer for who, answer in self.recipients.items() if answer.state is not AnswerState.ACCEPTED
        }


class SightingState(enum.Enum):
    """What a look after a crash found."""

    SENT = "sent"
    ABSENT = "absent"
    """Positive evidence that it was not sent."""
    UNCLEAR = "unclear"
    """The look failed, or proves nothing."""


@attrs.frozen
class Sighting:
    """The answer of `Transport.find`. A look that fails is UNCLEAR, never ABSENT.

    Attributes:
        state: What was found.
        receipt: The carrier's word, when and only when it is SENT.
        detail: What was seen, or why nothing could be.
        is_final: Whether another look can't find more, since this account has no way to look.
    """

    state: SightingState
    receipt: Receipt | None = None
    detail: str = attrs.field(default="", converter=quotation)
    is_final: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.state is SightingState.SENT) != (self.receipt is not None):
            raise ValueError("A sighting has a receipt when, and only when, it is SENT.")


class State(enum.Enum):
    """Where a submission stands (rule 19)."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    ATTEMPTING = "attempting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED, State.CANCELLED, State.HELD, State.REJECTED}),
    State.CLAIMED: frozenset(
        {State.ATTEMPTING, State.QUEUED, State.DEFERRED, State.REJECTED, State.HELD, State.CANCELLED}
    ),
    State.ATTEMPTING: frozenset({State.ACCEPTED, State.REJECTED, State.DEFERRED, State.UNKNOWN}),
    State.DEFERRED: frozenset({State.QUEUED, State.CLAIMED, State.CANCELLED, State.HELD, State.REJECTED}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.QUEUED, State.HELD}),
    State.HELD: frozenset({State.ACCEPTED, State.QUEUED, State.REJECTED, State.CANCELLED}),
    State.ACCEPTED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""From each state, those it may move to. Nothing leaves `accepted`: what came later can't undo it (rule 18)."""
