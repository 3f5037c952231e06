"""What of the worker's computer decides whether Outlook can be asked: looked at without starting anything."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import sys
from pathlib import Path, PureWindowsPath
from typing import Any, Protocol

CLASS = r"Software\Classes\Outlook.Application\CLSID"
APP_PATH = r"Software\Microsoft\Windows\CurrentVersion\App Paths\OUTLOOK.EXE"
PREFERENCES = r"Software\Microsoft\Office\16.0\Outlook\Preferences"
"""Where the switch `UseNewOutlook` is said to be. No real Outlook was looked at: a hint, no more."""


class Machine(Protocol):
    """The computer, as far as it is asked."""

    platform: str

    def has_module(self, name: str) -> bool:
        """Whether a module can be imported."""

    def session(self) -> int | None:
        """Return the number of the Windows session; 0 is that of services. None where that is not known."""

    def value(self, key: str, name: str = "") -> str | int | None:
        """Return a value of the registry, the user's before the machine's; None where neither has one, or an empty one."""

    def has_file(self, path: str) -> bool:
        """Whether there is such a file."""


def facts(machine: Machine) -> dict[str, Any]:
    """Return what `check` is told: a plain object, so that it crosses the process boundary."""
    clsid = machine.value(CLASS)
    server = machine.value(rf"Software\Classes\CLSID\{clsid}\LocalServer32") if clsid else None
    executable = program(str(server)) if server else str(machine.value(APP_PATH) or "")
    return {
        "platform": machine.platform,
        "pywin32": machine.has_module("pythoncom"),
        "session": machine.session(),
        "clsid": str(clsid or ""),
        "executable": executable,
        "is_there": bool(executable) and machine.has_file(executable),
        "new_outlook": machine.value(PREFERENCES, "UseNewOutlook") == 1,
    }


def program(command: str) -> str:
    """Return the program of a LocalServer32 command, which may be quoted and have arguments."""
    command = command.strip()
    if command.startswith('"'):
        return command[1:].partition('"')[0]
    end = command.lower().find(".exe")
    return command[: end + 4] if end >= 0 else command


class Here:
    """This computer."""

    platform = sys.platform

    def has_module(self, name: str) -> bool:
        """See `Machine`."""
        return importlib.util.find_spec(name) is not None

    def session(self) -> int | None:
        """See `Machine`."""
        number = ctypes.c_ulong()
        windows: Any = getattr(ctypes, "windll", None)
        if windows is None:
            return None
        kernel = windows.kernel32
        known = kernel.ProcessIdToSessionId(kernel.GetCurrentProcessId(), ctypes.byref(number))
        return number.value if known else None

    def value(self, key: str, name: str = "") -> str | int | None:
        """See `Machine`."""
        if not self.has_module("winreg"):
            return None
        winreg: Any = importlib.import_module("winreg")
        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            with contextlib.suppress(OSError), winreg.OpenKey(root, key) as opened:
                found = winreg.QueryValueEx(opened, name)[0]
                if isinstance(found, int) or found:
                    return found if isinstance(found, int) else str(found)
        return None

    def has_file(self, path: str) -> bool:
        """See `Machine`."""
        return PureWindowsPath(path).is_absolute() and Path(path).is_file()


def this_machine() -> Machine:
    """Return this computer."""
    return Here()
