"""A mail as the object model shows it: MailItem, its recipients, its attachments and their property accessors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ._faults import EXCEPTION, FAIL, FILE_NOT_FOUND, MOVED, NOT_FOUND, OutlookFault
from ._mails import DELETED, DRAFTS, OUTBOX, File, Mail, Person
from ._objects import CALL, COLLECTION, REFERENCE, WRITE, Collection, FakeObject, Member

if TYPE_CHECKING:
    from ._world import FakeOutlook

_ACCESSOR: Mapping[str, Member] = {"PropertyAccessor": Member(64253, guarded=True)}
_START: Mapping[str, Any] = {"Subject": "", "Body": "", "HTMLBody": "", "BodyFormat": 0, "Importance": 1}


class PropertyAccessor(FakeObject):
    """The properties below the object model, by schema."""

    CLASS: ClassVar[int] = 112
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "GetProperty": Member(64251, CALL), "SetProperty": Member(64252, CALL), "DeleteProperty": Member(64401, CALL),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, properties: dict[str, Any]) -> None:
        super().__init__(world)
        self.properties = properties

    def _getproperty(self, schema: str) -> Any:
        if schema not in self.properties:
            raise OutlookFault(
                EXCEPTION, NOT_FOUND, f'The property "{schema}" is unknown or cannot be found.'
            )
        return self.properties[schema]

    def _setproperty(self, schema: str, value: Any) -> None:
        self.properties[schema] = value

    def _deleteproperty(self, schema: str) -> None:
        self.properties.pop(schema, None)


class Recipient(FakeObject):
    """One recipient; `Resolve` finds its address."""

    CLASS: ClassVar[int] = 4
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        "Name": Member(0x3001, guarded=True), "Address": Member(0x3003, guarded=True),
        "Type": Member(0xC15, WRITE), "Resolved": Member(0x64), "Resolve": Member(0x71, CALL, guarded=True),
        "Delete": Member(0x6E, CALL),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, person: Person, among: list[Person]) -> None:
        super().__init__(world)
        self.person, self.among = person, among

    def _read(self, name: str) -> Any:
        shown = {"Name": self.person.name, "Address": self.person.address, "Type": self.person.kind}
        return bool(self.person.address) if name == "Resolved" else shown.get(name, super()._read(name))

    def _write(self, name: str, value: Any) -> None:
        self.person.kind = value

    def _resolve(self) -> bool:
        return _resolved(self.world, self.person)

    def _delete(self) -> None:
        self.among.remove(self.person)


class Recipients(Collection):
    """Recipients, or the addresses for answers."""

    CLASS: ClassVar[int] = 17
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        **COLLECTION, "Add": Member(0x6F, CALL, guarded=True), "ResolveAll": Member(0x7E, CALL, guarded=True),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, people: list[Person]) -> None:
        super().__init__(world)
        self.people = people

    def items(self) -> list[Any]:
        return [Recipient(self.world, person, self.people) for person in self.people]

    def _add(self, name: str) -> Recipient:
        self.people.append(Person(name))
        return Recipient(self.world, self.people[-1], self.people)

    def _resolveall(self) -> bool:
        return _all_resolved(self.world, self.people)


class Attachment(FakeObject):
    """One attachment."""

    CLASS: ClassVar[int] = 5
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        **_ACCESSOR, "DisplayName": Member(0x3001, WRITE), "FileName": Member(0x3704), "Type": Member(0x3705),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, file: File) -> None:
        super().__init__(world)
        self.file = file

    def _read(self, name: str) -> Any:
        if name == "PropertyAccessor":
            return PropertyAccessor(self.world, self.file.properties)
        shown = {"DisplayName": self.file.name, "FileName": self.file.name, "Type": self.file.kind}
        return shown.get(name, super()._read(name))

    def _write(self, name: str, value: Any) -> None:
        self.file.name = value


class Attachments(Collection):
    """The attachments; one is added from a file by its absolute path."""

    CLASS: ClassVar[int] = 18
    MEMBERS: ClassVar[Mapping[str, Member]] = {**COLLECTION, "Add": Member(0x65, CALL)}

    def __init__(self, world: FakeOutlook, files: list[File]) -> None:
        super().__init__(world)
        self.files = files

    def items(self) -> list[Any]:
        return [Attachment(self.world, file) for file in self.files]

    def _add(self, source: str, kind: int = 1, position: int = 0, name: str = "") -> Attachment:
        if not os.path.isabs(source) or not os.path.isfile(source):  # noqa: PTH113, PTH117  (as Windows names it)
            raise OutlookFault(
                EXCEPTION, FILE_NOT_FOUND, "Cannot find this file. Verify the path and file name."
            )
        path = Path(source)
        self.files.append(File(name or path.name, path.read_bytes(), kind))
        return Attachment(self.world, self.files[-1])


class MailItem(FakeObject):
    """A mail. After `Send` every member answers that it was moved or deleted."""

    CLASS: ClassVar[int] = 43
    MEMBERS: ClassVar[Mapping[str, Member]] = {
        **_ACCESSOR,
        "Subject": Member(0x37, WRITE), "Body": Member(0x9100, WRITE, guarded=True),
        "HTMLBody": Member(0xF404, WRITE, guarded=True), "BodyFormat": Member(0xFA6A, WRITE),
        "To": Member(0xE04, WRITE, guarded=True), "CC": Member(0xE03, WRITE, guarded=True),
        "BCC": Member(0xE02, WRITE, guarded=True), "Recipients": Member(0xF814, guarded=True),
        "Attachments": Member(0xF815), "ReplyRecipients": Member(0xF013),
        "Importance": Member(0x17, WRITE), "Sensitivity": Member(0x36, WRITE),
        "ReadReceiptRequested": Member(0x29, WRITE), "OriginatorDeliveryReportRequested": Member(0x23, WRITE),
        "SentOnBehalfOfName": Member(0x42, WRITE, guarded=True), "SendUsingAccount": Member(64209, REFERENCE),
        "SaveSentMessageFolder": Member(0xF401, REFERENCE), "DeleteAfterSubmit": Member(0xE01, WRITE),
        "EntryID": Member(0xF01E), "Saved": Member(0xF0A3), "Sent": Member(0xF402), "Submitted": Member(0xF403),
        "Save": Member(0xF048, CALL), "Send": Member(0xF075, CALL, guarded=True), "Close": Member(0xF023, CALL),
        "Delete": Member(0xF04A, CALL),
    }  # fmt: skip

    def __init__(self, world: FakeOutlook, mail: Mail) -> None:
        super().__init__(world)
        self.mail = mail
        self.gone = False
        self.values: dict[str, Any] = mail.values
        for name, value in _START.items():
            mail.values.setdefault(name, value)

    def get(self, name: str) -> Any:
        self._look()
        return super().get(name)

    def put(self, name: str, value: Any) -> None:
        self._look()
        super().put(name, value)

    def putref(self, name: str, value: Any) -> None:
        self._look()
        super().putref(name, value)

    def call(self, name: str, *args: Any) -> Any:
        self._look()
        return super().call(name, *args)

    def _look(self) -> None:
        if self.gone:
            raise OutlookFault(EXCEPTION, MOVED, "The item has been moved or deleted.")

    def _read(self, name: str) -> Any:
        match name:
            case "Recipients":
                return Recipients(self.world, self.mail.recipients)
            case "ReplyRecipients":
                return Recipients(self.world, self.mail.reply_to)
            case "Attachments":
                return Attachments(self.world, self.mail.files)
            case "PropertyAccessor":
                return PropertyAccessor(self.world, self.mail.properties)
            case "SendUsingAccount":
                return self.world.account(self.mail.account) if self.mail.account else None
            case "EntryID":
                return self.mail.entry_id
            case "Sent" | "Submitted":
                return self.mail.folder not in {"", DRAFTS, DELETED}
        return super()._read(name)

    def _write(self, name: str, value: Any) -> None:
        if name == "SendUsingAccount":
            self.mail.account = self.world.address_of(value)
        elif name != "SaveSentMessageFolder":
            super()._write(name, value)

    def _save(self) -> None:
        self.world.keep(self.mail, self.mail.folder or DRAFTS)

    def _send(self) -> None:
        if not _all_resolved(self.world, self.mail.recipients):
            raise OutlookFault(EXCEPTION, FAIL, "Outlook does not recognize one or more names.")
        self.gone = True
        self.mail.account = self.mail.account or self.world.default_address
        self.world.keep(self.mail, OUTBOX)

    def _close(self, mode: int = 0) -> None:
        if mode == 0:
            self._save()

    def _delete(self) -> None:
        self.gone = True
        self.world.keep(self.mail, DELETED)


def _resolved(world: FakeOutlook, person: Person) -> bool:
    person.address = world.resolve(person.name) or ""
    return bool(person.address)


def _all_resolved(world: FakeOutlook, people: list[Person]) -> bool:
    return not [one for one in people if not _resolved(world, one)]
