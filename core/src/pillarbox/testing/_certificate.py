"""certify(): a transport held to the contract, as a report that says what was tried, what failed and what nobody could try."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from .._mail import now
from ._contract import CONTRACT_VERSION, CaseResult, NotStaged, TransportContract, run_cases
from ._contract._running import cases_of


@attrs.frozen(kw_only=True)
class Certificate:
    """How a transport stands to the contract.

    Attributes:
        transport: The class, `module.Name`.
        contract: The class that was run, `module.Name`.
        label: What a person calls the method.
        version: The contract's.
        results: Each case, in order.
        at: When it was run, aware.
        seconds: How long it took.
    """

    transport: str
    contract: str
    label: str = ""
    version: str = CONTRACT_VERSION
    results: tuple[CaseResult, ...] = ()
    at: dt.datetime = attrs.field(factory=now)
    seconds: float = 0.0

    def of(self, state: str) -> tuple[CaseResult, ...]:
        """Return the cases that ended as *state*: `passed`, `failed` or `not staged`."""
        return tuple(one for one in self.results if one.state == state)

    @property
    def is_seen(self) -> bool:
        """Whether anybody looked at what the carrier got: without that, next to nothing is known."""
        return any(one.case == SEEN and one.state != "not staged" for one in self.results)

    @property
    def is_kept(self) -> bool:
        """Whether the transport keeps the contract: nothing failed, and what the carrier got was looked at."""
        return bool(self.results) and self.is_seen and not self.of("failed")

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        failed, untried = len(self.of("failed")), len(self.of("not staged"))
        if failed:
            return f"It does not keep the contract: {failed} of {len(self.results)} cases failed."
        if not self.is_seen:
            return "It is not known whether it keeps the contract: accepted() is not written, so nobody saw what it sent."
        if untried:
            return (
                f"It keeps the contract in what was tried; {untried} of {len(self.results)} cases were not."
            )
        return f"It keeps the contract: all {len(self.results)} cases passed."


SEEN = "one_send_is_one_message"
"""The case that looks at what the carrier got, whatever the transport."""


def certify(
    contract: type[TransportContract], *, tell: Callable[[CaseResult], None] | None = None
) -> Certificate:
    """Run every case of *contract*, and return how the transport stands.

    Args:
        contract: What its author wrote: a class that inherits `TransportContract`.
        tell: Called with each case as it ends; silences and kills take seconds.
    """
    begun = now()
    results = []
    for name in cases_of(contract):
        results.extend(run_cases(contract, only=name))
        if tell is not None:
            tell(results[-1])
    kind = _class_under_test(contract)
    return Certificate(
        transport=named(kind) if kind is not None else "",
        contract=named(contract),
        label=kind.label if kind is not None else "",
        results=tuple(results),
        at=begun,
        seconds=round((now() - begun).total_seconds(), 3),
    )


def named(kind: type[Any]) -> str:
    """Return `module.Name`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _class_under_test(contract: type[TransportContract]) -> Any:
    """Return the transport's class, or None where none can be made: then every case has failed and says why."""
    ground = contract()
    try:
        _call(ground, "setup_method")
        try:
            return ground.transport_class()
        finally:
            _call(ground, "teardown_method")
    except (Exception, NotStaged):  # noqa: BLE001  (told by the cases)
        return None


def _call(instance: object, name: str) -> None:
    method = getattr(instance, name, None)
    if method is not None:
        method()


def contracts_in(values: Sequence[Any]) -> list[type[TransportContract]]:
    """Return the contracts among *values* that somebody wrote, each once, those first that are written first."""
    found = [
        one
        for one in values
        if inspect.isclass(one) and issubclass(one, TransportContract) and one is not TransportContract
    ]
    return list(dict.fromkeys(found))
