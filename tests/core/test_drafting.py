"""Settings that are not saved yet: whether they could be, where they would lead, and secrets that were only typed."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import (
    Actor,
    Choice,
    Company,
    Finding,
    InvalidSettings,
    Level,
    MemoryVault,
    Role,
    SettingsError,
    User,
)
from tests.core.doubles import SECRET, mailer, slow
from tests.core.signing_in import Provider, office

ADMINISTRATOR = Actor("petra", Role.ADMINISTRATOR)


def drafts(**more):
    sends = mailer(vault=MemoryVault(), **more)
    return sends, *sends.directory.look_up("anna")


def test_settings_lead_somewhere_before_they_are_saved():
    """The user's own, and the company's for each of its users; what is kept stays as it is."""
    sends, company, anna = drafts()
    personal = attrs.evolve(anna, choice=Choice.PERSONAL, method="amail")
    kept = sends.would_keep(personal, by=ADMINISTRATOR)
    assert (sends.explain(as_if=kept).account.owner, sends.explain("anna").account.owner) == (
        "user:anna",
        "company",
    )
    other = sends.would_keep(attrs.evolve(company, method="amail", methods={}), by=ADMINISTRATOR)
    assert sends.explain("anna", as_if=other).account.method == "amail"
    assert sends.explain(as_if=other).user is None
    assert sends.directory.look_up("anna") == (company, anna)


def test_a_user_who_is_not_there_yet():
    """Can be explained as well; one's settings are not another's."""
    sends, *_ = drafts()
    otto = sends.would_keep(User(id="otto", address="otto@acme.example"), by=ADMINISTRATOR)
    assert str(sends.explain(as_if=otto).from_address) == "otto@acme.example"
    with pytest.raises(SettingsError, match="otto is not anna"):
        sends.explain("anna", as_if=otto)


def test_what_could_not_be_saved_is_refused_the_same():
    """By its fields, and by who asks: nobody looks with settings that they may not set."""
    sends, company, _ = drafts()
    with pytest.raises(InvalidSettings, match="port"):
        sends.would_keep(attrs.evolve(company, methods={"umail": {"port": 0}}), by=ADMINISTRATOR)
    with pytest.raises(InvalidSettings, match=r"command +can only be set by the deployer"):
        sends.would_keep(attrs.evolve(company, methods={"umail": {"command": "/bin/sh"}}), by=ADMINISTRATOR)
    with pytest.raises(InvalidSettings, match="administrator"):
        sends.would_keep(company, by=Actor("anna"))
    with pytest.raises(InvalidSettings, match="administrator"):
        sends.would_keep(User(id="otto"), by=Actor("otto"))


def test_it_is_known_who_typed_a_server():
    """So that a look at it goes where this person may let it go, and nowhere else (rule 38)."""
    sends, company, _ = drafts()
    typed = attrs.evolve(company, methods={"umail": {"server": "10.0.0.1"}})
    assert company.typed_by is Role.DEPLOYER
    assert sends.would_keep(typed, by=ADMINISTRATOR).typed_by is Role.ADMINISTRATOR


def test_a_typed_secret_is_tried_before_it_replaces_the_one_that_is_kept():
    """It is blotted out of what is found, and nothing of it stays."""

    def look(self):
        yield Finding("sign-in", Level.OK, "x", f"signed in with {self.credentials.secret('password')}")

    sends = mailer(slow(check=look), vault=MemoryVault())
    found = list(sends.check("anna", typed={"password": SECRET}))
    assert "signed in with" in found[1].seen
    assert SECRET not in str(found)
    assert list(sends.check("anna"))[1].code == "check-stopped"
    assert sends.vault.names("") == []


def test_secrets_that_have_to_be_typed_again():
    """None yet; then one that is there; then one that was for another server (rule 36)."""
    sends, company, _ = drafts()
    assert sends.lacking_secrets(Company()) == ()
    table = {"username": "orders@acme.example", "password": {"vault": "umail"}}
    company = sends.would_keep(attrs.evolve(company, methods={"umail": table}), by=ADMINISTRATOR)
    assert sends.lacking_secrets(company) == ("password",)
    sends.directory.save(company, version=sends.directory.look_up(None)[0].version, by=ADMINISTRATOR)
    sends.keep_secret(company, "password", SECRET)
    assert sends.lacking_secrets(company) == ()
    moved = attrs.evolve(company, methods={"umail": table | {"server": "evil.example"}})
    assert sends.lacking_secrets(sends.would_keep(moved, by=ADMINISTRATOR)) == ("password",)


def test_at_whose_page_an_account_signs_in():
    """A word for people; nothing where a password does."""
    assert office(Provider()).connects() == "Testmail"
    assert mailer().connects() == ""
