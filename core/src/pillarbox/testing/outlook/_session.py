"""Outlook around a mail: Application, NameSpace, accounts and folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ._faults import EXCEPTION, FAIL, NOT_FOUND, OutlookFault
from ._items import MailItem
from ._mails import FOLDERS, Mail
from ._objects import CALL, COLLECTION, Collection, FakeObject, Member

if TYPE_CHECKING:
    from ._world import FakeOutlook

_FILTER = re.compile(r"""@SQL="(?P<schema>[^"]+)"\s*=\s*'(?P<value>(?:[^']|'')*)'""")


class Account(FakeObject):
    """One account of the profile. Its DISPIDs are in no public listing; these are ours, and only names are used."""

    CLASS: ClassVar[int] = 105
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "AccountType": Member(1), "DisplayName": Member(2), "SmtpAddress": Member(3, guarded=True),
        "UserName": Member(4), "ExchangeConnectionMode": Member(5), "DeliveryStore": Member(6),
    }  # fmt: skip


class Accounts(Collection):
    """The accounts of the profile; the first is the session's own."""

    CLASS: ClassVar[int] = 106

    def items(self) -> list[Any]:
        return self.world.account_objects()


class Items(Collection):
    """The mails of a folder, or those that a filter leaves."""

    CLASS: ClassVar[int] = 16
    MEMBERS: ClassVar[Mapping[str, Member]] = {**COLLECTION, "Restrict": Member(100, CALL)}

    def __init__(self, world: FakeOutlook, mails: list[Mail]) -> None:
        super().__init__(world)
        self.mails = mails

    def items(self) -> list[Any]:
        return [MailItem(self.world, mail) for mail in self.mails]

    def _restrict(self, condition: str) -> Items:
        asked = _FILTER.fullmatch(condition.strip())
        if asked is None:
            raise OutlookFault(EXCEPTION, FAIL, "Cannot parse condition.")
        wanted = asked["value"].replace("''", "'")
        return Items(self.world, [one for one in self.mails if one.properties.get(asked["schema"]) == wanted])


class Folder(FakeObject):
    """One of the default folders."""

    CLASS: ClassVar[int] = 2
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "Name": Member(12289),
        "EntryID": Member(61470),
        "StoreID": Member(12552),
        "Items": Member(12544),
    }

    def __init__(self, world: FakeOutlook, name: str, store: str) -> None:
        super().__init__(world)
        self.values: dict[str, Any] = {"Name": name, "EntryID": f"FOLDER-{name}", "StoreID": store}

    def _read(self, name: str) -> Any:
        return (
            Items(self.world, self.world.in_folder(self.values["Name"], self.values["StoreID"]))
            if name == "Items"
            else super()._read(name)
        )


class Store(FakeObject):
    """Where an account delivers: a set of folders. Its DISPIDs are ours too."""

    CLASS: ClassVar[int] = 107
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "StoreID": Member(1), "DisplayName": Member(2), "GetDefaultFolder": Member(3, CALL),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, name: str) -> None:
        super().__init__(world)
        self.values: dict[str, Any] = {"StoreID": name, "DisplayName": name or "Mailbox"}

    def _getdefaultfolder(self, number: int) -> Folder:
        return _default_folder(self.world, number, self.values["StoreID"])


class NameSpace(FakeObject):
    """The session of a profile."""

    CLASS: ClassVar[int] = 1
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "Accounts": Member(64208), "CurrentProfileName": Member(64213), "Offline": Member(64076),
        "ExchangeConnectionMode": Member(64193), "CurrentUser": Member(8449, guarded=True),
        "Logon": Member(8453, CALL), "Logoff": Member(8454, CALL), "GetDefaultFolder": Member(8459, CALL),
        "GetItemFromID": Member(8457, CALL), "SendAndReceive": Member(64215, CALL),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook) -> None:
        super().__init__(world)
        self.values: dict[str, Any] = {
            "CurrentProfileName": world.profile,
            "Offline": world.offline,
            "ExchangeConnectionMode": 100 if world.offline else 700,
        }

    def _read(self, name: str) -> Any:
        return Accounts(self.world) if name == "Accounts" else super()._read(name)

    def _logon(self, profile: str = "", password: str = "", show: bool = True, new: bool = False) -> None:
        if profile and profile.casefold() != self.world.profile.casefold():
            raise OutlookFault(EXCEPTION, NOT_FOUND, "The profile name is not valid.")

    def _logoff(self) -> None:
        """Nothing is let go: the session is a person's."""

    def _getdefaultfolder(self, number: int) -> Folder:
        return _default_folder(self.world, number, "")

    def _getitemfromid(self, entry_id: str, store: str = "") -> MailItem:
        for mail in self.world.mails:
            if entry_id and mail.entry_id == entry_id:
                return MailItem(self.world, mail)
        raise OutlookFault(EXCEPTION, NOT_FOUND, "The message you specified cannot be found.")

    def _sendandreceive(self, show: bool) -> None:
        self.world.transmit()


class Application(FakeObject):
    """Outlook itself; there is one, however often it is activated."""

    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "CreateItem": Member(266, CALL), "GetNamespace": Member(272, CALL), "Quit": Member(275, CALL),
        "Version": Member(278), "Name": Member(12289), "DefaultProfileName": Member(64214),
        "IsTrusted": Member(64499),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook) -> None:
        super().__init__(world)
        self.values: dict[str, Any] = {
            "Name": "Outlook",
            "Version": "16.0.0.17928",
            "DefaultProfileName": world.profile,
            "IsTrusted": world.trusted,
        }

    def _createitem(self, kind: int) -> MailItem:
        if kind != 0:
            raise OutlookFault(EXCEPTION, FAIL, "The fake makes mails only.")
        return MailItem(self.world, Mail())

    def _getnamespace(self, kind: str) -> Any:
        if kind != "MAPI":
            raise OutlookFault(EXCEPTION, FAIL, "Invalid type.")
        return self.world.session

    def _quit(self) -> None:
        self.world.has_quit = True


def _default_folder(world: FakeOutlook, number: int, store: str) -> Folder:
    if number not in FOLDERS:
        raise OutlookFault(EXCEPTION, FAIL, "The operation failed.")
    return Folder(world, FOLDERS[number], store)
