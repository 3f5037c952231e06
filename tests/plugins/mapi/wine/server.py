"""Outlook.Application as a COM server, in a Windows Python: the fake Outlook's objects, each member reached by its DISPID.

    server.py WORLD       serves the world that the file describes, and the next that is put in its place
    server.py register    writes the class into the registry, as Office's installer does

`faults.json` beside the world holds the faults that happen from its next change on, until the world is another; `busy.json`
how many calls COM refuses before they run (`busy_filter`). An error with an scode travels in the EXCEPINFO, any other as the
HRESULT that the call returns: both ways are Outlook's.
Every call comes from another process, marshalled by COM. What a crash does here is the end of this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
import winreg
from pathlib import Path
from typing import Any

import pythoncom
import win32com.server.policy
import winerror
from win32com.server import util
from win32com.server.exception import COMException

from pillarbox.testing.outlook import FakeObject, FakeOutlook, Fault, OutlookFault

sys.path.insert(0, str(Path(__file__).parent))
from busy_filter import BusyFilter

CLSID = "{0006F03A-0000-0000-C000-000000000046}"
WORLD = Path(r"C:\outlook\world.json")
GET, PUT, PUTREF, CALL = 2, 4, 8, 1


class Served(win32com.server.policy.BasicWrapPolicy):
    """Hands a call to the object by the kind of the invocation, as a type library without names would."""

    office: Office

    def _wrap_(self, thing: FakeObject) -> None:
        self._obj_ = thing

    def _getdispid_(self, name: str, _: int) -> int:
        for own, member in self._obj_.members().items():
            if own.lower() == name.lower():
                return member.dispid
        raise COMException(scode=winerror.DISP_E_UNKNOWNNAME)

    def _Invoke_(self, dispid: int, lcid: int, flags: int, args: tuple[Any, ...]) -> tuple[int, int, Any]:  # noqa: N802
        """Answer with the HRESULT itself where it does not point to an EXCEPINFO."""
        try:
            return winerror.S_OK, -1, self._invokeex_(dispid, lcid, flags, args)
        except Bare as bare:
            return bare.hresult, -1, None

    def _invokeex_(self, dispid: int, lcid: int, flags: int, args: tuple[Any, ...], *_: Any) -> Any:
        named = {member.dispid: name for name, member in self._obj_.members().items()}
        if dispid not in named:
            raise COMException(scode=winerror.DISP_E_MEMBERNOTFOUND)
        self.office.take_up()
        try:
            return shown(reached(self._obj_, named[dispid], flags, tuple(map(own, args))))
        except OutlookFault as fault:
            if not fault.scode:
                raise Bare(signed(fault.hresult)) from None
            told = fault.text or "no words"
            raise COMException(description=told, scode=signed(fault.scode), source="Outlook") from None


class Bare(Exception):
    """An HRESULT without an EXCEPINFO."""

    def __init__(self, hresult: int) -> None:
        super().__init__(hresult)
        self.hresult = hresult


def signed(code: int) -> int:
    """Return an HRESULT as COM has it."""
    return code - (1 << 32)


def reached(thing: FakeObject, name: str, flags: int, args: tuple[Any, ...]) -> Any:
    """Do what the invocation asks of *thing*."""
    if flags & PUTREF:
        return thing.putref(name, args[-1])
    if flags & PUT:
        return thing.put(name, args[-1])
    if flags & CALL and thing.members()[name].takes == "call":
        return thing.call(name, *args)
    return thing.get(name)


def shown(answer: Any) -> Any:
    """Return *answer* as COM takes it."""
    return util.wrap(answer, usePolicy=Served, useDispatcher=0) if isinstance(answer, FakeObject) else answer


def own(argument: Any) -> Any:
    """Return the object of ours that came back as a pointer."""
    return util.unwrap(argument) if hasattr(argument, "QueryInterface") else argument


class Office:
    """The one Outlook: another world begins when its file says so, other faults when theirs does."""

    text = ""
    faults = ""
    outlook: FakeOutlook

    def application(self) -> Any:
        text = WORLD.read_text(encoding="utf-8")
        if text != self.text:
            self.text, self.faults = text, ""
            self.outlook = FakeOutlook.from_json(text, on_crash=lambda: os._exit(3))
        self.take_up()
        return shown(self.outlook.activate())

    def take_up(self) -> None:
        """Let the faults that were put beside the world happen."""
        try:
            told = WORLD.with_name("faults.json").read_text(encoding="utf-8")
        except OSError:
            return
        if told != self.faults:
            self.faults = told
            self.outlook.misbehave(Fault.from_json(one) for one in json.loads(told)["faults"])


def serve() -> None:
    """Answer until the process is ended."""
    office = Served.office = Office()
    pythoncom.CoInitializeEx(pythoncom.COINIT_APARTMENTTHREADED)
    win32com.server.policy.CreateInstance = lambda _, iid: created(office, iid)
    factory = pythoncom.MakePyFactory(CLSID)
    pythoncom.CoRegisterClassObject(
        CLSID, factory, pythoncom.CLSCTX_LOCAL_SERVER, pythoncom.REGCLS_MULTIPLEUSE
    )
    busy = BusyFilter(WORLD.with_name("busy.json"))
    busy.register()
    WORLD.with_name("up").touch()
    while True:
        pythoncom.PumpWaitingMessages()
        time.sleep(0.002)


def created(office: Office, iid: Any) -> Any:
    try:
        return office.application().QueryInterface(iid)
    except OutlookFault as fault:
        raise COMException(scode=signed(fault.scode or fault.hresult)) from None


def register() -> None:
    """Write the class, and the command that starts this file for it."""
    values = {
        r"Outlook.Application\CLSID": CLSID,
        rf"CLSID\{CLSID}\ProgID": "Outlook.Application",
        rf"CLSID\{CLSID}\LocalServer32": f'"{sys.executable}" "{Path(__file__).resolve()}" serve',
    }
    for key, value in values.items():
        with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"Software\Classes\{key}") as opened:
            winreg.SetValueEx(opened, "", 0, winreg.REG_SZ, value)


if __name__ == "__main__":
    register() if sys.argv[1] == "register" else serve()
