"""The contract of outboxes is worth something: each wrong one is caught, by a case that names what is wrong with it."""

from __future__ import annotations

import pytest

from pillarbox.testing import OutboxContract, run_cases
from tests import systems
from tests.contract.wrong.outboxes import WRONG

FORKS = {"killed", "several", "a_worker_that_stands"}


def contract_of(kind):
    """Return the contract for outboxes of one *kind*."""

    class Contract(OutboxContract):
        __test__ = False
        patience = 3.0

        def outbox(self, path, settings, clock):
            return kind(path, settings, clock=clock)

    return Contract


def tried(kind, case):
    """Return the parameters of a test; processes are killed only where they can be forked."""
    marks = [systems.forks] if any(word in case for word in FORKS) else []
    return pytest.param(kind, case, marks=marks, id=f"{kind.__name__}-{case}")


@pytest.mark.parametrize(("kind", "case"), [tried(*one) for one in WRONG])
def test_a_wrong_outbox_is_caught(kind, case):
    """Each by the case that names it; what kills at random moments may have to kill a few times more."""
    for _ in range(8 if case.startswith("killed") else 1):
        [result] = run_cases(contract_of(kind), only=case)
        if result.state == "failed":
            break
    assert result.state == "failed", result


def test_there_are_two_dozen_of_them():
    """And the cases of every topic have caught somebody."""
    assert len({kind for kind, _ in WRONG}) >= 24
    for topic in OutboxContract.__mro__[1:10]:
        assert any(f"test_{case}" in vars(topic) for _, case in WRONG), topic
