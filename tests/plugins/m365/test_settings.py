"""What may be set for an account."""

from __future__ import annotations

import pytest

from pillarbox import InvalidSettings, Role
from pillarbox.settings import destination, form, structure
from pillarbox_m365 import M365Settings, Mode


def test_nothing_has_to_be_set() -> None:
    """The owner's address is the mailbox, a person signs in, a copy is kept."""
    made = structure(M365Settings, {})
    assert (made.mailbox, made.mode, made.save_sent) == ("", Mode.PERSON, True)


def test_a_shared_mailbox() -> None:
    """It stands beside who signs in."""
    made = structure(M365Settings, {"mailbox": " orders@acme.example ", "signs_in_as": "anna@acme.example"})
    assert (made.mailbox, made.signs_in_as) == ("orders@acme.example", "anna@acme.example")


@pytest.mark.parametrize(
    "table", [{"mailbox": "orders"}, {"signs_in_as": "a b@c.example"}, {"mode": "robot"}]
)
def test_what_is_none_is_refused(table: dict[str, str]) -> None:
    """With a sentence that names the field."""
    with pytest.raises(InvalidSettings, match=next(iter(table))):
        structure(M365Settings, table)


def test_nobody_signs_in_for_the_application() -> None:
    """With mode = app a person's name has no meaning."""
    with pytest.raises(InvalidSettings, match="nobody signs in"):
        structure(
            M365Settings, {"mode": "app", "mailbox": "o@acme.example", "signs_in_as": "anna@acme.example"}
        )


def test_who_signs_in_for_whom_is_not_the_owners_to_say() -> None:
    """The application's own rights reach every mailbox: nobody but the deployer chooses them, and no owner another mailbox."""
    roles = {field.name: field.set_by for field in form(M365Settings)}
    assert (roles["mode"], roles["mailbox"]) == (Role.DEPLOYER, Role.ADMINISTRATOR)


def test_a_sign_in_is_bound_to_the_mailbox_and_the_mode() -> None:
    """It is not released for another."""
    assert destination(M365Settings(mailbox="o@acme.example")) == {
        "mailbox": "o@acme.example",
        "mode": "person",
    }
