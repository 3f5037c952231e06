"""Who may use a file, told to the system and asked of it without a line of ours: mode bits, or Windows' lists as text."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

READ, WRITE = 0x1, 0x2
RIGHTS = {"FA": READ | WRITE, "FR": READ, "FW": WRITE, "GA": READ | WRITE, "GR": READ, "GW": WRITE}
SYSTEMS_OWN = {"SY", "BA"}
"""SYSTEM and Administrators: what root is elsewhere."""


def mode(path: Path) -> int:
    """Return the mode of *path*; under Windows what it would be elsewhere, without groups and execution."""
    if sys.platform != "win32":
        return path.stat().st_mode & 0o777
    found = 0
    owner, entries = told(path)
    for rights, who in entries:
        place = 6 if who == owner else 0
        if who not in SYSTEMS_OWN:
            found |= (4 << place if rights & READ else 0) | (2 << place if rights & WRITE else 0)
    return found


def give(path: Path, wanted: int) -> None:
    """Give *path* the mode *wanted*; under Windows everybody gets what the group or others should."""
    if sys.platform != "win32":
        path.chmod(wanted)
        return
    others = (wanted | wanted >> 3) & 0o6
    text = f"D:P(A;;FA;;;{told(path)[0]})(A;;FA;;;SY)"
    text += {0: "", 2: "(A;;FW;;;WD)", 4: "(A;;FR;;;WD)", 6: "(A;;FA;;;WD)"}[others]
    set_list(path, text)


def told(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Return the owner of *path*, and who is given which rights, as Windows writes it out."""
    text = written_out(path)
    entries = re.findall(r"\(A;[^;]*;([^;]*);;;([^)]*)\)", text)
    assert text.count("(") == len(entries), text
    owner = re.match(r"O:(.*?)(?=G:|D:)", text)
    assert owner, text
    return owner[1], [(rights_in(rights), who) for rights, who in entries]


def rights_in(text: str) -> int:
    if text.startswith("0x"):
        return int(text, 16)
    return sum(RIGHTS[text[at : at + 2]] for at in range(0, len(text), 2))


def written_out(path: Path) -> str:
    advapi = ctypes.WinDLL("advapi32")
    descriptor, text = ctypes.c_void_p(), ctypes.c_wchar_p()
    code = advapi.GetNamedSecurityInfoW(
        ctypes.c_wchar_p(os.fspath(path)), 1, 5, None, None, None, None, ctypes.byref(descriptor)
    )
    assert code == 0, code
    assert advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, 1, 5, ctypes.byref(text), None
    )
    return str(text.value)


def set_list(path: Path, text: str) -> None:
    advapi = ctypes.WinDLL("advapi32")
    descriptor = ctypes.c_void_p()
    assert advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ctypes.c_wchar_p(text), 1, ctypes.byref(descriptor), None
    )
    assert advapi.SetFileSecurityW(ctypes.c_wchar_p(os.fspath(path)), 4, descriptor)


def list_in(descriptor: ctypes.c_void_p) -> ctypes.c_void_p:
    there, found, default = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_int()
    places = ctypes.byref(there), ctypes.byref(found), ctypes.byref(default)
    assert ctypes.WinDLL("advapi32").GetSecurityDescriptorDacl(descriptor, *places)
    assert there.value
    return found
