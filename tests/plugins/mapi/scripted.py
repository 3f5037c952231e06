"""The fake Outlook in the place of COM: a `Dispatch` over its objects, whose faults are ComErrors."""

from __future__ import annotations

from pillarbox.testing.outlook import FakeObject, OutlookFault
from pillarbox_mapi.com import ComError


class ScriptedDispatch:
    """What COM would give for an object of the fake Outlook."""

    def __init__(self, inner):
        self.inner = inner

    def get(self, name):
        return wrapped(lambda: self.inner.get(name))

    def put(self, name, value):
        wrapped(lambda: self.inner.put(name, value))

    def putref(self, name, value):
        wrapped(lambda: self.inner.putref(name, value.inner))

    def call(self, name, *args):
        return wrapped(lambda: self.inner.call(name, *args))


def wrapped(call):
    """Return what *call* returns, as COM would."""
    try:
        answer = call()
    except OutlookFault as fault:
        raise ComError(fault.hresult, fault.scode, fault.text) from None
    return ScriptedDispatch(answer) if isinstance(answer, FakeObject) else answer


def activation(outlook):
    """Return what the worker calls to have Outlook's Application."""
    return lambda: wrapped(outlook.activate)
