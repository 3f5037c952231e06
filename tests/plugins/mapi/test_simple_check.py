"""What `check` says of Simple MAPI: the default mail program, and whether it may send. Nothing is sent for it."""

from __future__ import annotations

import pytest

from pillarbox import Level
from pillarbox_mapi import Interface, MapiSettings, MapiTransport
from pillarbox_mapi.findings import finding_codes
from tests.plugins.mapi.world import ANNA, World


def found(folder, program=None, owner="company", mailbox="orders@acme.example", **settings):
    world = World(folder)
    world.program(**(program or {}))
    with world.transport(owner, mailbox, interface=Interface.SIMPLE, **settings) as transport:
        findings = list(transport.check())
    assert world.mails == []
    assert {one.code for one in findings} <= finding_codes().keys()
    return findings


def test_a_mail_program_is_told_and_not_asked(tmp_path):
    """Neither Outlook nor pywin32 is looked for: it needs none of them."""
    findings = found(tmp_path)
    assert [(one.stage, one.code) for one in findings] == [
        ("platform", "platform-windows"),
        ("session", "session-interactive"),
        ("attach", "mail-program-found"),
        ("accounts", "sender-unseen"),
    ]
    assert (findings[2].seen.split()[0], findings[3].level) == ("Post", Level.WARN)


def test_without_a_mail_program_it_says_so(tmp_path):
    """With what to do, and nothing further."""
    *_, attach, accounts = found(tmp_path, {"name": ""})
    assert (attach.code, attach.level, accounts.level) == ("mail-program-none", Level.FAIL, Level.SKIP)
    assert "Default apps" in attach.cure


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"owner": "user:anna", "mailbox": ANNA}, "sender-unstated"),
        ({"profile": "Work"}, "simple-choice"),
    ],
)
def test_an_account_that_may_not_send_is_told(tmp_path, given, code):
    """Here already, not by the first mail."""
    *_, accounts = found(tmp_path, **given)
    assert (accounts.code, accounts.level) == (code, Level.FAIL)
    assert accounts.cure


def test_what_a_person_stated_is_told_as_such(tmp_path):
    *_, accounts = found(tmp_path, owner="user:anna", mailbox=ANNA, account=ANNA)
    assert accounts.level is Level.WARN
    assert f"as {ANNA}, says mapi.account; nobody can check it" in accounts.seen


def test_a_worker_that_can_not_be_started_is_told():
    """And only what is asked of Simple MAPI is skipped."""
    settings = MapiSettings(interface=Interface.SIMPLE, worker_command=("/nowhere/python",))
    with MapiTransport(settings) as transport:
        findings = list(transport.check())
    assert [one.stage for one in findings] == ["platform", "session", "attach", "accounts"]
    assert findings[0].code == "worker-fault"
