"""The contract is worth something: transports that are wrong in one way each are caught, by a case that names it."""

from __future__ import annotations

import pytest

from pillarbox.testing import run_cases
from tests import systems
from tests.contract import good
from tests.contract.good import Good, contract_of
from tests.contract.wrong import (
    arriving,
    batches,
    leaving,
    life,
    looking,
    marking,
    outcomes,
    promises,
    secrets,
    telling,
    together,
)
from tests.contract.wrong.caught import WRONG

TOPICS = (leaving, arriving, promises, marking, outcomes, telling, together, batches, looking, secrets, life)
RIGHT = [
    (good.Good, {}),
    (good.OneRequest, {}),
    (good.Drafting, {}),
    (good.Recognising, {}),
    (good.Choosy, {}),
    (good.ByFields, {"keeps_bytes": False}),
]


@pytest.mark.parametrize(("transport", "changes"), RIGHT, ids=[one.__name__ for one, _ in RIGHT])
def test_a_right_transport_passes_every_case(transport, changes):
    """No false alarm; what was not staged is what this carrier can't do."""
    results = run_cases(contract_of(transport, **changes))
    assert len(results) > 95
    assert [(one.case, one.reason) for one in results if one.state == "failed"] == []
    expected = {
        "the transport notes nothing",
        "the carrier takes no envelope",
        "attachments_of() is not written, and the carrier takes fields",
        "resend_safe_for is nothing: a key is not recognised",
        "the carrier takes fields, not bytes",
    }
    if systems.WINDOWS:
        expected.add("this system can't fork")
    assert {one.reason for one in results if one.state == "not staged"} <= expected


def tried(transport, case):
    """Return the parameters of a test; senders are killed only where they can be forked."""
    marks = [systems.forks] if case.startswith("killed_") or "forked" in case else []
    return pytest.param(transport, case, marks=marks, id=f"{transport.__name__}-{case}")


@pytest.mark.parametrize(("transport", "case"), [tried(*one) for one in WRONG])
def test_a_wrong_transport_is_caught(transport, case):
    """Each by the case that names what is wrong with it."""
    [result] = run_cases(contract_of(transport), only=case)
    assert result.state == "failed", result


def test_each_topic_has_its_wrong_ones():
    """A hundred and twenty and more, of every topic."""
    found = {transport for transport, _ in WRONG}
    assert len(found) > 120
    assert {transport.__module__ for transport in found} == {topic.__name__ for topic in TOPICS}


def test_every_case_has_caught_somebody():
    """A case that nothing can fail proves nothing."""
    assert {one.case for one in run_cases(contract_of(Good))} - {case for _, case in WRONG} == set()
