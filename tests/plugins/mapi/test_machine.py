"""What of a computer decides whether Outlook can be asked, read without starting anything."""

from __future__ import annotations

import sys

import attrs
import pytest

from pillarbox_mapi.machine import APP_PATH, CLASS, PREFERENCES, facts, program, this_machine

OUTLOOK = r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"
CLSID = "{0006F03A-0000-0000-C000-000000000046}"
SERVER = rf"Software\Classes\CLSID\{CLSID}\LocalServer32"


@attrs.frozen
class Computer:
    """A computer with these values in its registry, and these files."""

    registry: dict[tuple[str, str], str | int] = attrs.field(factory=dict)
    files: tuple[str, ...] = (OUTLOOK,)
    platform: str = "win32"

    def has_module(self, name):
        return True

    def session(self):
        return 1

    def value(self, key, name=""):
        return self.registry.get((key, name))

    def has_file(self, path):
        return path in self.files


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (OUTLOOK, OUTLOOK),
        (f'"{OUTLOOK}"', OUTLOOK),
        (f'"{OUTLOOK}" /embedding', OUTLOOK),
        (f"{OUTLOOK} /embedding", OUTLOOK),
        (r"C:\OUTLOO~1.EXE -Embedding", r"C:\OUTLOO~1.EXE"),
        ("", ""),
        ('"', ""),
        ("outlook", "outlook"),
    ],
)
def test_the_program_of_a_command(command, named):
    assert program(command) == named


def test_outlook_is_the_program_of_its_class():
    seen = facts(Computer({(CLASS, ""): CLSID, (SERVER, ""): f'"{OUTLOOK}" /embedding'}))
    assert (seen["clsid"], seen["executable"], seen["is_there"]) == (CLSID, OUTLOOK, True)


def test_a_class_without_a_server_leaves_the_path_of_the_application():
    seen = facts(Computer({(CLASS, ""): CLSID, (APP_PATH, ""): OUTLOOK}))
    assert (seen["executable"], seen["is_there"]) == (OUTLOOK, True)


def test_a_program_that_was_removed_is_not_there():
    seen = facts(Computer({(CLASS, ""): CLSID, (SERVER, ""): OUTLOOK}, files=()))
    assert (seen["executable"], seen["is_there"]) == (OUTLOOK, False)


def test_a_computer_without_outlook():
    seen = facts(Computer())
    assert (seen["clsid"], seen["executable"], seen["is_there"], seen["new_outlook"]) == (
        "",
        "",
        False,
        False,
    )


@pytest.mark.parametrize(("value", "is_on"), [(1, True), (0, False), (None, False), ("1", False)])
def test_the_switch_of_the_new_outlook(value, is_on):
    registry = {} if value is None else {(PREFERENCES, "UseNewOutlook"): value}
    assert facts(Computer(registry))["new_outlook"] is is_on


@pytest.mark.skipif(
    sys.platform == "win32", reason="what is seen off Windows; Wine runs tests/plugins/mapi/wine"
)
def test_off_windows_there_is_nothing_to_see_and_nothing_fails():
    seen = facts(this_machine())
    assert seen["platform"] == sys.platform
    assert (seen["session"], seen["clsid"], seen["is_there"], seen["new_outlook"]) == (None, "", False, False)
