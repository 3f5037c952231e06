"""The forked children of tests end, whatever they do."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests import forking, systems

pytestmark = systems.forks


def test_a_child_that_did_its_work_ends_well():
    """Whatever it returns: only raising says that it failed."""
    assert forking.ended(forking.child(lambda: False)) == 0


@pytest.mark.parametrize(
    "raised", [RuntimeError, AssertionError, SystemExit, KeyboardInterrupt, pytest.fail.Exception]
)
def test_a_child_that_raised_ends_there_and_says_why(raised, capfd):
    """It never goes on with the tests of its parent."""
    parent = os.getpid()

    def work():
        raise raised("put failed")

    assert forking.ended(forking.child(work)) == 1
    assert os.getpid() == parent
    assert "put failed" in capfd.readouterr().err


def test_a_child_that_stands_still_is_killed():
    """A lock that a thread of its parent held is held in it for ever."""
    assert forking.ended(forking.child(lambda: time.sleep(60)), seconds=0.1) == -signal.SIGKILL
