"""From a record to its account: what may be saved, and what is refused when it is saved rather than when it is sent."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Choice, Company, InvalidSettings, NoMethod, SenderMismatch, SettingsError, User
from pillarbox._accounts import account_of, saving_problem
from tests.core.doubles import Settings, plugins

PLUGINS = plugins()
ACME = Company(
    address="orders@acme.example", name="Acme Ltd", method="umail", methods={"umail": {"mailbox": ""}}
)
OTTO = User(id="otto", address="otto@acme.example", name="Otto Lind", choice=Choice.PERSONAL, method="umail")


def test_an_account_is_all_that_sending_needs():
    """Owner, method, settings as the method's class has them, mailbox, name, who typed it."""
    account = account_of(OTTO, attrs.evolve(ACME, id="acme"), PLUGINS)
    assert isinstance(account.settings, Settings)
    assert (account.owner, account.mailbox, account.signs_in_as, account.name, account.company) == (
        "user:otto", "otto@acme.example", "otto@acme.example", "Otto Lind", "acme",
    )  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        attrs.evolve(ACME, method="none"),
        attrs.evolve(ACME, method="nowhere", methods={"nowhere": {"anything": 1}}),
        attrs.evolve(OTTO, method="none"),
        attrs.evolve(OTTO, disabled=True, address=""),
        attrs.evolve(OTTO, choice=Choice.FROM_COMPANY, address=""),
        OTTO,
        ACME,
    ],
)
def test_what_sends_nothing_yet_may_be_saved(record):
    """None, not installed, switched off, not in use: a form is filled in step by step."""
    saving_problem(record, ACME, PLUGINS)


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (attrs.evolve(OTTO, address=""), SettingsError),
        (attrs.evolve(OTTO, methods={"umail": {"mailbox": "box@acme.example"}}), SenderMismatch),
        (attrs.evolve(OTTO, methods={"umail": {"username": "anna@acme.example"}}), InvalidSettings),
        (attrs.evolve(ACME, methods={"umail": {"username": "apikey"}}), InvalidSettings),
        (attrs.evolve(ACME, methods={"umail": {"port": 0}}), InvalidSettings),
    ],
)
def test_what_could_never_send_is_refused_when_it_is_saved(record, error):
    """Rules 11, 12 and 16: not first when an invoice is to leave."""
    with pytest.raises(error):
        saving_problem(record, ACME, PLUGINS)


@pytest.mark.parametrize(
    ("record", "owner", "said"),
    [
        (attrs.evolve(ACME, method="none"), "company", "Acme Ltd can't send: the company's method is None"),
        (attrs.evolve(OTTO, method="none"), "user:otto", "Otto Lind can't send: their setting is Personal"),
    ],
)
def test_a_method_of_none_says_whose_and_what_to_do(record, owner, said):
    """Rules 4 and 5."""
    with pytest.raises(NoMethod, match=said) as refusal:
        account_of(record, ACME, PLUGINS)
    assert refusal.value.owner == owner
    assert "pillarbox user set" in refusal.value.cure
