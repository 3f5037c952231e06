"""What can be set, by whom, and what can't be."""

from __future__ import annotations

import pytest

from pillarbox import InvalidSettings, Role
from pillarbox.settings import form
from pillarbox_mapi import Interface, MapiSettings

FIELDS = {field.name: field for field in form(MapiSettings)}


def test_the_defaults_are_outlooks_own():
    """Its first account, by its object model, none that sends by SMTP."""
    made = MapiSettings()
    assert (made.account, made.interface, made.accept) == ("", Interface.COM, ("exchange", "http", "eas"))


@pytest.mark.parametrize(
    "given",
    [
        {"account": "no address"},
        {"on_behalf": "a@b@c"},
        {"accept": ()},
        {"accept": ("exchange", "pigeon")},
        {"send_timeout": 0},
        {"call_timeout": 601},
    ],
)
def test_what_can_not_be_is_refused(given):
    """With the field's name."""
    with pytest.raises((InvalidSettings, ValueError)) as refused:
        MapiSettings(**given)
    assert "must be" in str(refused.value)


def test_a_program_is_the_deployers_to_name():
    """A form would let a person start anything."""
    assert FIELDS["worker_command"].set_by is Role.DEPLOYER
    assert {FIELDS[name].set_by for name in ("accept", "require_match", "desktop_user")} == {
        Role.ADMINISTRATOR
    }
    assert FIELDS["account"].set_by is Role.OWNER
