"""What `check` says of the computer, and of the Outlook that runs."""

from __future__ import annotations

import sys

import pytest

from pillarbox import Level
from pillarbox.testing.outlook import FakeAccount, Fault
from pillarbox_mapi import MapiSettings, MapiTransport
from pillarbox_mapi.check import at_rest
from pillarbox_mapi.findings import finding_codes
from pillarbox_mapi.meanings import AT_START, MEANINGS
from tests.plugins.mapi.world import BOTH, World

MANY = 1_000_000
WELL = {
    "platform": "win32",
    "pywin32": True,
    "session": 1,
    "clsid": "{0006F03A}",
    "executable": r"C:\Office\OUTLOOK.EXE",
    "is_there": True,
    "new_outlook": False,
}


def told(found):
    found = list(found)
    assert {one.code for one in found} <= finding_codes().keys()
    assert all(one.cure for one in found if one.level is Level.FAIL)
    return {one.stage: one.code for one in found}


def looked(folder, accounts=BOTH, owner="company", mailbox="orders@acme.example", settings=None, **world):
    """Return what the check of an account finds, by the real worker process."""
    limits = {"attach_timeout": 2.0, "call_timeout": 1.0}
    with World(folder, accounts, **world).transport(
        owner, mailbox, **limits, **(settings or {})
    ) as transport:
        return told(transport.check())


def test_all_is_well(tmp_path):
    """Stage by stage, in order."""
    assert list(looked(tmp_path).items()) == [
        ("platform", "platform-windows"),
        ("pywin32", "pywin32-found"),
        ("session", "session-interactive"),
        ("outlook", "outlook-registered"),
        ("new-outlook", "new-outlook-off"),
        ("attach", "attached"),
        ("profile", "profile-open"),
        ("accounts", "accounts-found"),
        ("offline", "online"),
        ("trust", "trusted"),
    ]


@pytest.mark.parametrize(
    ("stage", "facts", "code"),
    [
        ("platform", {"platform": "linux"}, "platform-other"),
        ("pywin32", {"pywin32": False}, "pywin32-missing"),
        ("session", {"session": 0}, "session-of-services"),
        ("session", {"session": None}, "session-unknown"),
        ("outlook", {"clsid": ""}, "outlook-missing"),
        ("outlook", {"is_there": False}, "outlook-program-missing"),
        ("new-outlook", {"new_outlook": True}, "new-outlook-on"),
    ],
)
def test_the_computer_is_looked_at_without_starting_anything(stage, facts, code):
    """Each fact under its own code."""
    assert told(at_rest({**WELL, **facts}))[stage] == code


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        pytest.param(code, row.finding, id=f"0x{code:08X}")
        for code, row in {**MEANINGS, **AT_START}.items()
        if row.finding not in {"file-not-found", "outlook-old"} or code in AT_START
    ],
)
def test_an_outlook_that_does_not_answer_is_told_by_its_code(tmp_path, code, finding):
    """What comes of the activation, or of the logon."""
    member = ("NameSpace", "Logon") if finding.startswith("profile") else ("Class", "Activate")
    assert looked(tmp_path, faults=[Fault(*member, hresult=code, times=MANY)])["attach"] == finding


@pytest.mark.parametrize(
    ("code", "finding"),
    [(0x80004004, "guard-denied"), (0x80020006, "outlook-old"), (0x8000FFFF, "attach-failed")],
)
def test_what_is_refused_behind_the_logon_is_told(tmp_path, code, finding):
    """The guard, a member that an old Outlook lacks, and what nobody knows."""
    faults = [Fault("Application", "IsTrusted", hresult=code, times=MANY)]
    assert looked(tmp_path, faults=faults)["attach"] == finding


@pytest.mark.parametrize(
    ("accounts", "owner", "settings", "code"),
    [
        ((), "company", {}, "accounts-none"),
        (BOTH, "company", {"account": "other@acme.example"}, "account-missing"),
        (BOTH, "user:anna", {"account": "orders@acme.example"}, "account-differs"),
        ((FakeAccount("pop@acme.example", kind=2),), "company", {}, "account-kind"),
    ],
)
def test_an_account_that_may_not_send_is_told(tmp_path, accounts, owner, settings, code):
    """Before anything is prepared."""
    mailbox = "anna@acme.example" if owner.startswith("user") else "orders@acme.example"
    assert looked(tmp_path, accounts, owner, mailbox, settings)["accounts"] == code


def test_doubts_are_told(tmp_path):
    """Offline, without trust, without a profile."""
    found = looked(tmp_path, offline=True, trusted=False, profile="")
    assert (found["offline"], found["trust"], found["profile"]) == (
        "offline",
        "trust-doubtful",
        "profile-none",
    )


def test_a_worker_that_can_not_be_started_is_told():
    """It is not called another system."""
    with MapiTransport(MapiSettings(worker_command=("/nowhere/python",))) as transport:
        assert told(transport.check())["platform"] == "worker-fault"


@pytest.mark.skipif(sys.platform == "win32", reason="there it goes on; see the others here")
def test_off_windows_it_is_said_at_once():
    """Without a worker of one's own."""
    with MapiTransport(MapiSettings()) as transport:
        found = told(transport.check())
    assert found["platform"] == "platform-other"
    assert set(found.values()) == {"platform-other", "not-reached"}
