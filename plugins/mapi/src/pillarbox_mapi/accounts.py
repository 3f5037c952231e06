"""Which of Outlook's accounts sends: a pure choice among those that the profile has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .problems import Problem

KINDS: Mapping[int, str] = {0: "exchange", 1: "imap", 2: "pop3", 3: "http", 4: "eas", 5: "other"}
"""Of OlAccountType (learn.microsoft.com, Outlook VBA reference)."""


@attrs.frozen
class OutlookAccount:
    """An account of the profile.

    Attributes:
        number: Its place among the accounts, from 1.
        kind: One of `KINDS`.
        address: Its SmtpAddress, or "" where Outlook did not tell it.
        name: Its DisplayName, which for many accounts is the address.
    """

    number: int
    kind: str
    address: str
    name: str

    @property
    def label(self) -> str:
        """By what a person knows it: its address, else its name."""
        return self.address or self.name

    def is_at(self, address: str) -> bool:
        """Whether it is the account of *address*, whatever the case of its letters."""
        return self.label.casefold() == address.casefold()


@attrs.frozen(kw_only=True)
class Wish:
    """What the settings and the route ask of the account.

    Attributes:
        account: The address that the settings name, or "".
        must_be: The address that has to send, or "" where Outlook decides.
        accept: The kinds that may send.
    """

    account: str = ""
    must_be: str = ""
    accept: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Wish:
        """Return the wish that came as an object of JSON."""
        return cls(
            account=str(value["account"]), must_be=str(value["must_be"]), accept=tuple(value["accept"])
        )


def chosen(accounts: Sequence[OutlookAccount], wish: Wish) -> OutlookAccount:
    """Return the account that sends: the one that is named or has to be, else the profile's first.

    Raises:
        Problem: There is none, it is of a kind that may not send, or it is not the one that it has to be.
    """
    if not accounts:
        raise Problem("no-accounts")
    found = _named(accounts, wish.account or wish.must_be)
    if wish.must_be and not found.is_at(wish.must_be):
        raise Problem("account-differs", wanted=wish.must_be, found=found.label)
    if found.kind not in wish.accept:
        raise Problem("account-kind", found=found.label, kind=found.kind)
    return found


def _named(accounts: Sequence[OutlookAccount], address: str) -> OutlookAccount:
    if not address:
        return accounts[0]
    for account in accounts:
        if account.is_at(address):
            return account
    raise Problem("account-missing", wanted=address, found=", ".join(one.label for one in accounts[:10]))
