"""What has to be there before the first mail leaves by the new method."""

from __future__ import annotations

import attrs

from pillarbox import Level

from .scene import ANNA, ByUser, Settings, connection, found, learned, mailer


def test_a_method_that_is_not_installed(absent):
    """Ours with the pip command; nothing else can be said of it."""
    (told,) = found(mailer(), absent).values()
    assert (told[0].code, told[0].level, told[0].exit_code) == ("change-not-installed", Level.FAIL, 69)
    assert f"pip install pillarbox-{absent}" in told[0].cure


def test_a_method_of_another_platform():
    """The worker may run elsewhere."""

    class Far(ByUser):
        settings: Settings
        label = "Far"
        platforms = ("plan9",)

    assert found(mailer(extra={"far": Far}), "far")["change-elsewhere"][0].level is Level.WARN


def test_settings_that_are_lacking_are_named_and_the_rest_is_thought_through():
    """What is filled in for that is shown nowhere."""
    told = found(mailer(ANNA, method="amail"), "needs")
    assert told["change-settings"][0].seen == "company.needs.server is required"
    assert "pillarbox suggest orders@acme.example" in told["change-settings"][0].cure
    assert "would show anna@acme.example" in told["change-from"][0].seen
    assert "later.invalid" not in str(told)


def test_settings_of_an_earlier_time_are_used():
    """They are still there."""
    box = mailer(methods={"needs": {"server": "mail.acme.example"}})
    assert "change-settings" not in found(box, "needs")


def test_an_account_that_connects_has_to_be_connected():
    """By whom, and how."""
    told = found(mailer(), "strict")
    assert (
        told["change-connect"][0].seen
        == "orders@acme.example has to sign in once; until then nothing is sent"
    )
    assert told["change-connect"][0].cure == "Run: pillarbox company connect"


def test_a_connector_that_is_missing_is_told():
    """Or a registration."""
    told = found(mailer(connectors=False), "strict")
    assert told["change-registration"][0].level is Level.FAIL


def test_a_sign_in_that_is_there_is_enough():
    """As who has to be."""
    box = learned(mailer(), company=connection())
    assert found(box, "strict")["change-connected"][0].seen == "connected as orders@acme.example"


def test_a_sign_in_of_another_connector_does_not_count():
    """It is another provider's."""
    box = learned(mailer(), company=attrs.evolve(connection(), connector="other"))
    assert "change-connect" in found(box, "strict")


def test_a_sign_in_that_was_granted_too_little_is_told():
    """As check tells it, with what is lacking."""
    box = learned(mailer(), company=connection(scopes=("send",)))
    told = found(box, "strict")["grant-short"][0]
    assert (told.level, told.seen) == (Level.FAIL, "not granted: look")


def test_a_sign_in_that_has_ended_has_to_be_made_again():
    """The provider gives no more tokens."""
    ended = attrs.evolve(connection(), refused="It was revoked.")
    told = found(learned(mailer(), company=ended), "strict")
    assert told["change-connect"][0].seen == "orders@acme.example has to sign in again: It was revoked."
    assert "change-connected" not in told
