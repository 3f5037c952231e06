"""What a test plans happens to the requests it means, and to no others."""

from __future__ import annotations

import pytest

from pillarbox.testing._http.faults import Fault, Faults, Plan


def plan(fault: Fault = Fault.ERROR, *, times: int = 1, after: int = 0, seconds: float = 0.0) -> Plan:
    return Plan(fault, times, after, None, seconds)


def taken(faults: Faults, step: str, most: int) -> list[Fault | None]:
    found = [faults.take(step) for _ in range(most)]
    return [one and one.fault for one in found]  # type: ignore[misc]


def test_a_fault_happens_so_often():
    faults = Faults()
    faults.add("send", plan(times=2))
    assert taken(faults, "send", 3) == [Fault.ERROR, Fault.ERROR, None]


def test_a_fault_waits_for_those_before():
    faults = Faults()
    faults.add("send", plan(after=2))
    assert taken(faults, "send", 4) == [None, None, Fault.ERROR, None]


def test_faults_follow_one_another():
    faults = Faults()
    faults.add("send", plan(Fault.SLOW))
    faults.add("send", plan(Fault.HANG, after=1))
    assert taken(faults, "send", 4) == [Fault.SLOW, None, Fault.HANG, None]


def test_a_fault_is_of_its_step():
    faults = Faults()
    faults.add("send", plan())
    assert taken(faults, "get", 2) == [None, None]


@pytest.mark.parametrize(
    "wrong", [plan(times=0), plan(after=-1), plan(seconds=-0.1), Plan(Fault.THROTTLED, 1, 0, -1, 0)]
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: Plan):
    with pytest.raises(ValueError, match="times"):
        Faults().add("send", wrong)
