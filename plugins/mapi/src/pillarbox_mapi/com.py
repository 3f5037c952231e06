"""Outlook's objects by COM, late-bound: four ways to a member, and one error. Only this module knows pythoncom.

`win32com.client` is not used: it keeps generated code in a cache that breaks (pywin32 1694, 1923), runs a method when its
name is looked up, and turns the reference that SendUsingAccount needs into a put that does nothing (pywin32 1862).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

EXCEPTION = 0x80020009
"""DISP_E_EXCEPTION: what happened stands in the EXCEPINFO's scode."""
PROGID = "Outlook.Application"
_METHOD, _GET, _PUT, _PUTREF = 1, 2, 4, 8


class ComError(Exception):
    """An HRESULT that a call returned.

    Attributes:
        hresult: Unsigned.
        scode: Of the EXCEPINFO, or 0.
        text: What the server says of it.
    """

    def __init__(self, hresult: int, scode: int = 0, text: str = "") -> None:
        super().__init__(f"0x{hresult:08X} {text}".rstrip())
        self.hresult, self.scode, self.text = hresult, scode, text

    @property
    def code(self) -> int:
        """What says what happened: the scode where the HRESULT only points to it."""
        return self.scode if self.hresult == EXCEPTION and self.scode else self.hresult


class Dispatch(Protocol):
    """An object of Outlook's model: by COM, or a double of it."""

    def get(self, name: str) -> Any:
        """Return a property (PROPERTYGET)."""

    def put(self, name: str, value: Any) -> None:
        """Set a property to a value (PROPERTYPUT)."""

    def putref(self, name: str, value: Any) -> None:
        """Set a property to an object (PROPERTYPUTREF)."""

    def call(self, name: str, *args: Any) -> Any:
        """Call a method."""


class ComDispatch:
    """A `Dispatch` over an IDispatch pointer."""

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer

    def get(self, name: str) -> Any:
        """See `Dispatch`."""
        return self._invoke(name, _GET, ())

    def put(self, name: str, value: Any) -> None:
        """See `Dispatch`."""
        self._invoke(name, _PUT, (value,))

    def putref(self, name: str, value: Any) -> None:
        """See `Dispatch`."""
        self._invoke(name, _PUTREF, (value.pointer,))

    def call(self, name: str, *args: Any) -> Any:
        """See `Dispatch`."""
        return self._invoke(name, _METHOD, args)

    def _invoke(self, name: str, flags: int, args: tuple[Any, ...]) -> Any:
        wants_answer = flags in {_METHOD, _GET}

        def invoke() -> Any:
            number = self.pointer.GetIDsOfNames(0, name)
            return self.pointer.Invoke(number, 0, flags, wants_answer, *args)

        answer = translated(invoke)
        return ComDispatch(answer) if hasattr(answer, "GetIDsOfNames") else answer


def translated(call: Callable[[], Any]) -> Any:
    """Return what *call* returns; its `com_error` becomes a ComError.

    Raises:
        ComError: The call did.
    """
    import pywintypes  # type: ignore[import-untyped,import-not-found,unused-ignore]

    try:
        return call()
    except pywintypes.com_error as error:
        raise told(error) from None


def told(error: Any) -> ComError:
    """Return what a `pywintypes.com_error` says: hresult, text, EXCEPINFO, argument (pywin32's order)."""
    hresult, text, info = error.args[0], error.args[1], error.args[2]
    scode, said = (info[5], info[2]) if info else (0, "")
    return ComError(unsigned(hresult), unsigned(scode or 0), str(said or text or ""))


def unsigned(number: int) -> int:
    """Return an HRESULT, which pywin32 gives as a signed number, as Microsoft writes it."""
    return number & 0xFFFFFFFF


def activate() -> ComDispatch:
    """Return the running Outlook's Application, or start it; only in an apartment.

    Raises:
        ComError: It can't be had.
    """
    import pythoncom  # type: ignore[import-untyped,import-not-found,unused-ignore]
    import pywintypes  # type: ignore[import-untyped,import-not-found,unused-ignore]

    def create() -> Any:
        clsid = pywintypes.IID(PROGID)
        return pythoncom.CoCreateInstance(clsid, None, pythoncom.CLSCTX_LOCAL_SERVER, pythoncom.IID_IDispatch)

    return ComDispatch(translated(create))


@contextlib.contextmanager
def apartment() -> Iterator[None]:
    """Make this thread a single-threaded apartment, the only one that talks to Outlook, while the block runs."""
    import pythoncom  # type: ignore[import-untyped,import-not-found,unused-ignore]

    pythoncom.CoInitializeEx(pythoncom.COINIT_APARTMENTTHREADED)
    try:
        yield
    finally:
        pythoncom.CoUninitialize()
