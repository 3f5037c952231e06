"""What a person or a deployer sets for mail that goes through Outlook."""

from __future__ import annotations

import enum
import re

import attrs

from pillarbox.settings import Role, between, setting

from .accounts import KINDS


class Interface(enum.Enum):
    """By which interface Outlook is asked."""

    COM = "com"
    """Outlook's object model."""
    SIMPLE = "simple"
    """Simple MAPI, for plain text and files, by whatever mail program is the computer's default."""


DEFAULT_ACCEPT = ("exchange", "http", "eas")
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def _is_address_or_nothing(value: str) -> None:
    if value and not _ADDRESS.fullmatch(value):
        raise ValueError(f"must be an e-mail address, not {value!r:.80}")


def _kinds(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(name).strip().lower() for name in value)


def _are_kinds(names: tuple[str, ...]) -> None:
    strange = [name for name in names if name not in KINDS.values()]
    if strange or not names:
        told = f"; {strange[0]!r:.40} is none" if strange else ""
        raise ValueError(f"must be from {', '.join(KINDS.values())}{told}")


@attrs.frozen(kw_only=True)
class MapiSettings:
    """The settings of mail that goes through Outlook."""

    account: str = setting(
        "",
        label="Account",
        help="The address of the account in Outlook that sends. Empty: Outlook's own first account; for a personal"
        " account, the one with the user's address. With Simple MAPI it chooses nothing: it says as whom the mail"
        " program sends, which nobody can check.",
        check=_is_address_or_nothing,
    )
    profile: str = setting(
        "",
        label="Profile",
        help="The Outlook profile. Empty: the one that is open, or the default.",
        advanced=True,
    )
    require_match: bool = setting(
        False,
        label="Only as the user",
        help="Refuse to send for a user whose address is not an account in Outlook, instead of sending as Outlook's own.",
        set_by=Role.ADMINISTRATOR,
    )
    accept: tuple[str, ...] = setting(
        DEFAULT_ACCEPT,
        label="Accounts that may send",
        help="Kinds of Outlook accounts: exchange, http, eas, imap, pop3, other. An imap or pop3 account sends by SMTP,"
        " which the SMTP method does itself.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        converter=_kinds,
        check=_are_kinds,
    )
    desktop_user: str = setting(
        "",
        label="Computer for other mail",
        help="The user through whose Outlook mail goes that nobody in particular writes (a nightly job).",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    on_behalf: str = setting(
        "",
        label="On behalf of",
        help="An address on whose behalf Outlook's account sends; it needs that right in Exchange.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=_is_address_or_nothing,
    )
    lossy: bool = setting(
        False,
        label="Leave out what Outlook can't carry",
        help="Send although Outlook can't carry part of a message: a Message-ID of your own, some headers, an"
        " invitation; by Simple MAPI also HTML, an address for answers, importance. Otherwise such a message is refused.",
        advanced=True,
    )
    interface: Interface = setting(
        Interface.COM,
        label="Interface",
        help="com: Outlook's object model. simple: Simple MAPI, for plain text and files, which can't choose an account and"
        " can't look what was sent.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    worker_command: tuple[str, ...] = setting(
        (),
        label="Worker command",
        help="The program and arguments that start the worker process. Empty: this Python, with -m"
        " pillarbox_mapi.worker. A program that is frozen into one file has to name one.",
        set_by=Role.DEPLOYER,
        advanced=True,
    )
    attach_timeout: float = setting(
        60.0,
        label="Time limit for starting Outlook",
        help="Seconds; a cold start takes a quarter of a minute and more.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )
    call_timeout: float = setting(
        30.0,
        label="Time limit for preparing",
        help="Seconds to prepare a message, or to look for one; a message gets a second more for each MB.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )
    send_timeout: float = setting(
        120.0,
        label="Time limit for sending",
        help="Seconds for Send, in which Outlook may ask a person whether it is allowed.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )
