"""What goes wrong at which request of a fake, as a test planned it."""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping

import attrs


class Fault(enum.Enum):
    """What a fake does in place of the usual; nothing is processed but where it says so."""

    THROTTLED = "throttled"
    """429, with what the provider says of when to come back."""
    UNAVAILABLE = "unavailable"
    """503."""
    ERROR = "error"
    """500."""
    SLOW = "slow"
    """The usual, after `seconds`."""
    HANG = "hang"
    """No answer; the connection stays open until the client leaves it or the fake stops."""
    CUT_BEFORE = "cut before"
    """The connection is closed without an answer."""
    CUT_AFTER = "cut after"
    """The request is processed, then the connection is closed without an answer."""
    GARBAGE = "garbage"
    """The request is processed and answered 200 with octets that are no JSON."""
    UNAUTHORIZED = "unauthorized"
    """401, as for a token that is no longer good."""


@attrs.frozen
class Answer:
    """An answer in the provider's own shape of errors, for any row of its table.

    Attributes:
        status: Of HTTP: 403 ...
        code: The provider's word for it: `ErrorSendAsDenied`, `rateLimitExceeded` ...
        message: Its text; "" for the usual one.
        headers: More headers.
        processed: Whether the request is carried out all the same, behind the error's back.
    """

    status: int
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    processed: bool = False


@attrs.define
class Plan:
    """A fault that waits for its requests; seconds where there is a time."""

    fault: Fault | Answer
    times: int
    after: int
    retry_after: float | None
    seconds: float


class Faults:
    """The plans for each step, used up one after the other."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._plans: dict[str, list[Plan]] = {}

    def add(self, step: str, plan: Plan) -> None:
        """Let *plan* happen at *step* when those before it are used up.

        Raises:
            ValueError: It would happen less than once, or a time is negative.
        """
        if plan.times < 1 or plan.after < 0 or plan.seconds < 0 or (plan.retry_after or 0) < 0:
            raise ValueError(f"Give a fault times of at least 1, and no negative numbers, not {plan}.")
        with self._gate:
            self._plans.setdefault(step, []).append(plan)

    def clear(self) -> None:
        """Forget all plans."""
        with self._gate:
            self._plans.clear()

    def take(self, step: str) -> Plan | None:
        """Return what happens to the request of *step* that has just come, None for the usual."""
        with self._gate:
            plans = self._plans.get(step)
            if not plans:
                return None
            plan = plans[0]
            if plan.after:
                plan.after -= 1
                return None
            plan.times -= 1
            if not plan.times:
                plans.pop(0)
            return plan
