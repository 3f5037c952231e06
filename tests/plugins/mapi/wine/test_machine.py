"""What is seen of a computer in a real registry, by the Windows Python."""

from __future__ import annotations

import json

import pytest

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook")]
PROGRAM = """
import json, winreg
from pillarbox_mapi.machine import PREFERENCES, facts, this_machine
seen = [facts(this_machine())]
for value in (1, 0):
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, PREFERENCES) as key:
        winreg.SetValueEx(key, "UseNewOutlook", 0, winreg.REG_DWORD, value)
    seen.append(facts(this_machine()))
print(json.dumps(seen))
"""


def test_outlook_its_program_and_the_switch_of_the_new_one(at_desk: Desk) -> None:
    """The class that the server registered, its program, this session, and the switch as it is turned."""
    first, on, off = json.loads(at_desk.run("-c", PROGRAM))
    assert first["platform"] == "win32"
    assert first["pywin32"] is True
    assert first["session"] == 1
    assert first["clsid"] == "{0006F03A-0000-0000-C000-000000000046}"
    assert first["executable"].endswith("python.exe")  # which serves in Outlook's place
    assert first["is_there"] is True
    assert [one["new_outlook"] for one in (first, on, off)] == [False, True, False]
