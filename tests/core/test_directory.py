"""Directories: a host's own, one in memory; who is not known is refused, never served by the company."""

from __future__ import annotations

import threading

import attrs
import pytest

from pillarbox import (
    Actor,
    Choice,
    Company,
    Directory,
    InvalidSettings,
    MemoryDirectory,
    Role,
    SettingsError,
    TransportNotInstalled,
    User,
)
from pillarbox._directory import unknown_user
from tests.core.doubles import directory, plugins

ROOT = Actor("root", Role.DEPLOYER)
ACME = Company(address="orders@acme.example", method="umail", methods={"umail": {"server": "s.example"}})


class Own(Directory):
    """A host's: it answers, and leaves the rest."""

    def look_up(self, user, company=None):
        if user == "broken":
            raise InvalidSettings(["x  y"])
        if user not in {None, "anna"}:
            raise SettingsError("who?")
        return ACME, User(id="anna", method="umail") if user else None


def test_a_host_writes_one_method():
    """What it leaves is refused in a sentence, not half done."""
    own = Own()
    assert own.look_up("anna")[1].id == "anna"
    assert own.history("company") == []
    for act in (
        own.users,
        lambda: own.save(ACME, version="", by=ROOT),
        lambda: own.remove("anna", by=ROOT),
        lambda: own.rename("anna", "a", by=ROOT),
    ):
        with pytest.raises(SettingsError, match="Own can't"):
            act()


def test_a_worker_asks_for_an_owners_account():
    """The one they have now, by the method that is set; None where there is none."""
    own = Own()
    found = own.account("company")
    assert (found.owner, found.method, found.mailbox) == ("company", "umail", "orders@acme.example")
    assert own.account("user:anna").owner == "user:anna"
    assert own.account("user:nobody") is None
    with pytest.raises(InvalidSettings):
        own.account("user:broken")


@pytest.mark.parametrize("user", ["ana", "", "ANNA", "anna ", 5, b"anna", "x" * 5000, "\x1b[2J"])
def test_who_is_not_known_is_refused(user):
    """Exactly, whatever it is; the refusal is short and plain (rule 3)."""
    with pytest.raises(SettingsError, match="There is no user") as refusal:
        directory().look_up(user)
    assert len(str(refusal.value)) < 400
    assert "\x1b" not in str(refusal.value)


def test_a_guess_among_a_hundred_thousand_costs_no_time():
    """Only those are compared that could be meant."""
    known = [f"user{number}" for number in range(100_000)]
    assert "Did you mean user7?" in str(unknown_user("usr7", ["anna", *known[:20]]))
    compared = []

    class Counted(str):
        __slots__ = ()

        def __len__(self):
            compared.append(1)
            return super().__len__()

    unknown_user("zzzz", map(Counted, known))
    assert compared == []


def test_another_company_is_refused():
    """One directory in memory is one company (rule 8)."""
    one = MemoryDirectory(attrs.evolve(ACME, id="acme"), plugins=plugins())
    assert one.look_up(None, "acme")[0].id == "acme"
    with pytest.raises(SettingsError, match="no company 'other'"):
        one.look_up(None, "other")
    assert one.account("company", "other") is None


def test_two_users_of_one_id_are_a_mistake():
    """Not the one that happens to come last."""
    with pytest.raises(SettingsError, match="a user anna already"):
        MemoryDirectory(ACME, [User(id="anna"), User(id="anna")])


def test_users_come_in_pages_and_can_be_searched():
    """In the order of their ids, by any part of id, name or address, in any case."""
    users = [User(id=f"u{n}", name=f"Name {n}", address=f"a{n}@acme.example") for n in range(5)]
    found = MemoryDirectory(ACME, reversed(users), plugins=plugins())
    assert [user.id for user in found.users(limit=2)] == ["u0", "u1"]
    assert [user.id for user in found.users(after="u1", limit=2)] == ["u2", "u3"]
    assert [user.id for user in found.users(search="NAME 3")] == ["u3"]
    assert [user.id for user in found.users(search="a4@")] == ["u4"]
    assert found.users(limit=0) == found.users(search="nobody") == []


def test_what_a_host_gives_in_code_is_the_deployers():
    """It may name a server inside; what is saved later is its author's."""
    found = directory(users=(User(id="otto", typed_by=Role.OWNER),))
    assert found.look_up("otto")[1].typed_by is Role.DEPLOYER


def test_threads_that_change_different_records_lose_nothing():
    """And readers always see whole ones."""
    found = MemoryDirectory(ACME, [User(id=f"u{n}") for n in range(8)], plugins=plugins())

    def work(name):
        for number in range(50):
            before = found.look_up(name)[1]
            found.save(attrs.evolve(before, name=str(number)), version=before.version, by=ROOT)

    threads = [threading.Thread(target=work, args=(f"u{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {user.name for user in found.users()} == {"49"}
    assert sum(len(found.history(f"user:u{n}")) for n in range(8)) == 400


def test_a_new_user_is_saved_with_no_version():
    """And then has one."""
    found = directory()
    version = found.save(User(id="carl", choice=Choice.PERSONAL, method="umail", address="c@acme.example"), version="", by=ROOT)  # fmt: skip
    assert found.look_up("carl")[1].version == version


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"PILLARBOX_METHOD": "umial"}, TransportNotInstalled),
        ({"PILLARBOX_URL": "smtp://u:hunter2@host"}, InvalidSettings),
        ({"PILLARBOX_ADDRESS": "no address"}, InvalidSettings),
        ({"PILLARBOX_REPLY_TO": "a@b.example\r\nBcc: x@y.example"}, InvalidSettings),
        ({"PILLARBOX_METHOD": "UMAIL "}, TransportNotInstalled),
    ],
)
def test_an_environment_that_can_not_be_used_is_refused(environ, error):
    """At once, in a sentence, without what stands in it."""
    with pytest.raises(error) as refusal:
        MemoryDirectory.from_environ(environ, plugins=plugins())
    assert "hunter2" not in str(refusal.value)


def test_an_environment_may_give_a_url_and_name_the_company():
    """Another prefix too, for two in one process."""
    environ = {"ACME_URL": "umail://s.example", "ACME_NAME": "Acme", "ACME_REPLY_TO": "desk@acme.example",
               "ACME_ADDRESS": "orders@acme.example", "PILLARBOX_NAME": "Other"}  # fmt: skip
    company, _ = MemoryDirectory.from_environ(environ, "ACME_", plugins=plugins()).look_up(None)
    assert (company.name, company.address, company.reply_to, company.method) == (
        "Acme", "orders@acme.example", "desk@acme.example", "umail",
    )  # fmt: skip
