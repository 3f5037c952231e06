"""check(): the settings first, then what the method looks at; every fault is a finding, nothing is sent."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from email.utils import format_datetime

import pytest

from pillarbox import (
    Company,
    Finding,
    Level,
    Mailer,
    MemoryDirectory,
    SendDeferred,
    SettingsError,
    SignInNeeded,
    Unavailable,
    User,
    _check,
)
from pillarbox._check import FINDINGS
from tests.core.doubles import SECRET, Known, mailer, plugins, slow


def checked(check, **attributes):
    """Return what a method's *check*, a generator function of a transport, leads to, without the settings' finding."""
    closed = []
    method = slow(check=check, close=lambda self: closed.append(1), **attributes)
    first, *rest = list(mailer(method).check("anna"))
    assert (first.stage, first.level, first.code) == ("settings", Level.OK, "settings-ok")
    assert closed == [1]
    return rest


def test_the_settings_are_looked_at_first():
    """Whose account, which address; a doubtful one is told, and goes on."""
    first, second = list(mailer().check("anna"))
    assert first.seen == "the company's umail account; shows Anna Berg <anna@acme.example>"
    assert (second.code, second.level) == ("check-none", Level.SKIP)
    assert [one.code for one in mailer(slow(warnings=classmethod(lambda cls, settings: ("Hm.",)))).check("anna")] == [
        "settings-ok", "settings-doubtful", "check-none",
    ]  # fmt: skip


def test_a_refusal_of_the_settings_ends_it():
    """With the exit code that goes with it."""
    (found,) = mailer().check("nobody")
    assert (found.code, found.level, found.exit_code) == ("settings-refused", Level.FAIL, 78)
    assert found.cure


@pytest.mark.parametrize(
    ("method", "table", "code"),
    [
        ("umail", {"port": 0}, "settings-invalid"),
        ("amail", {"from_policy": "send_as", "mailbox": "orders@acme.example"}, "sender-mismatch"),
    ],
)
def test_settings_that_can_not_be_used_end_it(method, table, code):
    """A field that is out of range, and an address that the account may not show."""
    company = Company(address="orders@acme.example", method=method, methods={method: table})
    anna = User(id="anna", address="anna@acme.example")
    (found,) = Mailer(MemoryDirectory(company, [anna], plugins=plugins())).check("anna")
    assert (found.code, found.level, found.exit_code) == (code, Level.FAIL, 78)


def test_what_the_method_finds_comes_through():
    """In its order, as it is found."""

    def check(self):
        yield Finding("dns", Level.OK, "dns-found", "here")
        yield Finding("connect", Level.FAIL, "connect-refused", "no", "Mend it.", 0.1, 75)

    assert [(one.stage, one.exit_code) for one in checked(check)] == [("dns", 0), ("connect", 75)]


@pytest.mark.parametrize(
    ("error", "stage", "code", "exit_code"),
    [
        (SignInNeeded("who?", stage="sign-in"), "sign-in", "check-stopped", 77),
        (SendDeferred("closed", stage="connect"), "connect", "check-stopped", 75),
        (SendDeferred("hm"), "check", "check-stopped", 75),
        (SettingsError("the variable is not set"), "settings", "settings-refused", 78),
        (Unavailable("no such program"), "settings", "method-unavailable", 69),
        (KeyError("hunter2"), "check", "check-failed", 70),
    ],
)
def test_an_error_of_the_methods_check_is_a_finding(error, stage, code, exit_code):
    """At the stage where it happened, with its exit code; a foreign one's text is not told."""

    def check(self):
        yield Finding("dns", Level.OK, "dns-found")
        raise error

    _, found = checked(check)
    assert (found.stage, found.level, found.code, found.exit_code) == (stage, Level.FAIL, code, exit_code)
    assert "hunter2" not in repr(found)


def test_a_method_that_can_not_be_set_up_is_a_finding():
    """Not installed rightly, not for this platform."""
    _, found = list(mailer(slow(platforms=("plan9",))).check("anna"))
    assert (found.code, found.exit_code) == ("method-unavailable", 69)


def test_no_secret_is_told_by_a_finding_or_an_error():
    """Of what the transport's view has released."""

    def check(self):
        self.credentials = Known()
        yield Finding("sign-in", Level.WARN, "x", f"said {SECRET}", f"not {SECRET}")
        raise SignInNeeded(f"said {SECRET}", cure=f"another than {SECRET}")

    assert SECRET not in repr(checked(check))


def test_a_check_that_is_left_early_closes_its_transport():
    """Whoever has seen enough leaves no connection open."""
    closed = []

    def check(self):
        yield Finding("dns", Level.OK, "dns-found")
        yield Finding("connect", Level.OK, "connect-answered")

    looking = mailer(slow(check=check, close=lambda self: closed.append(1))).check("anna")
    assert [next(looking).stage, next(looking).stage] == ["settings", "dns"]
    looking.close()
    assert closed == [1]


def test_every_code_that_core_gives_is_listed():
    """And no other: the reference is made of the list."""
    source = inspect.getsource(_check)
    given = set(re.findall(r'"((?:settings|method|sender|check|clock)-[a-z]+)"', source))
    assert given == set(FINDINGS)
    assert all(meaning.endswith(".") for meaning in FINDINGS.values())


def test_a_sign_in_that_is_missing_is_told_once():
    """By core, with the command; what the method can't look at without it is skipped, whatever else it finds stands."""

    def looks(route):
        yield Finding(
            "sign-in", Level.FAIL, "sign-in-missing", "never", "Connect it: pillarbox ...", exit_code=77
        )

    def check(self):
        yield Finding("connect", Level.FAIL, "connect-refused", "no", exit_code=75)
        yield Finding("token", Level.FAIL, "token-refused", "never", "Connect it.", exit_code=77)
        raise SignInNeeded("never", stage="sign-in")

    made = mailer(slow(check=check))
    told = list(
        _check.check(lambda: made.explain("anna"), lambda route: made._make(route.account, None), looks)
    )
    assert [(one.stage, one.code) for one in told if one.level is Level.FAIL] == [
        ("sign-in", "sign-in-missing"), ("connect", "connect-refused"),
    ]  # fmt: skip
    assert [(one.stage, one.code) for one in told if one.level is Level.SKIP] == [
        ("token", "check-skipped"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "level", "code"),
    [(0, Level.OK, "clock-agrees"), (-9, Level.WARN, "clock-off"), (600, Level.WARN, "clock-off")],
)
def test_the_clocks_are_compared(minutes, level, code):
    """Where the other side says what time it is; what is no date is passed over."""
    theirs = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)

    def check(self):
        self.tell_clock(format_datetime(theirs))
        self.tell_clock("yesterday")
        self.tell_clock("Mon, 99 Foo 2026 10:00:00")
        yield Finding("dns", Level.OK, "dns-found")

    found = checked(check)[-1]
    assert (found.stage, found.level, found.code) == ("clock", level, code)
    assert bool(found.cure) is (level is Level.WARN)
