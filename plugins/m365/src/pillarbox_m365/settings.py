"""What a person or an administrator sets for a Microsoft 365 account."""

from __future__ import annotations

import enum

import attrs

from pillarbox.settings import FromPolicy, Role, between, setting


class Mode(enum.Enum):
    """Who signs in."""

    PERSON = "person"
    """The mailbox's owner, or whoever has a right to it, once, in a browser."""
    APP = "app"
    """The registered application itself, with the rights that an administrator gave it; nobody signs in."""


def _stripped(value: str) -> str:
    return value.strip() if isinstance(value, str) else value


def _is_address(value: str) -> None:
    if value and ("@" not in value or not value.isprintable() or " " in value):
        raise ValueError(f"must be an e-mail address, not {value!r:.80}")


@attrs.frozen(kw_only=True)
class M365Settings:
    """The settings of a Microsoft 365 account. With none at all the owner's address is the mailbox, and its owner signs in."""

    mailbox: str = setting(
        "",
        label="Mailbox",
        help="The mailbox that sends. Empty: the owner's address. A shared mailbox stands here, and who signs in below.",
        set_by=Role.ADMINISTRATOR,
        binds=True,
        converter=_stripped,
        check=_is_address,
    )
    signs_in_as: str = setting(
        "",
        label="Signs in as",
        help="Who connects the account, where that is not the mailbox itself: a person with rights to a shared mailbox.",
        converter=_stripped,
        check=_is_address,
    )
    mode: Mode = setting(
        Mode.PERSON,
        label="Who signs in",
        help="person: somebody connects the mailbox in a browser. app: the registered application signs in by itself, with"
        " permissions that an administrator of Microsoft 365 has given it.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
    )
    from_policy: FromPolicy | None = setting(
        None,
        label="Address shown",
        help="For a company's account: account always shows the mailbox, user each user's own address, for which the mailbox"
        " needs the right to Send As; send_as does so only where that right is known.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    save_sent: bool = setting(
        True,
        label="Keep a copy in Sent Items",
        help="Microsoft 365 files one itself. Without it a connection that may only send leaves none; one that may confirm"
        " always does, because that is where it looks.",
        advanced=True,
    )
    timeout: float = setting(
        60.0,
        label="Time limit",
        help="Seconds for one exchange with Microsoft 365, however slowly it trickles in; a large message gets more, by its size.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )

    def __attrs_post_init__(self) -> None:
        if self.mode is Mode.APP and self.signs_in_as and self.signs_in_as != self.mailbox:
            raise ValueError("signs_in_as: nobody signs in with mode = app; leave it empty")
