"""Writes the default mail program into the registry of a Windows, as its installer does: register.py NAME DLL VALUE.

NAME is "" for no default program; VALUE, by which the program's key names its DLL, is DLLPath (Simple MAPI) or DLLPathEx
(Extended MAPI; learn.microsoft.com, Mapi32.dll Stub Registry Settings). DLL is "" for a program that names none.
"""

from __future__ import annotations

import contextlib
import sys
import winreg

CLIENTS = r"Software\Clients\Mail"


def main(name: str, library: str, value: str) -> None:
    """Make *name* the machine's default, and what was registered before unknown."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, CLIENTS) as clients:
        winreg.SetValueEx(clients, "", 0, winreg.REG_SZ, name)
    if not name:
        return
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{CLIENTS}\{name}") as program:
        for one in ("DLLPath", "DLLPathEx"):
            with contextlib.suppress(FileNotFoundError):
                winreg.DeleteValue(program, one)
        winreg.SetValueEx(program, "", 0, winreg.REG_SZ, name)
        if library:
            winreg.SetValueEx(program, value, 0, winreg.REG_SZ, library)


if __name__ == "__main__":
    main(*sys.argv[1:])
