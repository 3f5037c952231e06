"""What resolution answers and diagnosis says: routes with their reasons, findings, attempts."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import quotation
from ._mail import Receipt, State, now

if TYPE_CHECKING:
    from ._address import Address
    from ._errors import PillarboxError
    from ._settings import Account


@attrs.frozen
class Reason:
    """One step that led to a route.

    Attributes:
        text: The fact, in plain words.
        source: Where it comes from: a settings path (`users.anna.settings`) or a rule (`rule: ...`).
    """

    text: str
    source: str


@attrs.frozen(kw_only=True)
class Route:
    """Whose account carries a message, and which address shows.

    Attributes:
        account: The account that carries it.
        from_address: What From shows; None when the carrier decides (`SenderPolicy.CLIENT`).
        reply_to: Where answers go unless the message says otherwise; empty for From.
        envelope_sender: The reverse-path; None when the carrier decides.
        sender: The `Sender:` header, only for on-behalf-of (RFC 5322 3.6.2).
        user: The acting user's id, or None for mail that nobody in particular writes.
        automatic: Whether to mark it `Auto-Submitted: auto-generated` (RFC 3834).
        reasons: Why, in order.
        warnings: What may go wrong with this route, each a sentence with its cure.
    """

    account: Account
    from_address: Address | None
    reply_to: tuple[Address, ...] = ()
    envelope_sender: str | None = None
    sender: Address | None = None
    user: str | None = None
    automatic: bool = False
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


class Level(enum.Enum):
    """How a finding is meant."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@attrs.frozen
class Finding:
    """One line of a diagnosis.

    Attributes:
        stage: What was looked at: `dns`, `connect`, `tls` ...
        level: How it is meant.
        code: Stable, kebab-case; documented under that name.
        seen: What was found; a server's words only as a quotation.
        cure: What to do, or "".
        seconds: How long the look took.
        exit_code: What `check` exits with when this is the first that failed (sysexits); 0 for one that did not fail.
    """

    stage: str
    level: Level
    code: str
    seen: str = attrs.field(default="", converter=quotation)
    cure: str = ""
    seconds: float = 0.0
    exit_code: int = attrs.field(
        default=attrs.Factory(lambda self: 70 if self.level is Level.FAIL else 0, takes_self=True)
    )


@attrs.frozen(kw_only=True)
class Suggestion:
    """A method that fits an address.

    A plugin's hook fills the first five; `pillarbox.suggest` adds the rest.

    Attributes:
        method: Its name.
        settings: What to set, by field.
        reason: Why it fits, a sentence.
        drawbacks: What speaks against it, sentences.
        rank: The higher, the earlier it is shown.
        label: What people call the method.
        sources: Where each of the settings comes from, by field.
        ready: Whether it is installed, and works on this computer.
        cure: How to make it ready: the pip command of a method of ours, or why it can't be; "" where it is.
        as_found: Whether the settings are what the domain's DNS or web site says, which nobody has confirmed.
    """

    method: str
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    reason: str = ""
    drawbacks: tuple[str, ...] = ()
    rank: int = 0
    label: str = ""
    sources: Mapping[str, str] = attrs.field(factory=dict)
    ready: bool = False
    cure: str = ""
    as_found: bool = False


@attrs.frozen(kw_only=True)
class Suggestions:
    """What `pillarbox.suggest` answers.

    Attributes:
        address: About which.
        methods: What fits, the best first; never empty.
        seen: What was learned of the domain, each with where.
        not_asked: What could not be asked, or gave no answer, sentences.
    """

    address: str
    methods: tuple[Suggestion, ...]
    seen: tuple[Reason, ...] = ()
    not_asked: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Attempt:
    """One try, told to `pillarbox_attempt_finished` when it is over.

    Attributes:
        submission: The submission's key.
        method: The account's method.
        owner: The account's owner.
        handed_over: Whether the carrier may have the message.
        receipt: The carrier's word, or None.
        error: What it ended in instead, or None.
        started_at: When; aware, UTC.
        seconds: How long it took.
        state: Where the submission stands now: what the attempt led to.
        put_at: When it was put into the outbox, for an attempt of a worker; aware, or None.
    """

    submission: str
    method: str
    owner: str
    handed_over: bool
    receipt: Receipt | None = None
    error: PillarboxError | None = None
    started_at: dt.datetime = attrs.field(factory=now)
    seconds: float = 0.0
    state: State = State.ATTEMPTING
    put_at: dt.datetime | None = None
