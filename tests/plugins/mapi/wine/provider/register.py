"""Writes the default mail program into the registry of a Windows, as its installer does.

    register.py machine NAME DLL VALUE    for everybody
    register.py user NAME                 the user's own choice

NAME is "" for no default program; VALUE, by which the program's key names its DLL, is DLLPath (Simple MAPI) or DLLPathEx
(Extended MAPI; learn.microsoft.com, Mapi32.dll Stub Registry Settings). DLL is "" for a program that names none.
"""

from __future__ import annotations

import contextlib
import sys
import winreg

CLIENTS = r"Software\Clients\Mail"


def default(root: int, name: str) -> None:
    """Make *name* the default."""
    with winreg.CreateKey(root, CLIENTS) as clients:
        winreg.SetValueEx(clients, "", 0, winreg.REG_SZ, name)


def machine(name: str, library: str, value: str) -> None:
    """Make *name* everybody's default, with that library alone."""
    default(winreg.HKEY_LOCAL_MACHINE, name)
    if not name:
        return
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{CLIENTS}\{name}") as program:
        for one in ("DLLPath", "DLLPathEx"):
            with contextlib.suppress(FileNotFoundError):
                winreg.DeleteValue(program, one)
        if library:
            winreg.SetValueEx(program, value, 0, winreg.REG_SZ, library)


if __name__ == "__main__":
    machine(*sys.argv[2:]) if sys.argv[1] == "machine" else default(winreg.HKEY_CURRENT_USER, sys.argv[2])
