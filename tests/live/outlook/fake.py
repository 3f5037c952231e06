"""The same questions to the fake Outlook: what an answer is compared with."""

from __future__ import annotations

import attrs

from pillarbox.testing.outlook import FakeAccount, FakeObject, FakeOutlook, OutlookFault, busy
from pillarbox_mapi.com import ComError
from tests.live.outlook.study import Study

YOU = "you@acme.example"


@attrs.frozen
class AsDispatch:
    """An object of the fake, reached as COM reaches one."""

    pointer: FakeObject

    def get(self, name: str) -> object:
        return _done(lambda: self.pointer.get(name))

    def put(self, name: str, value: object) -> None:
        _done(lambda: self.pointer.put(name, value))

    def putref(self, name: str, value: AsDispatch) -> None:
        _done(lambda: self.pointer.putref(name, value.pointer))

    def call(self, name: str, *args: object) -> object:
        return _done(lambda: self.pointer.call(name, *args))


def _done(call):
    try:
        answer = call()
    except OutlookFault as fault:
        raise ComError(fault.hresult, fault.scode, fault.text) from None
    return AsDispatch(answer) if isinstance(answer, FakeObject) else answer


def at_fake(outlook: FakeOutlook | None = None) -> Study:
    """Return a study of a fake Outlook in this process, with a person who opens a dialog when told to."""
    world = outlook or FakeOutlook([FakeAccount(YOU, name="You")])

    def person(what: str) -> None:
        world.misbehave([busy("Application", "CreateItem", 1_000)] if "Options" in what else [])

    return Study(lambda: _done(world.activate), YOU, person=person, patience=0.1)
