"""How an object of the fake Outlook is reached: by get, put, putref and call, and how each member takes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ._faults import FAIL, MEMBER_NOT_FOUND, UNKNOWN_NAME, OutlookFault

if TYPE_CHECKING:
    from ._world import FakeOutlook

READ, WRITE, REFERENCE, CALL = "read", "write", "reference", "call"


@dataclasses.dataclass(frozen=True)
class Member:
    """A member of the object model.

    Attributes:
        dispid: By which COM calls it.
        takes: `read` gets; `write` gets and puts; `reference` gets and takes an object by PROPERTYPUTREF, while a plain
            PROPERTYPUT does nothing and says nothing (pywin32 issue 1862); `call` is a method.
        guarded: Whether the object model guard may refuse it.
    """

    dispid: int
    takes: str = READ
    guarded: bool = False


class FakeObject:
    """One object of the model, in one life of Outlook: when that has crashed, it answers no more."""

    MEMBERS: ClassVar[Mapping[str, Member]] = {}
    CLASS: ClassVar[int] = 0
    """Of OlObjectClass."""

    def __init__(self, world: FakeOutlook) -> None:
        self.world = world
        self.life: int = world.life
        self.values: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        """What a fault calls it: the name of its class."""
        return type(self).__name__

    @classmethod
    def members(cls) -> Mapping[str, Member]:
        """Return all of its members, those that every object has included."""
        return {**COMMON, **cls.MEMBERS}

    def get(self, name: str) -> Any:
        """Return a property, by PROPERTYGET."""
        member = self._member(name, READ, WRITE, REFERENCE)
        return self.world.run(self, name, lambda: self._read(name), guarded=member.guarded)

    def put(self, name: str, value: Any) -> None:
        """Set a property, by PROPERTYPUT; on one that takes a reference it does nothing."""
        member = self._member(name, WRITE, REFERENCE)
        if member.takes == WRITE:
            self.world.run(self, name, lambda: self._write(name, value))

    def putref(self, name: str, value: Any) -> None:
        """Set a property to an object, by PROPERTYPUTREF."""
        self._member(name, REFERENCE)
        self.world.run(self, name, lambda: self._write(name, value))

    def call(self, name: str, *args: Any) -> Any:
        """Call a method."""
        member = self._member(name, CALL)
        method = getattr(self, f"_{name.lower()}")
        return self.world.run(self, name, lambda: method(*args), guarded=member.guarded)

    def _member(self, name: str, *ways: str) -> Member:
        member = self.members().get(name)
        if member is None:
            raise OutlookFault(UNKNOWN_NAME, text="Unknown name.")
        if member.takes not in ways:
            raise OutlookFault(MEMBER_NOT_FOUND, text="Member not found.")
        return member

    def _read(self, name: str) -> Any:
        if name == "Class":
            return self.CLASS
        if name in {"Application", "Session"}:
            return self.world.application if name == "Application" else self.world.session
        return self.values.get(name)

    def _write(self, name: str, value: Any) -> None:
        self.values[name] = value


COMMON: Mapping[str, Member] = {
    "Application": Member(61440),
    "Class": Member(61450),
    "Session": Member(61451),
}
COLLECTION: Mapping[str, Member] = {"Count": Member(80), "Item": Member(81, CALL)}


class Collection(FakeObject):
    """Objects that are counted from 1."""

    MEMBERS: ClassVar[Mapping[str, Member]] = COLLECTION

    def items(self) -> list[Any]:
        """Return what is in it now."""
        raise NotImplementedError

    def _read(self, name: str) -> Any:
        return len(self.items()) if name == "Count" else super()._read(name)

    def _item(self, index: int) -> Any:
        items = self.items()
        if not 1 <= index <= len(items):
            raise OutlookFault(FAIL, text="Array index out of bounds.")
        return items[index - 1]
