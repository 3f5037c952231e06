"""What goes wrong in the fake Outlook, as data: at which call of which member, how often, and how."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

CALL_REJECTED = 0x80010001
"""RPC_E_CALL_REJECTED: the call was refused before it ran, since Outlook is busy."""
CALL_FAILED = 0x800706BE
"""RPC_S_CALL_FAILED: Outlook went away while the call ran."""
SERVER_UNAVAILABLE = 0x800706BA
"""RPC_S_SERVER_UNAVAILABLE: Outlook is gone."""
EXCEPTION = 0x80020009
"""DISP_E_EXCEPTION: what happened stands in the scode."""
ABORT = 0x80004004
"""E_ABORT: a person or a policy refused."""
FAIL = 0x80004005
MOVED = 0x8004010A
"""MAPI_E_OBJECT_DELETED: the item has been moved or deleted."""
NOT_FOUND = 0x8004010F
UNKNOWN_NAME = 0x80020006
MEMBER_NOT_FOUND = 0x80020003
FILE_NOT_FOUND = 0x80070002
ACTIONS = ("error", "crash", "stall", "silent")


class OutlookFault(Exception):
    """An HRESULT, as COM hands it to the caller.

    Attributes:
        hresult: Unsigned, of 32 bits.
        scode: What the EXCEPINFO says where the HRESULT is DISP_E_EXCEPTION; else 0.
        text: Outlook's words.
    """

    def __init__(self, hresult: int, scode: int = 0, text: str = "") -> None:
        super().__init__(f"0x{hresult:08X} {text}".rstrip())
        self.hresult = hresult
        self.scode = scode
        self.text = text


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens at a call, in place of the usual.

    Attributes:
        target: The class of the object: `MailItem`; `Class` for the activation of Outlook.
        member: The member: `Send`; `Activate` for the activation.
        action: `error` answers with the HRESULT; `crash` ends Outlook inside the call; `stall` waits, then runs the
            call; `silent` answers as if it had run.
        nth: The first call of that member that it meets, from 1.
        times: How many calls it meets, one after the other.
        hresult, scode, text: The answer of an `error`.
        ran: Whether the call takes effect before an `error` or a `crash`.
        seconds: How long a `stall` takes.
    """

    target: str
    member: str
    action: str = "error"
    nth: int = 1
    times: int = 1
    hresult: int = CALL_REJECTED
    scode: int = 0
    text: str = ""
    ran: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {self.action!r}")

    def to_json(self) -> dict[str, Any]:
        """Return it as an object of JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Fault:
        """Return the fault that `to_json` wrote."""
        return cls(**value)

    def error(self) -> OutlookFault:
        """Return what the caller gets."""
        return OutlookFault(self.hresult, self.scode, self.text)


def busy(target: str, member: str, times: int) -> Fault:
    """Return that Outlook refuses *times* calls, being busy."""
    return Fault(target, member, times=times, hresult=CALL_REJECTED, text="Call was rejected by callee.")


def denied(target: str, member: str) -> Fault:
    """Return that the object model guard denies a call, now and always."""
    return Fault(target, member, times=1_000_000, hresult=EXCEPTION, scode=ABORT, text="Operation aborted")


class Script:
    """The faults of a world, and how often each has happened."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        self.met: list[int] = [0] * len(faults)
        """How many calls of its member each fault has seen."""

    def next(self, target: str, member: str) -> Fault | None:
        """Count a call, and return what happens at it."""
        found = None
        for number, fault in enumerate(self.faults):
            if (fault.target, fault.member) == (target, member):
                self.met[number] += 1
                if found is None and fault.nth <= self.met[number] < fault.nth + fault.times:
                    found = fault
        return found
