"""What the scopes that were granted let an account do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pillarbox import Connection

from .addresses import same
from .app import BASIC, COMPOSE, FULL, READONLY, SEND

MODIFY = "https://www.googleapis.com/auth/gmail.modify"
DRAFTS = frozenset({COMPOSE, MODIFY, FULL})
"""Each of these lets drafts be made, read, sent and deleted."""
SENDS = DRAFTS | {SEND}
"""Each of these lets messages be sent."""
READS = frozenset({READONLY, MODIFY, FULL})
"""Each of these lets what was sent be read."""
LISTS_ALIASES = READS | {BASIC}
"""Each of these lets the list of aliases be read."""


@attrs.frozen
class Allowed:
    """What an account may do, and as whom.

    Attributes:
        address: Who signed in.
        aliases: What else Gmail has verified for them.
        scopes: What was granted.
    """

    address: str = ""
    aliases: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, learned: Connection | Mapping[str, Any] | None) -> Allowed:
        """Return what a sign-in *learned* allows; nothing for None."""
        values: Mapping[str, Any] = (
            attrs.asdict(learned) if isinstance(learned, Connection) else learned or {}
        )
        return cls(
            str(values.get("address", "")),
            tuple(map(str, values.get("aliases", ()))),
            frozenset(map(str, values.get("scopes", ()))),
        )

    @property
    def sends(self) -> bool:
        """Whether it may send."""
        return bool(self.scopes & SENDS)

    @property
    def drafts(self) -> bool:
        """Whether it may send by a draft, so that it can be looked whether it was sent."""
        return bool(self.scopes & DRAFTS)

    @property
    def reads(self) -> bool:
        """Whether it may look in Sent."""
        return bool(self.scopes & READS)

    def shows(self, address: str) -> str:
        """Return how it is known that the account may show *address*: `same mailbox`, `alias list`; "" where it isn't."""
        if same(address, self.address):
            return "same mailbox"
        return "alias list" if any(same(address, one) for one in self.aliases) else ""
