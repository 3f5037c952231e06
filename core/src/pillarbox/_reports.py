"""What a provider says of a mail after it was accepted, as values."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable

import attrs

from ._address import Address
from ._errors import MessageError, quotation

MOST_REPORTS = 10_000
"""Of one body, or one look."""
LONGEST_NAME = 998
"""Characters of a provider's name for a mail, or of a Message-ID (a line of RFC 5322)."""


class ReportKind(enum.Enum):
    """What became of a mail at a recipient."""

    ARRIVED = "arrived"
    """The provider, or the recipient's server, says that it lies in the mailbox."""
    BOUNCED = "bounced"
    """The recipient's server does not take it, for good."""
    COMPLAINED = "complained"
    """The recipient called it spam."""
    FAILED = "failed"
    """The provider did not send it, for another reason than the recipient's server."""


def _named(value: str) -> str:
    if len(value) > LONGEST_NAME:
        raise MessageError("A report names a mail by more characters than a line has.")
    return quotation(value) if not value.isprintable() else value.strip()


@attrs.frozen(kw_only=True)
class Report:
    """One thing that a provider said of one mail and one recipient. It never changes what was accepted.

    Attributes:
        provider_id: The provider's name for the mail, as `Receipt.reference` has it; or "".
        message_id: The mail's Message-ID, with or without its angle brackets; or "".
        recipient: Whom it is about; "" where the mail has one recipient alone and the provider does not say.
        kind: What became of it.
        detail: The provider's words: cut, cleaned, and shown as a quotation (rule 39).
        at: When that was, by the provider's clock; aware. None where it does not say.

    Raises:
        MessageError: It names no mail, or the recipient is no address.
    """

    kind: ReportKind
    recipient: str = ""
    provider_id: str = attrs.field(default="", converter=_named)
    message_id: str = attrs.field(default="", converter=_named)
    detail: str = attrs.field(default="", converter=quotation)
    at: dt.datetime | None = None

    def __attrs_post_init__(self) -> None:
        if not (self.provider_id or self.message_id):
            raise MessageError("A report has to name its mail, by the provider's name or by its Message-ID.")
        if self.recipient:
            _ = Address(self.recipient)
        if self.at is not None and self.at.tzinfo is None:
            raise MessageError("The moment of a report needs a zone.")


@attrs.frozen
class Recorded:
    """What became of reports.

    Attributes:
        new: Kept now.
        again: Were kept before: providers repeat themselves.
        unknown: Of no mail here, or of several that can't be told apart.
        over: More than a slip keeps of one recipient.
    """

    new: int = 0
    again: int = 0
    unknown: int = 0
    over: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.new + other.new,
            self.again + other.again,
            self.unknown + other.unknown,
            self.over + other.over,
        )


def _in_order(reports: Iterable[Report]) -> tuple[Report, ...]:
    return tuple(reports)


@attrs.frozen
class Polled:
    """What a look brought.

    Attributes:
        reports: In the order in which they came.
        cursor: Where the next look begins; a text of the source's own, at most 1,000 characters.
        more: Whether there is more to be had at once.
    """

    reports: tuple[Report, ...] = attrs.field(converter=_in_order)
    cursor: str
    more: bool = False


@attrs.frozen(kw_only=True)
class KeptReport:
    """A report that an outbox keeps.

    Attributes:
        recipient: As the mail has it.
        recorded_at: When it was kept; aware.
    """

    recipient: str
    kind: ReportKind
    detail: str
    at: dt.datetime | None
    recorded_at: dt.datetime
