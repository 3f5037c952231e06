"""Settings and secrets in Django's database, by the rules that every directory keeps; and the admin over them."""

from __future__ import annotations

import json
import threading

import attrs
import pytest
from django.test import Client

from pillarbox import (
    Actor,
    Changed,
    Choice,
    Company,
    InvalidSettings,
    Mailer,
    Plugins,
    Role,
    SettingsError,
    User,
    Vault,
)
from pillarbox.testing import MemoryTransport, VaultContract
from pillarbox_django import DjangoDirectory, DjangoRows
from pillarbox_django.models import CompanySettings, SealedSecret, SettingsChange, UserSettings
from pillarbox_vault import FileKey, SealedVault

# Django's connections are their threads' to close; those of the contract's cases end without a word (see conftest).
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PETRA = Actor("petra", Role.ADMINISTRATOR)
ANNA = User(id="anna", address="anna@acme.example", name="Anna Berg")
SMTP = {"server": "smtp.acme.example", "username": "orders@acme.example", "password": {"vault": "smtp"}}


@pytest.fixture
def empty(tables, settings_of):
    for model in (UserSettings, CompanySettings, SettingsChange, SealedSecret):
        model.objects.all().delete()


@pytest.fixture
def directory(empty):
    made = DjangoDirectory()
    company, _ = made.look_up(None)
    made.save(
        attrs.evolve(
            company, address="orders@acme.example", name="Acme", method="smtp", methods={"smtp": SMTP}
        ),
        version=company.version,
        by=PETRA,
    )
    made.save(ANNA, version="", by=PETRA)
    return made


def test_what_is_saved_is_found_by_every_process(directory):
    company, anna = DjangoDirectory().look_up("anna")
    assert (company.methods["smtp"]["server"], anna.address) == ("smtp.acme.example", "anna@acme.example")
    again = directory.look_up("anna")
    assert again[1] is directory.look_up("anna")[1]
    assert company.typed_by is Role.ADMINISTRATOR


def test_the_rules_of_every_directory_hold(directory):
    """Unknown users, others' records, fields of the deployer, what can't be used."""
    with pytest.raises(SettingsError, match="nobody"):
        directory.look_up("nobody")
    with pytest.raises(SettingsError, match="no company"):
        directory.look_up(None, "other")
    _, anna = directory.look_up("anna")
    with pytest.raises(InvalidSettings, match="administrator"):
        directory.save(attrs.evolve(anna, name="CEO"), version=anna.version, by=Actor("anna"))
    with pytest.raises(InvalidSettings, match="anna or an administrator"):
        directory.save(attrs.evolve(anna, choice=Choice.PERSONAL), version=anna.version, by=Actor("otto"))
    company, _ = directory.look_up(None)
    broken = attrs.evolve(company, methods={"smtp": {**SMTP, "port": 0}})
    with pytest.raises(InvalidSettings, match="port"):
        directory.save(broken, version=company.version, by=PETRA)
    own = attrs.evolve(company, methods={"smtp": {**SMTP, "ca_file": "/etc/x"}})
    with pytest.raises(InvalidSettings, match="deployer"):
        directory.save(own, version=company.version, by=PETRA)


def test_two_who_save_at_once_are_told(directory):
    """Eight threads, one version: one is right."""
    _, anna = directory.look_up("anna")
    ended = []

    def save(number):
        from django.db import connections

        try:
            directory.save(attrs.evolve(anna, name=f"A{number}"), version=anna.version, by=PETRA)
            ended.append("saved")
        except Changed:
            ended.append("changed")
        except Exception as error:  # noqa: BLE001  (SQLite may be busy, which is no answer to the question)
            ended.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert ended.count("saved") == 1
    with pytest.raises(Changed):
        directory.save(attrs.evolve(anna, name="late"), version=anna.version, by=PETRA)


def test_users_are_listed_found_renamed_and_removed_with_their_history(directory):
    directory.save(User(id="otto", name="Otto Lind"), version="", by=PETRA)
    assert [one.id for one in directory.users()] == ["anna", "otto"]
    assert [one.id for one in directory.users(after="anna")] == ["otto"]
    assert [one.id for one in directory.users(search="LIND")] == ["otto"]
    directory.rename("otto", "otto.lind", by=PETRA)
    with pytest.raises(SettingsError, match="already"):
        directory.rename("anna", "otto.lind", by=PETRA)
    directory.remove("otto.lind", by=PETRA)
    assert [one.what for one in directory.history("user:otto")][-1] == ("renamed to otto.lind",)
    assert [one.by for one in directory.history("company")] == ["petra"]


class TestVault(VaultContract):
    """The contract that every vault keeps, over these rows."""

    @pytest.fixture(autouse=True)
    def _empty(self, empty):
        return

    def make_vault(self, folder) -> Vault:
        key = FileKey(folder / "key")
        vault = SealedVault(DjangoRows(), key)
        if not (folder / "key").exists():
            vault.create_key(key)
        return vault


def test_a_mailer_over_the_models_sends(directory, tmp_path, settings_of):
    from pillarbox_django import get_mailer

    company, _ = directory.look_up(None)
    directory.plugins = Plugins(extra={"memory": MemoryTransport})
    settings_of(PILLARBOX={"models": True, "outbox": tmp_path / "outbox.sqlite3"})
    mailer = get_mailer()
    assert isinstance(mailer.directory, DjangoDirectory)
    assert str(mailer.explain("anna").from_address) == "Anna Berg <anna@acme.example>"
    assert company.name == "Acme"


@pytest.fixture
def admin(directory):
    from django.contrib.auth.models import User as Member

    Member.objects.filter(username="root").delete()
    client = Client()
    client.force_login(Member.objects.create_superuser("root", password="x"))
    return client


def test_the_admin_saves_by_the_rules_and_says_who(admin, directory):
    row = UserSettings.objects.get(user="anna")
    path = f"/admin/pillarbox_django/usersettings/{row.pk}/change/"
    assert "anna@acme.example" in admin.get(path).content.decode()
    table = {"address": "anna@acme.example", "name": "Anna Lind"}
    answer = admin.post(path, {"settings": json.dumps(table)})
    assert answer.status_code == 302
    assert directory.look_up("anna")[1].name == "Anna Lind"
    assert directory.history("user:anna")[-1].by == "root"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"address": "no address"}, "address"),
        ({"smtp": {"port": 0}}, "port"),
        ({"adress": "x"}, "adress"),
        ([], "table"),
        ({"smtp": {**SMTP, "ca_file": "/etc/shadow"}}, "deployer"),
        ({"smtp": {**SMTP, "password": "in clear"}}, "in clear"),
    ],
)
def test_the_admin_refuses_in_words_what_cannot_be_used(admin, directory, table, said):
    before = CompanySettings.objects.get().settings
    answer = admin.post(
        "/admin/pillarbox_django/companysettings/company/change/", {"settings": json.dumps(table)}
    )
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert CompanySettings.objects.get().settings == before


def test_nobody_says_in_the_admin_who_typed_the_settings(admin, directory):
    """A server that an administrator typed stays one that is looked at (rule 38)."""
    table = {"address": "orders@acme.example", "method": "smtp", "smtp": SMTP, "typed_by": "deployer"}
    admin.post("/admin/pillarbox_django/companysettings/company/change/", {"settings": json.dumps(table)})
    assert directory.look_up(None)[0].typed_by is Role.ADMINISTRATOR


def test_the_history_is_only_read(admin, directory):
    assert admin.get("/admin/pillarbox_django/settingschange/").status_code == 200
    assert admin.get("/admin/pillarbox_django/settingschange/add/").status_code == 403
    one = SettingsChange.objects.first()
    assert (
        admin.post(f"/admin/pillarbox_django/settingschange/{one.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_a_company_that_nobody_has_set_up_sends_nothing(empty):
    with pytest.raises(SettingsError, match="None"):
        Mailer(DjangoDirectory()).explain()
    assert isinstance(DjangoDirectory().look_up(None)[0], Company)
