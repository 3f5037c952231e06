"""TomlDirectory: fresh, the same objects while nothing changed, changed by one at a time, with a history."""

from __future__ import annotations

import os
import threading

import attrs
import pytest

from pillarbox import (
    Actor,
    Changed,
    Choice,
    Company,
    InvalidSettings,
    Role,
    SettingsError,
    TomlDirectory,
    User,
)
from tests import access, forking, systems
from tests.core.doubles import DEPLOYER, GOOD, opened, plugins


def test_it_answers_for_the_company_and_its_users(path):
    """Records as they stand in the file, settings structured."""
    company, otto = opened(path).look_up("otto")
    assert (company.method, company.methods["umail"].server) == ("umail", "smtp.acme.example")
    assert (otto.choice, otto.methods["umail"].server) == (Choice.PERSONAL, "mail.acme.example")
    assert company.typed_by is otto.typed_by is Role.DEPLOYER


def test_an_unknown_user_is_refused_with_a_guess(path):
    """Rule 3: never served by the company."""
    with pytest.raises(SettingsError, match="Did you mean anna"):
        opened(path).look_up("ana")


def test_it_gives_the_same_objects_until_the_file_changes(path):
    """So that a mailer can know what it knew."""
    directory = opened(path)
    assert directory.look_up("anna")[1] is directory.look_up("anna")[1]
    path.write_text(GOOD.replace("Anna Berg", "Anna Lind"), "utf-8")
    assert directory.look_up("anna")[1].name == "Anna Lind"


def test_two_editors_at_once_are_told(path):
    """The second one's version is old."""
    first, second = opened(path), opened(path)
    anna = first.look_up("anna")[1]
    first.save(attrs.evolve(anna, name="One"), version=anna.version, by=DEPLOYER)
    with pytest.raises(Changed):
        second.save(attrs.evolve(anna, name="Two"), version=anna.version, by=DEPLOYER)
    assert opened(path).look_up("anna")[1].name == "One"


def test_changes_of_different_records_do_not_collide(path):
    """Only the record that was edited counts."""
    directory = opened(path)
    anna, otto = directory.look_up("anna")[1], directory.look_up("otto")[1]
    directory.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
    directory.save(attrs.evolve(otto, name="O"), version=otto.version, by=DEPLOYER)
    assert [directory.look_up(user)[1].name for user in ("anna", "otto")] == ["A", "O"]


def test_many_threads_lose_no_change(path):
    """A lock and the version: twenty users are added by four threads."""
    directory = opened(path)

    def add(start):
        for number in range(start, 20, 4):
            directory.save(User(id=f"u{number}"), version="", by=DEPLOYER)

    threads = [threading.Thread(target=add, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(opened(path).users(limit=100)) == 22


def test_a_bad_change_writes_nothing(path):
    """The file stays as it was, to the octet."""
    directory = opened(path)
    company, _ = directory.look_up(None)
    with pytest.raises(InvalidSettings):
        directory.save(
            attrs.evolve(company, methods={"umail": {"port": 0}}), version=company.version, by=DEPLOYER
        )
    assert path.read_text() == GOOD


@pytest.mark.parametrize(
    ("change", "role", "allowed"),
    [
        ({"address": "ceo@acme.example"}, Role.OWNER, False),
        ({"address": "a@acme.example"}, Role.ADMINISTRATOR, True),
        ({"disabled": True}, Role.OWNER, False),
        (
            {"choice": Choice.PERSONAL, "method": "umail", "methods": {"umail": {"server": "evil.example"}}},
            Role.OWNER,
            True,
        ),
        ({"methods": {"umail": {"command": "/bin/sh"}}}, Role.ADMINISTRATOR, False),
        ({"methods": {"umail": {"password": {"file": "/etc/passwd"}}}}, Role.OWNER, False),
        ({"methods": {"umail": {"password": {"env": "HOME"}}}}, Role.ADMINISTRATOR, False),
        ({"methods": {"umail": {"password": {"vault": "umail"}}}}, Role.OWNER, True),
        ({"methods": {"nowhere": {"x": 1}}}, Role.OWNER, False),
    ],
)
def test_who_may_change_what(path, change, role, allowed):
    """Rule 35, on every way that leads to save."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    act = attrs.evolve(anna, **change)
    if allowed:
        assert directory.save(act, version=anna.version, by=Actor("anna", role))
        return
    with pytest.raises(InvalidSettings, match="can only be set by"):
        directory.save(act, version=anna.version, by=Actor("anna", role))
    assert path.read_text() == GOOD


def test_what_a_person_typed_is_marked_as_theirs(path):
    """Rule 38 needs to know: the host may name a machine inside."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    directory.save(
        attrs.evolve(anna, methods={"umail": {"server": "10.0.0.1"}}), version=anna.version, by=Actor("anna")
    )
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER
    again = opened(path).look_up("anna")[1]
    directory.save(attrs.evolve(again, name="A"), version=again.version, by=DEPLOYER)
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER, (
        "a change of the name does not vouch for the server"
    )


def test_nobody_can_mark_their_own_typing_as_the_deployers(path):
    """typed_by in the record that is handed over is not believed."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    trick = attrs.evolve(anna, methods={"umail": {"server": "10.0.0.1"}}, typed_by=Role.DEPLOYER)
    directory.save(trick, version=anna.version, by=Actor("anna"))
    assert opened(path).look_up("anna")[1].typed_by is Role.OWNER


def test_the_history_says_who_changed_what(path):
    """And outlives the user (rule 7)."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    directory.save(attrs.evolve(anna, name="A"), version=anna.version, by=Actor("bob", Role.ADMINISTRATOR))
    directory.remove("anna", by=DEPLOYER)
    changes = directory.history("user:anna")
    assert [(change.by, change.what) for change in changes] == [
        ("bob", ("name",)),
        ("root", ("address", "name")),
    ]
    assert access.mode(path.with_name("pillarbox.history.jsonl")) == 0o600


def test_create_overwrites_nothing(path):
    """Not a file, not a dangling link."""
    with pytest.raises(SettingsError, match="exists already"):
        TomlDirectory.create(path, Company())
    assert path.read_text() == GOOD


@pytest.mark.parametrize("moment", ["before", "behind"])
def test_an_editor_that_writes_at_the_same_time_loses_nothing(path, moment):
    """Somebody's editor takes no lock of ours: what it wrote stays, and the change is to be repeated."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    edited = GOOD.replace("Otto likes his own", "Otto has his own")

    class Meddling(TomlDirectory):
        def _refuse_moved(self, found, stamp):
            super()._refuse_moved(found, stamp)
            if self.checks == 0 and moment == "before":
                path.write_text(edited)
            self.checks += 1

        checks = 0

    meddling = Meddling(path, plugins=plugins())
    if moment == "behind":
        meddling.look_up("anna")
        path.write_text(edited)
        assert meddling.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
        assert "has his own" in path.read_text()
        return
    with pytest.raises(Changed, match="written by somebody else"):
        meddling.save(attrs.evolve(anna, name="A"), version=anna.version, by=DEPLOYER)
    assert path.read_text() == edited


def test_a_file_that_was_only_touched_gives_the_same_objects(path):
    """What a mailer remembers of them stays good."""
    directory = opened(path)
    anna = directory.look_up("anna")[1]
    os.utime(path)
    access.give(path, 0o640)
    assert directory.look_up("anna")[1] is anna


def test_a_history_that_can_not_be_written_undoes_nothing(path):
    """The change stands; the warning is for the log."""
    path.with_name("pillarbox.history.jsonl").mkdir()
    opened(path).save(User(id="new"), version="", by=DEPLOYER)
    assert opened(path).look_up("new")[1]


def test_a_line_of_the_history_that_was_cut_is_left_out(path):
    """A crash in the middle of a line costs that line."""
    directory = opened(path)
    directory.save(User(id="one"), version="", by=DEPLOYER)
    history = path.with_name("pillarbox.history.jsonl")
    history.write_text(history.read_text() + '{"at": "2026-11-24T09:00:00+00:00", "by": "ro\n[1]\n\n{}\n')
    directory.save(User(id="two"), version="", by=DEPLOYER)
    assert [len(directory.history(f"user:{name}")) for name in ("one", "two")] == [1, 1]


def test_a_created_file_is_the_deployers(tmp_path):
    """Whoever makes it may name a server inside; nobody else reads it."""
    made = TomlDirectory.create(tmp_path / "new.toml", Company(method="umail"), plugins=plugins())
    assert made.look_up(None)[0].typed_by is Role.DEPLOYER
    assert access.mode(made.path) == 0o600
    assert "typed_by" not in made.path.read_text()


def test_a_broken_file_does_not_say_that_an_account_is_gone(path):
    """A worker would hold every entry for it."""
    directory = opened(path)
    assert directory.account("user:otto").mailbox == "otto@acme.example"
    assert directory.account("user:nobody") is None
    assert directory.account("user:anna") is None
    path.write_text("[company")
    with pytest.raises(InvalidSettings):
        directory.account("user:otto")
    path.unlink()
    with pytest.raises(SettingsError):
        directory.account("user:otto")


@systems.forks
def test_a_forked_child_reads_the_file_though_another_thread_of_its_parent_was_reading(path):
    """The lock of that thread is not in the child's way."""
    directory = opened(path)
    held, release = threading.Event(), threading.Event()

    def read():
        with directory._guard:
            held.set()
            release.wait(30)

    def look_up():
        assert directory.look_up("anna")[1].name == "Anna Berg"

    thread = threading.Thread(target=read)
    thread.start()
    held.wait(10)
    child = forking.child(look_up)
    release.set()
    thread.join()
    assert forking.ended(child) == 0
