"""What Outlook may do and what has to come of it: one list, run in memory and against COM under Wine.

A scenario gives the world's faults and accounts, the settings, and the expectation: the class of the outcome, how many
mails Outlook sent, and what a look says afterwards.
"""

from __future__ import annotations

import attrs

from pillarbox import (
    Attachment,
    OutcomeUnknown,
    Receipt,
    SendDeferred,
    SenderMismatch,
    SendRejected,
    SettingsError,
    Unavailable,
)
from pillarbox.testing.outlook import FakeAccount, Fault, busy, denied

ORDERS = FakeAccount("orders@acme.example")
ANNA = FakeAccount("anna@acme.example", name="Anna Berg")
POP = FakeAccount("pop@acme.example", kind=2)
MANY = 1_000_000
EXCEPTION, MOVED = 0x80020009, 0x8004010A
"""DISP_E_EXCEPTION, and MAPI_E_OBJECT_DELETED, to which it points."""


@attrs.frozen(kw_only=True)
class Scenario:
    """One thing that Outlook does.

    Attributes:
        name: A sentence.
        ends: The class of what send returns or raises.
        sent: How many mails Outlook sent.
        look: What `find` answers afterwards, or "" where it is not asked.
        faults, accounts, guard, unresolvable: The world.
        owner: Whose account it is.
        settings: Of the account.
        says: What stands in the error.
        fields: Of the message, beside the usual.
    """

    name: str
    ends: type
    sent: int = 0
    look: str = ""
    faults: tuple[Fault, ...] = ()
    accounts: tuple[FakeAccount, ...] = (ORDERS, ANNA)
    guard: bool = False
    unresolvable: tuple[str, ...] = ()
    owner: str = "company"
    settings: dict[str, object] = attrs.field(factory=dict)
    says: str = ""
    fields: dict[str, object] = attrs.field(factory=dict)


def answered(target, member, code, **more):
    """Return that a call is answered by an HRESULT, always."""
    return Fault(target, member, hresult=code, **{"times": MANY, **more})


def at_activation(name, code, ends, says):
    fault = answered("Class", "Activate", code)
    return Scenario(
        name=name,
        ends=ends,
        says=says,
        faults=(fault,),
        settings={"attach_timeout": 1.0, "call_timeout": 1.0},
    )


def in_send(name, code, ends=OutcomeUnknown, **more):
    fault = Fault("MailItem", "Send", hresult=code, ran=more.pop("ran", False))
    return Scenario(name=name, ends=ends, faults=(fault,), **more)


SCENARIOS = (
    Scenario(name="all is well", ends=Receipt, sent=1, look="sent"),
    at_activation("not installed", 0x800401F3, Unavailable, "not installed"),
    at_activation("registration broken", 0x80040154, Unavailable, "Repair Office"),
    at_activation("new Outlook", 0x800401E3, Unavailable, "Microsoft 365"),
    at_activation("another privilege", 0x80080005, Unavailable, "administrator"),
    at_activation("aborted while it starts", 0x80004004, Unavailable, "privilege"),
    at_activation("wrong program", 0x800700C1, Unavailable, "Repair Office"),
    at_activation("busy until the end", 0x80010001, SendDeferred, "busy"),
    at_activation("no apartment", 0x800401F0, SendDeferred, "fault of pillarbox"),
    at_activation("wrong thread", 0x8001010E, SendDeferred, "fault of pillarbox"),
    at_activation("gone", 0x800706BA, SendDeferred, "closed"),
    Scenario(name="busy at first", ends=Receipt, sent=1, faults=(busy("Class", "Activate", 3),)),
    Scenario(name="busy in Send", ends=Receipt, sent=1, faults=(busy("MailItem", "Send", 3),)),
    Scenario(
        name="told to come later in Send",
        ends=Receipt,
        sent=1,
        faults=(Fault("MailItem", "Send", hresult=0x8001010A, times=2),),
    ),
    Scenario(
        name="busy in Send until the end",
        ends=SendDeferred,
        faults=(busy("MailItem", "Send", MANY),),
        settings={"send_timeout": 1.0},
    ),
    Scenario(
        name="guard denies Send", ends=SendRejected, faults=(denied("MailItem", "Send"),), says="Trust Center"
    ),
    Scenario(name="guard denies everything", ends=SendRejected, guard=True, says="Trust Center"),
    in_send("aborted, bare", 0x80004004, SendRejected, says="Trust Center"),
    in_send("aborted, and sent all the same", 0x80004004, sent=1, ran=True, look="sent"),
    in_send("gone in Send", 0x800706BE, look="absent"),
    in_send("gone behind Send", 0x800706BE, sent=1, ran=True, look="sent"),
    in_send("server unavailable in Send", 0x800706BA, look="absent"),
    in_send("disconnected in Send", 0x80010108, look="absent"),
    in_send("server died in Send", 0x80010007, look="absent"),
    in_send("not connected in Send", 0x800401FD, look="absent"),
    in_send("a recipient is not recognised", 0x80004005, SendRejected),
    Scenario(
        name="moved or deleted in Send, and still there",
        ends=SendDeferred,
        faults=(Fault("MailItem", "Send", hresult=EXCEPTION, scode=MOVED),),
        says="0x8004010A",
    ),
    Scenario(
        name="moved or deleted behind Send",
        ends=OutcomeUnknown,
        sent=1,
        faults=(Fault("MailItem", "Send", hresult=EXCEPTION, scode=MOVED, ran=True),),
        look="sent",
    ),
    at_activation("the registered program is not there", 0x80070002, Unavailable, "is not there"),
    Scenario(
        name="the profile does not open",
        ends=SendDeferred,
        faults=(answered("NameSpace", "Logon", 0x80004005),),
        says="did not open its profile",
    ),
    Scenario(
        name="an Outlook before 2010",
        ends=Unavailable,
        faults=(answered("MailItem", "SendUsingAccount", 0x80020006),),
        says="older than 2010",
    ),
    Scenario(
        name="an answer that nobody knows",
        ends=SendDeferred,
        faults=(Fault("MailItem", "Save", hresult=EXCEPTION, scode=0x80040119, text="Out of order."),),
        says="0x80040119: Out of order.",
    ),
    Scenario(
        name="nothing in the place of an object",
        ends=SendDeferred,
        faults=(Fault("Application", "GetNamespace", "silent", times=MANY),),
        says="gave nothing",
    ),
    Scenario(
        name="a file that Outlook can't read",
        ends=SendDeferred,
        faults=(Fault("Attachments", "Add", hresult=EXCEPTION, scode=0x80070002),),
        fields={"attachments": [Attachment("invoice.pdf", b"%PDF")]},
        says="could not read an attachment",
    ),
    Scenario(
        name="no right to send on behalf",
        ends=SendRejected,
        faults=(Fault("MailItem", "Send", hresult=EXCEPTION, scode=0x80004004),),
        settings={"on_behalf": "boss@acme.example"},
        says="did not let the program send",
    ),
    Scenario(
        name="crash in Send", ends=OutcomeUnknown, faults=(Fault("MailItem", "Send", "crash"),), look="absent"
    ),
    Scenario(
        name="crash behind Send",
        ends=OutcomeUnknown,
        sent=1,
        faults=(Fault("MailItem", "Send", "crash", ran=True),),
        look="sent",
    ),
    Scenario(name="crash before Send", ends=Receipt, sent=1, faults=(Fault("MailItem", "Save", "crash"),)),
    Scenario(
        name="a stall before Send",
        ends=SendDeferred,
        faults=(Fault("MailItem", "Save", "stall", seconds=30),),
        settings={"attach_timeout": 2.0, "call_timeout": 1.0},
    ),
    Scenario(
        name="the account does not stick",
        ends=SendDeferred,
        faults=(Fault("MailItem", "SendUsingAccount", "silent"),),
        says="did not keep",
    ),
    Scenario(
        name="an unknown recipient", ends=SendRejected, unresolvable=("ap@customer.example",), says="know"
    ),
    Scenario(name="no such profile", ends=SettingsError, settings={"profile": "Other"}, says="profile"),
    Scenario(name="a POP account", ends=SettingsError, accounts=(POP,), says="SMTP method"),
    Scenario(
        name="a POP account that may",
        ends=Receipt,
        sent=1,
        accounts=(POP,),
        settings={"accept": ("pop3",)},
    ),
    Scenario(name="no account", ends=SettingsError, accounts=(), says="no account"),
    Scenario(name="a personal account", ends=Receipt, sent=1, owner="user:anna"),
    Scenario(
        name="a personal account that Outlook has not",
        ends=SenderMismatch,
        accounts=(ORDERS,),
        owner="user:anna",
        says="orders@acme.example",
    ),
)
