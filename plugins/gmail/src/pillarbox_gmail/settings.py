"""What a person or a deployer sets for a Gmail account."""

from __future__ import annotations

import enum

import attrs

from pillarbox import Address
from pillarbox.settings import FromPolicy, Role, between, setting

from .addresses import is_address


class Mode(enum.Enum):
    """How the account signs in."""

    PERSON = "person"
    """A person signs in with Google and allows it."""
    SERVICE = "service"
    """A service account acts for the mailbox, by domain-wide delegation; nobody signs in."""


def _is_address_or_nothing(value: str) -> None:
    if value and not is_address(value):
        raise ValueError(f"must be an e-mail address, not {value!r:.80}")


def _is_possible(policy: FromPolicy | None) -> None:
    if policy is FromPolicy.USER:
        raise ValueError(
            "must be account or send_as: Gmail replaces an address that is neither its mailbox nor an alias of it"
        )


@attrs.frozen(kw_only=True)
class GmailSettings:
    """The settings of a Gmail account."""

    mailbox: str = setting(
        "",
        label="Mailbox",
        help="The address that sends. Empty: the owner's address. One that differs from who signs in has to be"
        " among the aliases of who does.",
        binds=True,
        check=_is_address_or_nothing,
    )
    signs_in_as: str = setting(
        "",
        label="Signs in as",
        help="The Google account that signs in. Empty: the mailbox.",
        binds=True,
        advanced=True,
        check=_is_address_or_nothing,
    )
    mode: Mode = setting(
        Mode.PERSON,
        label="Sign-in by",
        help="person: somebody signs in with Google and allows it. service: the service account of [apps.gmail] acts"
        " for the mailbox, as an administrator of the Workspace has delegated it; nobody signs in.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
    )
    from_policy: FromPolicy | None = setting(
        None,
        label="Address shown",
        help="For a company's account: account always shows this mailbox, with the user's name; send_as shows each"
        " user's own address where it is among the aliases of the account.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=_is_possible,
    )
    timeout: float = setting(
        60.0,
        label="Time limit",
        help="Seconds for one exchange with Google, however slowly it trickles in. A message gets a second more for"
        " each 100 kB.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )

    def __attrs_post_init__(self) -> None:
        if self.mode is Mode.SERVICE and self.signs_in_as and not self._is_the_mailbox(self.signs_in_as):
            raise ValueError("signs_in_as: a service account acts for the mailbox itself; remove it")

    def _is_the_mailbox(self, address: str) -> bool:
        return bool(self.mailbox) and Address(address).same_mailbox(self.mailbox)
