"""run_cases(): the contract without pytest, for reports."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs

from ._ground import NotStaged

CaseState: TypeAlias = Literal["passed", "failed", "not staged"]


@attrs.frozen
class CaseResult:
    """How one case ended.

    Attributes:
        case: Its name, stable: `bcc_gets_it_and_is_not_shown`. It is the name of its method without `test_`.
        meaning: Its sentence.
        state: `passed`, `failed` or `not staged`.
        reason: What was wrong, or why it could not be staged.
    """

    case: str
    meaning: str
    state: CaseState
    reason: str = ""


def run_cases(contract: type[Any], *, only: str = "") -> list[CaseResult]:
    """Run the cases of *contract* outside pytest, each on an instance of its own, and return how they ended.

    `setup_method` and `teardown_method` are called around each; pytest's fixtures are not.

    Args:
        contract: A class that inherits `TransportContract` or `OutboxContract`.
        only: The name of one case, to run no other.
    """
    cases = cases_of(contract)
    return [_run(contract, name, case) for name, case in cases.items() if only in {"", name}]


def cases_of(contract: type[Any]) -> dict[str, Callable[[Any], None]]:
    """Return the cases of *contract* by name, in the order in which they are written."""
    written = [name for cls in reversed(contract.__mro__) for name in vars(cls) if name.startswith("test_")]
    found = {name: getattr(contract, name) for name in dict.fromkeys(written)}
    return {name.removeprefix("test_"): case for name, case in found.items() if callable(case)}


def _run(contract: type[Any], name: str, case: Callable[[Any], None]) -> CaseResult:
    meaning = (inspect.getdoc(case) or "").partition("\n")[0]
    instance = contract()
    try:
        _call(instance, "setup_method")
        try:
            case(instance)
        finally:
            _call(instance, "teardown_method")
    except NotStaged as reason:
        return CaseResult(name, meaning, "not staged", str(reason))
    except Exception as problem:  # noqa: BLE001  (whatever a transport raises is a case that failed)
        return CaseResult(name, meaning, "failed", f"{type(problem).__name__}: {problem}")
    return CaseResult(name, meaning, "passed")


def _call(instance: Any, name: str) -> None:
    method = getattr(instance, name, None)
    if method is not None:
        method()
