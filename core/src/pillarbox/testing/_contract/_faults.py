"""The ways in which a carrier can be made to misbehave, and what each has to end in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from ..._errors import OutcomeUnknown, PillarboxError, SendDeferred, SendRejected, SignInNeeded
from ..._mail import Receipt

Ends: TypeAlias = type[Receipt] | type[PillarboxError]


@attrs.frozen
class Fault:
    """One way in which a carrier misbehaves.

    Attributes:
        does: What it does, a sentence.
        ends_in: What an honest transport makes of it: one of these.
        handed_over: Whether the hand-over must have been marked; None where it may come sooner or later (a provider
            of one request refuses the sender in the answer to the content).
    """

    does: str
    ends_in: tuple[Ends, ...]
    handed_over: bool | None = None


FAULTS: Mapping[str, Fault] = {
    "unreachable": Fault(
        "It can't be reached: nothing answers, or the line ends at once.", (SendDeferred,), False
    ),
    "cut before": Fault("The line ends before any content is asked for.", (SendDeferred,), False),
    "silent before": Fault("It says nothing more before any content is asked for.", (SendDeferred,), False),
    "credential refused": Fault("It refuses the credential.", (SignInNeeded,)),
    "credential refused for now": Fault("It takes no sign-in now.", (SendDeferred,)),
    "sender refused": Fault("It does not let the account show the address.", (SendRejected,)),
    "sender refused for now": Fault("It takes nothing from the sender now.", (SendDeferred,)),
    "recipient refused": Fault("It refuses every recipient for good.", (SendRejected,)),
    "recipient refused for now": Fault("It refuses every recipient for now.", (SendDeferred,)),
    "one recipient refused": Fault(
        "It refuses the last recipient for good and takes the others.", (Receipt,), True
    ),
    "one recipient refused for now": Fault(
        "It refuses the last recipient for now and takes the others.", (Receipt,), True
    ),
    "content refused": Fault("It refuses what the message says.", (SendRejected,)),
    "content refused for now": Fault("It can't take the message now.", (SendDeferred,)),
    "cut inside": Fault(
        "The line ends while the content is on its way.", (OutcomeUnknown, SendDeferred), True
    ),
    "cut after": Fault(
        "It has all of the message, and the line ends without an answer.", (OutcomeUnknown,), True
    ),
    "silent after": Fault("It has all of the message, and says nothing.", (OutcomeUnknown,), True),
    "nonsense after": Fault(
        "It has all of the message, and answers what is no answer.", (OutcomeUnknown,), True
    ),
    "second message refused": Fault("It refuses the second message of a batch for good.", (SendRejected,)),
    "second message lost": Fault(
        "The line ends behind the second message of a batch.", (OutcomeUnknown,), True
    ),
}
"""What `TransportContract.stage` may be asked for. The names are stable."""
