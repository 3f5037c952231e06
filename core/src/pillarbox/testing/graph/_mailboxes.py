"""The mailboxes of the tenant: whose they are, who may open them and who may show their address."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable

import attrs

from ._errors import GraphError
from ._items import Item


class Showing(enum.Enum):
    """How somebody comes to show an address."""

    OWN = "own"
    SEND_AS = "send as"
    ON_BEHALF = "on behalf"


def folded(address: str) -> str:
    """Return *address* as mailboxes are compared."""
    return address.strip().casefold()


def _several(addresses: str | Iterable[str]) -> frozenset[str]:
    given = [addresses] if isinstance(addresses, str) else addresses
    return frozenset(map(folded, given))


@attrs.define(eq=False, kw_only=True)
class Mailbox:
    """A mailbox, the person's or the team's.

    Attributes:
        address: Its primary address.
        name: Its display name.
        full_access: Who may open it, beside its owner.
        send_as: Who may show its address as if it were theirs.
        on_behalf: Who may send on its behalf, and are then shown as the sender.
        aliases: More addresses that it may show.
        items: Its drafts and what lies in its folders, the oldest first.
    """

    address: str
    name: str = ""
    full_access: frozenset[str] = attrs.field(converter=_several, default=frozenset())
    send_as: frozenset[str] = attrs.field(converter=_several, default=frozenset())
    on_behalf: frozenset[str] = attrs.field(converter=_several, default=frozenset())
    aliases: frozenset[str] = attrs.field(converter=_several, default=frozenset())
    items: list[Item] = attrs.field(factory=list)

    @property
    def id(self) -> str:
        """The object id of its owner."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{folded(self.address)}"))

    @property
    def key(self) -> str:
        """Its address as mailboxes are compared."""
        return folded(self.address)

    def opens_for(self, other: Mailbox) -> bool:
        """Whether the owner of *other* may open this one."""
        return other is self or other.key in self.full_access

    def shown_by(self, other: Mailbox) -> Showing | None:
        """Return how the owner of *other* may show this one's address, None if not at all."""
        if other is self:
            return Showing.OWN
        if other.key in self.send_as:
            return Showing.SEND_AS
        return Showing.ON_BEHALF if other.key in self.on_behalf else None

    def person(self) -> dict[str, object]:
        """Return the owner as `/me` shows them."""
        name = self.name or self.address.partition("@")[0]
        given, _, family = name.rpartition(" ")
        return {
            "businessPhones": [],
            "displayName": name,
            "givenName": given or None,
            "jobTitle": None,
            "mail": self.address,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": None,
            "surname": family,
            "userPrincipalName": self.address,
            "id": self.id,
        }

    def addresses(self) -> list[str]:
        """Return `proxyAddresses`: the primary one in capitals, then the aliases."""
        return [f"SMTP:{self.address}", *(f"smtp:{alias}" for alias in sorted(self.aliases))]


class Mailboxes:
    """All mailboxes, found by their address or by the id of their owner."""

    def __init__(self) -> None:
        self._all: dict[str, Mailbox] = {}

    def add(self, mailbox: Mailbox) -> None:
        """Add *mailbox*.

        Raises:
            ValueError: Its address is taken.
        """
        if self.showing(mailbox.address):
            raise ValueError(f"{mailbox.address} is a mailbox already.")
        self._all[mailbox.key] = mailbox

    def __getitem__(self, address_or_id: str) -> Mailbox:
        """Return the mailbox.

        Raises:
            GraphError: There is none.
        """
        found = self._all.get(folded(address_or_id)) or self._by_id(address_or_id)
        if found is None:
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{address_or_id}' is invalid.")
        return found

    def get(self, address_or_id: str) -> Mailbox | None:
        """Return the mailbox, None where there is none."""
        return self._all.get(folded(address_or_id)) or self._by_id(address_or_id)

    def showing(self, address: str) -> Mailbox | None:
        """Return the mailbox that *address* is one of, None for a stranger's."""
        wanted = folded(address)
        found = (one for one in self._all.values() if wanted == one.key or wanted in one.aliases)
        return next(found, None)

    def _by_id(self, wanted: str) -> Mailbox | None:
        return next((one for one in self._all.values() if one.id == wanted.lower()), None)
