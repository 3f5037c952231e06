"""An Outlook that is busy: an IMessageFilter in the server's apartment, which refuses calls before they run.

`busy.json` says how many are refused from its next change on, and as what: 1 is SERVERCALL_REJECTED, 2 SERVERCALL_RETRYLATER
(learn.microsoft.com, IMessageFilter::HandleInComingCall). pywin32 has no such interface: its table of functions is made here.
"""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any

REJECTED, RETRY_LATER = 1, 2
_HANDLED, _NOT_IMPLEMENTED = 0, 0xFFFFFFFF
_PENDING_MSG_WAITDEFPROCESS = 2


class BusyFilter:
    """Refuses what the file says. Kept as long as the process lives: COM holds pointers into it.

    Args:
        path: The file, looked at before each call.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = ""
        self._left = 0
        self._kind = REJECTED
        self._functions = self._table()
        self._slots = (ctypes.c_void_p * 6)(*[ctypes.cast(one, ctypes.c_void_p) for one in self._functions])
        self._object = (ctypes.c_void_p * 1)(ctypes.addressof(self._slots))

    def register(self) -> None:
        """Put it before the calls of this thread's apartment."""
        before = ctypes.c_void_p()
        ole32 = ctypes.windll.ole32  # type: ignore[attr-defined]
        result = ole32.CoRegisterMessageFilter(ctypes.byref(self._object), ctypes.byref(before))
        if result != 0:
            raise OSError(f"CoRegisterMessageFilter answered 0x{result & 0xFFFFFFFF:08X}")

    def handle(self) -> int:
        """Return what becomes of a call that comes in."""
        try:
            told = self._path.read_text(encoding="utf-8")
        except OSError:
            return _HANDLED
        if told != self._told:
            self._told = told
            value = json.loads(told)
            self._left, self._kind = value["calls"], value["kind"]
        if self._left <= 0:
            return _HANDLED
        self._left -= 1
        return self._kind

    def _table(self) -> list[Any]:
        """Return the six functions of the interface, in their order."""
        pointer, number = ctypes.c_void_p, ctypes.c_ulong
        made = ctypes.WINFUNCTYPE  # type: ignore[attr-defined]
        query = made(ctypes.c_long, pointer, pointer, ctypes.POINTER(pointer))
        count = made(number, pointer)
        incoming = made(number, pointer, number, pointer, number, pointer)
        waiting = made(number, pointer, pointer, number, number)
        return [
            query(self._itself),
            count(lambda _: 2),
            count(lambda _: 1),
            incoming(lambda *_: self.handle()),
            waiting(lambda *_: _NOT_IMPLEMENTED),
            waiting(lambda *_: _PENDING_MSG_WAITDEFPROCESS),
        ]

    @staticmethod
    def _itself(this: int, _: int, out: Any) -> int:
        out[0] = this
        return 0
