"""A fake Outlook: the part of its object model that sends mail, in memory, for tests of programs that drive Outlook.

    outlook = FakeOutlook(accounts=[FakeAccount("anna@acme.example")])
    item = outlook.activate().call("CreateItem", 0)
    item.put("Subject", "Invoice 1001")
    item.get("Recipients").call("Add", "ap@customer.example").call("Resolve")
    item.call("Send")
    assert outlook.sent[0].subject == "Invoice 1001"

Every object answers `get(name)`, `put(name, value)`, `putref(name, object)` and `call(name, *args)`, the four ways in
which COM reaches a member, and raises `OutlookFault` where Outlook would answer with an HRESULT. `FakeObject.MEMBERS`
names the members with their DISPIDs, so that a COM server can serve the same objects. A `Fault` says what else happens at
the nth call of a member: an error, a crash, a stall. `FakeOutlook.from_json` builds a world in another process.

It is built from Microsoft's documentation and from what people report; no real Outlook was compared with it.
"""

from __future__ import annotations

from ._faults import Fault, OutlookFault, busy, denied
from ._mails import File, Mail, Person
from ._objects import FakeObject, Member
from ._world import FakeAccount, FakeOutlook

__all__ = [
    "FakeAccount",
    "FakeObject",
    "FakeOutlook",
    "Fault",
    "File",
    "Mail",
    "Member",
    "OutlookFault",
    "Person",
    "busy",
    "denied",
]
