"""From a record to the account of its method: settings structured, and held to the rules an account must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._address import Address, check_address, comparable
from ._errors import (
    InvalidSettings,
    MessageError,
    NoMethod,
    SenderMismatch,
    SettingsError,
    TransportNotInstalled,
)
from ._plugins import asked
from ._schema import Problem, structure
from ._settings import NONE, Account, Choice, Company, User
from ._transports import Transport
from ._vault import AGAIN, CONNECT

Transports = Mapping[str, type[Transport]]


def path_of(record: Company | User) -> str:
    """Return where the settings of *record* stand in a settings file."""
    return "company" if isinstance(record, Company) else f"users.{record.id}"


def account_of(record: Company | User, company: Company, transports: Transports) -> Account:
    """Return the account of *record*'s own method.

    Raises:
        NoMethod: Its method is None.
        TransportNotInstalled, Unavailable: The method can't be used here.
        InvalidSettings: Its settings can't be used.
        SettingsError: The account breaks a rule: switched off (7), no address (12).
        SenderMismatch: Its sign-in or mailbox is not its owner's (11, 16).
    """
    if record.method == NONE:
        raise no_method(record)
    transport = transport_of(record.method, transports)
    settings = method_settings(record, transport)
    account = _account(record, company, settings)
    _check_identity(record, account, transport)
    if isinstance(record, User):
        _check_personal(record, account)
    return account


def transport_of(method: str, transports: Transports) -> type[Transport]:
    """Return the class of *method*.

    Raises:
        TransportNotInstalled, Unavailable: It can't be used here.
    """
    try:
        return transports[method]
    except KeyError:
        raise TransportNotInstalled(f"The method {method} is not installed.", method=method) from None


def no_method(record: Company | User) -> NoMethod:
    """Return the refusal of a record whose method is None (rules 4 and 5)."""
    if isinstance(record, Company):
        return NoMethod(
            f"{record} can't send: the company's method is None.",
            owner="company",
            cure="Choose one: pillarbox company set --method smtp, or give the user a personal one:"
            " pillarbox user set USER --settings personal --method smtp",
        )
    if record.choice is Choice.FROM_COMPANY:  # asked for all the same: to connect it, say
        return NoMethod(
            f"{record} has no account of their own: their method is None, and the company's account sends for them.",
            owner=record.owner,
            cure=f"Give them one: pillarbox user set {record.id} --method m365",
        )
    return NoMethod(
        f"{record} can't send: their setting is Personal with method None.",
        owner=record.owner,
        cure=f"Choose a method: pillarbox user set {record.id} --method smtp,"
        f" or the company's: pillarbox user set {record.id} --settings company",
    )


def method_settings(record: Company | User, transport: type[Transport]) -> Any:
    """Return the settings of *record*'s method as an instance of its class.

    Raises:
        InvalidSettings: A sentence for each field that is wrong, missing or unknown.
    """
    table = record.methods.get(record.method, {})
    return structure(transport.settings_class(), table, f"{path_of(record)}.{record.method}")


def _account(record: Company | User, company: Company, settings: Any) -> Account:
    mailbox = _named(record, settings, "mailbox") or record.address or _sign_in_address(settings)
    return Account(
        owner=record.owner,
        method=record.method,
        settings=settings,
        mailbox=mailbox,
        signs_in_as=getattr(settings, "signs_in_as", "") or mailbox,
        name=record.name,
        company=company.id,
        typed_by=record.typed_by,
    )


def _named(record: Company | User, settings: Any, field: str) -> str:
    """Return the address that the settings name in *field*, or "".

    Raises:
        InvalidSettings: It is none.
    """
    value = getattr(settings, field, "") or ""
    if value and not is_address(value):
        place = f"{path_of(record)}.{record.method}.{field}"
        raise InvalidSettings(
            [str(Problem(place, f"{value!r:.80} is not an e-mail address"))], where=path_of(record)
        )
    return value


def _sign_in_address(settings: Any) -> str:
    username = getattr(settings, "username", "") or ""
    return username if is_address(username) else ""


def sign_in_of(account: Account, transport: type[Transport]) -> tuple[str, str]:
    """Return the connector that signs *account* in and what its tokens are for; "" where it signs in with a password."""
    named = getattr(account.settings, "sign_in", "") or ""
    return (named, "smtp") if named else (transport.connector, "send" if transport.connector else "")


def connect_command(owner: str) -> str:
    """Return the command that signs the account of *owner* in."""
    kind, _, user = owner.partition(":")
    return f"pillarbox user connect {user}" if kind == "user" else "pillarbox company connect"


def with_connect_command(cure: str, owner: str) -> str:
    """Return *cure*, and where it is to connect the account of *owner*, by which command."""
    return f"{cure[:-1]}: {connect_command(owner)}" if cure in _CONNECTS else cure


_CONNECTS = frozenset({CONNECT, AGAIN, "Connect again.", "Connect the account again."})


def is_address(value: str) -> bool:
    """Whether *value* is one addr-spec."""
    try:
        _ = check_address(value)
    except MessageError:
        return False
    return True


def _check_identity(record: Company | User, account: Account, transport: type[Transport]) -> None:
    identity = asked(transport, "identity", account.settings)
    if identity is None or not record.address or comparable(identity) == comparable(record.address):
        return
    whose = "the company's" if isinstance(record, Company) else "the user's"
    problem = Problem(
        f"{path_of(record)}.{record.method}.username",
        f"{identity} must equal {whose} address {record.address}; if it may differ, set username_differs = true",
    )
    raise InvalidSettings([str(problem)], where=path_of(record))


def _check_personal(user: User, account: Account) -> None:
    if user.disabled:
        raise SettingsError(
            f"{user}'s personal account was switched off by an administrator.",
            cure=f"Switch it on: pillarbox user set {user.id} --no-disabled",
        )
    if not user.address:
        raise SettingsError(
            f"{user} has a personal account and no address.",
            cure=f"Give one: pillarbox user set {user.id} --address NAME@DOMAIN",
        )
    if not Address(user.address).same_mailbox(account.mailbox):
        raise SenderMismatch(
            f"{user}'s address is {user.address}, and the personal account sends for {account.mailbox}.",
            cure="Change the address, or the account's mailbox.",
        )


def saving_problem(record: Company | User, company: Company, transports: Transports) -> None:
    """Raise what forbids saving *record*: settings that could never send (rules 11, 12, 16).

    A method of None, or one that is not installed here, may be saved.

    Raises:
        SettingsError: As `account_of`.
    """
    unused = isinstance(record, User) and (record.choice is not Choice.PERSONAL or record.disabled)
    if record.method == NONE or unused or record.method not in transports:
        return
    account_of(record, company, transports)
