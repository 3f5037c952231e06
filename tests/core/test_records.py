"""Who may change what of a record, and who typed it (rules 7, 35, 36, 38): the same for every directory."""

from __future__ import annotations

import itertools

import attrs
import pytest

from pillarbox import (
    Actor,
    Changed,
    Choice,
    Company,
    InvalidSettings,
    MemoryDirectory,
    Role,
    SettingsError,
    TomlDirectory,
    User,
)
from tests.core.doubles import Settings, plugins

ROOT, BOSS, ANNA, OTTO = (
    Actor("root", Role.DEPLOYER),
    Actor("boss", Role.ADMINISTRATOR),
    Actor("anna", Role.OWNER),
    Actor("otto", Role.OWNER),
)


@pytest.fixture(params=["memory", "toml"])
def directory(request, tmp_path):
    """Anna is From company, Otto has his own; the company's password is the deployer's variable."""
    table = {"server": "smtp.acme.example", "password": {"env": "ACME_PW"}}
    company = Company(address="orders@acme.example", method="umail", methods={"umail": table})
    own = {"umail": {"server": "mail.acme.example", "password": {"vault": "umail"}}}
    users = [
        User(id="anna", address="anna@acme.example"),
        User(id="otto", address="otto@acme.example", choice=Choice.PERSONAL, method="umail", methods=own),
    ]
    if request.param == "memory":
        return MemoryDirectory(company, users, plugins=plugins())
    made = TomlDirectory.create(tmp_path / "pillarbox.toml", company, plugins=plugins())
    for user in users:
        made.save(user, version="", by=ROOT)
    return made


def record(directory, owner):
    company, user = directory.look_up(None if owner == "company" else owner)
    return user or company


def change(directory, owner, by, **fields):
    """Change the record of *owner*; a `umail` among the fields stands for its settings."""
    before = record(directory, owner)
    if "umail" in fields:
        settings = before.methods.get("umail", Settings())
        settings = settings if isinstance(settings, Settings) else None
        made = fields.pop("umail")
        fields["methods"] = {**before.methods, "umail": attrs.evolve(settings, **made) if settings else made}
    return directory.save(attrs.evolve(before, **fields), version=before.version, by=by)


FIELDS = {
    "name": ({"name": "New"}, Role.ADMINISTRATOR),
    "address": ({"address": "new@acme.example"}, Role.ADMINISTRATOR),
    "disabled": ({"disabled": True}, Role.ADMINISTRATOR),
    "choice": ({"choice": Choice.FROM_COMPANY}, Role.OWNER),
    "method": ({"method": "none"}, Role.OWNER),
    "server": ({"umail": {"server": "new.acme.example", "password": {"vault": "umail"}}}, Role.OWNER),
    "command": ({"umail": {"command": "/bin/sh", "server": "mail.acme.example", "password": {"vault": "umail"}}}, Role.DEPLOYER),
    "policy": ({"umail": {"from_policy": "account", "server": "mail.acme.example", "password": {"vault": "umail"}}}, Role.ADMINISTRATOR),
    "env": ({"umail": {"server": "mail.acme.example", "password": {"env": "HOME"}}}, Role.DEPLOYER),
    "file": ({"umail": {"server": "mail.acme.example", "password": {"file": "/etc/shadow"}}}, Role.DEPLOYER),
    "vault": ({"umail": {"server": "mail.acme.example", "password": {"vault": "other"}}}, Role.OWNER),
    "no password": ({"umail": {"server": "mail.acme.example"}}, Role.OWNER),
    "a method that is not there": ({"methods": {"nowhere": {"x": 1}}}, Role.DEPLOYER),
    "the settings dropped": ({"methods": {}, "choice": Choice.FROM_COMPANY}, Role.OWNER),
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_a_users_record_may_be_set_by_its_role_and_those_above(directory, field):
    """Rule 35, for each role in turn, and never by another user, whatever the field."""
    fields, needed = FIELDS[field]
    for role, name in itertools.product(reversed(Role), ("otto", "anna")):
        before = record(directory, "otto")
        fields_ = dict(fields)
        methods = {"methods": {"umail": fields_.pop("umail")}} if "umail" in fields_ else {}
        after = attrs.evolve(before, **fields_, **methods)
        if role.may_act_as(needed) and (role is not Role.OWNER or name == "otto"):
            assert directory.save(after, version=before.version, by=Actor(name, role))
            directory.save(
                attrs.evolve(before, typed_by=Role.DEPLOYER),
                version=record(directory, "otto").version,
                by=ROOT,
            )
        else:
            with pytest.raises(InvalidSettings, match="can only be set by"):
                directory.save(after, version=before.version, by=Actor(name, role))
            assert record(directory, "otto") == before


@pytest.mark.parametrize("by", [ANNA, OTTO, Actor("company"), Actor("")])
@pytest.mark.parametrize(
    "fields", [{"name": "Mine"}, {"method": "none"}, {"umail": {"server": "evil.example"}}]
)
def test_a_user_changes_nothing_of_the_companys(directory, by, fields):
    """An owner is a user; the company's record is an administrator's."""
    with pytest.raises(InvalidSettings, match="can only be set by an administrator"):
        change(directory, "company", by, **fields)


def test_an_administrator_can_not_lead_the_deployers_password_elsewhere(directory):
    """The attack of whoever owns the settings form: keep the reference, change the server."""
    for field in ({"server": "evil.example"}, {"port": 2525}):
        with pytest.raises(InvalidSettings, match="can only be set by the deployer, who keeps the password"):
            change(directory, "company", BOSS, methods={"umail": {
                "server": "smtp.acme.example", "password": {"env": "ACME_PW"}, **field}})  # fmt: skip
    assert change(directory, "company", BOSS, methods={"umail": {"server": "new.acme.example"}})
    with pytest.raises(InvalidSettings, match="can only be set by"):
        change(directory, "company", BOSS, methods={"umail": {"server": "new.acme.example", "password": {"env": "ACME_PW"}}})  # fmt: skip


def test_a_company_is_called_as_the_deployer_says(directory):
    """The vault knows it by its id: another company's would open that one's secrets."""
    with pytest.raises(InvalidSettings, match=r"company\.id +can only be set by the deployer"):
        change(directory, "company", BOSS, id="other")


@pytest.mark.parametrize("by", [ANNA, OTTO, Actor("carl")])
def test_only_an_administrator_adds_users(directory, by):
    """Not even a record of one's own name."""
    with pytest.raises(InvalidSettings, match="administrator"):
        directory.save(User(id="carl"), version="", by=by)
    assert directory.save(User(id="carl"), version="", by=BOSS)


@pytest.mark.parametrize(
    "act", [lambda d, by: d.remove("otto", by=by), lambda d, by: d.rename("otto", "karl", by=by)]
)
def test_only_an_administrator_removes_and_renames(directory, act):
    """Rule 7."""
    for by in (ANNA, OTTO):
        with pytest.raises(InvalidSettings, match="by an administrator"):
            act(directory, by)
    act(directory, BOSS)
    with pytest.raises(SettingsError, match="no user 'otto'"):
        directory.look_up("otto")


def test_a_default_that_is_written_out_is_no_change(directory):
    """A form posts every field; only those that differ in effect count."""
    posted = {"server": "mail.acme.example", "password": {"vault": "umail"}, "command": "", "port": 25,
              "from_policy": None, "mailbox": ""}  # fmt: skip
    assert change(directory, "otto", OTTO, methods={"umail": posted})
    assert record(directory, "otto").typed_by is Role.DEPLOYER


def test_who_changes_a_password_has_not_typed_the_server(directory):
    """A private mail server of the deployer's stays reachable when its user gets a new password (rule 38)."""
    change(directory, "otto", OTTO, umail={"password": {"vault": "new"}, "server": "mail.acme.example"})
    assert record(directory, "otto").typed_by is Role.DEPLOYER
    change(directory, "otto", OTTO, umail={"server": "10.0.0.1"})
    assert record(directory, "otto").typed_by is Role.OWNER


def test_who_types_one_server_does_not_vouch_for_another(directory):
    """Otto typed a machine inside; the deployer's change of another method leaves it his."""
    change(directory, "otto", OTTO, umail={"server": "10.0.0.1"})
    both = {**record(directory, "otto").methods, "amail": {"server": "a.example"}}
    change(directory, "otto", ROOT, methods=both)
    assert record(directory, "otto").typed_by is Role.OWNER
    change(
        directory, "otto", ROOT, methods={"umail": {"server": "10.0.0.2"}, "amail": {"server": "b.example"}}
    )
    assert record(directory, "otto").typed_by is Role.DEPLOYER


def test_nobody_says_of_themselves_who_typed(directory):
    """typed_by in the record that is handed in is not believed."""
    for by, role in ((OTTO, Role.OWNER), (BOSS, Role.ADMINISTRATOR)):
        change(directory, "otto", by, umail={"server": f"{role.value}.example"}, typed_by=Role.DEPLOYER)
        assert record(directory, "otto").typed_by is role


def test_renaming_changes_the_id_and_nothing_else(directory):
    """Settings, and who typed them; the history is kept under both ids."""
    change(directory, "otto", OTTO, umail={"server": "10.0.0.1"})
    before = record(directory, "otto")
    directory.rename("otto", "karl", by=BOSS)
    assert record(directory, "karl") == attrs.evolve(before, id="karl")
    assert [change.what for change in directory.history("user:otto")][-1] == ("renamed to karl",)
    assert [change.what for change in directory.history("user:karl")] == [("renamed from otto",)]
    with pytest.raises(SettingsError, match="a user anna already"):
        directory.rename("karl", "anna", by=BOSS)
    with pytest.raises(InvalidSettings):
        directory.rename("karl", "a b", by=BOSS)
    with pytest.raises(SettingsError, match="no user 'nobody'"):
        directory.rename("nobody", "x", by=BOSS)


def test_settings_that_can_not_be_used_are_not_kept(directory):
    """Of any installed method that was changed, whether in use or not; what was wrong before may stay until then."""
    for fields in ({"umail": {"port": 0}}, {"amail": {"sever": "x"}}, {"amail": "x"}):
        with pytest.raises(InvalidSettings):
            change(directory, "anna", ROOT, methods=fields)
    assert record(directory, "anna").methods == {}


def test_a_stale_version_is_refused_whoever_comes(directory):
    """Also for a record that is new, or gone."""
    anna = record(directory, "anna")
    change(directory, "anna", BOSS, name="One")
    for record_, version in (
        (attrs.evolve(anna, name="Two"), anna.version),
        (anna, ""),
        (User(id="carl"), "x"),
    ):
        with pytest.raises(Changed):
            directory.save(record_, version=version, by=ROOT)
    assert record(directory, "anna").name == "One"


def test_the_history_names_each_setting_and_no_value(directory):
    """A path for each; never a secret, never a reference's target."""
    change(directory, "otto", OTTO, umail={"server": "new.example", "password": {"vault": "canary"}})
    last = directory.history("user:otto")[-1]
    assert (last.by, last.what) == ("otto", ("typed_by", "umail.password", "umail.server"))


def test_what_was_saved_is_there_for_everybody_at_once(directory):
    """The version that is returned is the one that is read."""
    version = change(directory, "anna", BOSS, name="Anna")
    assert record(directory, "anna").version == version


def test_one_users_settings_do_not_fill_the_file_that_all_share(directory):
    """A file that grew too large would stop everybody."""
    with pytest.raises(InvalidSettings, match=r"users\.otto +has .* characters of settings"):
        change(directory, "otto", OTTO, umail={"username": "x" * 70_000, "username_differs": True})
    assert record(directory, "otto").methods
