"""The journals of the contract watch an attempt, outlive a process, and end one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pillarbox import SendDeferred
from pillarbox.testing._contract._journals import REACHED, Durable, Watched


def test_the_mark_is_told_before_it_is_made():
    """And each entry is counted."""
    seen = []
    journal = Watched(lambda: seen.append(journal.handed_over))
    for _ in range(2):
        with journal.handing_over():
            assert journal.handed_over
    assert (seen, journal.entered) == ([False], 2)


def test_a_watched_journal_can_be_called_off():
    """It is a journal like any other."""
    journal = Watched()
    assert journal.call_off()
    with pytest.raises(SendDeferred), journal.handing_over():
        raise AssertionError("it was handed over")


def test_what_was_written_is_read_by_another(tmp_path):
    """Notes, the last of each name, and the mark."""
    journal = Durable(tmp_path / "journal")
    journal.note("draft", "one\ntwo")
    journal.note("draft", "three")
    journal.note("é", '"')
    assert Durable.read(tmp_path / "journal").handed_over is False
    with journal.handing_over():
        found = Durable.read(tmp_path / "journal")
    assert (found.notes, found.handed_over) == ({"draft": "three", "é": '"'}, True)


def test_where_nothing_was_written_nothing_is_known(tmp_path):
    """No file is no journal."""
    found = Durable.read(tmp_path / "journal")
    assert (found.notes, found.handed_over) == ({}, False)


DYING = """
import sys
from pathlib import Path
from pillarbox.testing._contract._journals import Mortal
journal = Mortal(Path(sys.argv[1]), sys.argv[2])
journal.note("draft", "7")
with journal.handing_over():
    print("submitted", flush=True)
"""


@pytest.mark.parametrize(
    ("point", "handed_over", "said"),
    [("noted", False, ""), ("before", False, ""), ("marked", True, ""), ("never", True, "submitted\n")],
)
def test_a_process_ends_at_its_point(tmp_path, point, handed_over, said):
    """With its journal written so far, and nothing submitted."""
    command = [sys.executable, "-c", DYING, str(tmp_path / "journal"), point]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0 if point == "never" else REACHED, said), done.stderr
    found = Durable.read(tmp_path / "journal")
    assert (found.notes, found.handed_over) == ({"draft": "7"}, handed_over)
