"""Which of Outlook's accounts sends."""

from __future__ import annotations

import pytest

from pillarbox_mapi.accounts import OutlookAccount, Wish, chosen
from pillarbox_mapi.problems import Problem

ORDERS = OutlookAccount(1, "exchange", "orders@acme.example", "Orders")
ANNA = OutlookAccount(2, "exchange", "anna@acme.example", "Anna Berg")
POP = OutlookAccount(3, "pop3", "pop@acme.example", "Old")
NAMELESS = OutlookAccount(4, "eas", "", "shy@acme.example")
ALL = (ORDERS, ANNA, POP, NAMELESS)
ACCEPT = ("exchange", "http", "eas")


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, ORDERS),
        ({"account": "Anna@ACME.example"}, ANNA),
        ({"must_be": "anna@acme.example"}, ANNA),
        ({"account": "shy@acme.example"}, NAMELESS),
        ({"account": "anna@acme.example", "must_be": "anna@acme.example"}, ANNA),
    ],
)
def test_the_account_that_is_named_sends_or_the_first(wish, found):
    """By its address, whatever the case; by its name where Outlook does not tell the address."""
    assert chosen(ALL, Wish(accept=ACCEPT, **wish)) is found


@pytest.mark.parametrize(
    ("accounts", "wish", "name"),
    [
        ((), {}, "no-accounts"),
        (ALL, {"account": "otto@acme.example"}, "account-missing"),
        (ALL, {"account": "orders@acme.example", "must_be": "anna@acme.example"}, "account-differs"),
        (ALL, {"account": "pop@acme.example"}, "account-kind"),
    ],
)
def test_no_other_account_takes_its_place(accounts, wish, name):
    """Never any account that works."""
    with pytest.raises(Problem) as refused:
        chosen(accounts, Wish(accept=ACCEPT, **wish))
    assert refused.value.name == name


def test_a_wish_comes_through_json():
    """It crosses to the worker."""
    wish = Wish(account="a@b.example", must_be="c@d.example", accept=("pop3",))
    assert Wish.from_json({"account": "a@b.example", "must_be": "c@d.example", "accept": ["pop3"]}) == wish
