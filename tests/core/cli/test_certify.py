"""`pillarbox certify`: by file, folder, name in Python, or installed distribution."""

from __future__ import annotations

import textwrap

import pytest

from pillarbox.testing import CONTRACT_VERSION

MEMORY = '''
from pillarbox.testing import Accepted, Box, MemorySettings, MemoryTransport, TransportContract
from pillarbox.testing import NotStaged


class Rude(MemoryTransport):
    """Shows the blind copies."""

    settings: MemorySettings

    def send(self, submission, journal):
        return super().send(submission, journal)


class Mine(TransportContract):
    def setup_method(self):
        self.box = Box.named("certified")
        self.box.clear()

    def make_transport(self):
        return MemoryTransport(MemorySettings(box="certified"))

    def accepted(self):
        return [Accepted(one.submission.content, one.submission.envelope.sender, one.to) for one in self.box.sent]
'''
WRONG = (
    MEMORY
    + """
    def expected_content(self, submission):
        return b"something else"
"""
)


def written(folder, text=MEMORY, name="test_mine.py"):
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(textwrap.dedent(text), "utf-8")
    return file


def test_a_test_file_is_certified(invoke, tmp_path):
    """With what could not be tried, and why."""
    done = invoke("certify", str(written(tmp_path / "t")))
    assert done.code == 0, done.out + done.err
    assert "untried  a_line_cut_before_the_hand_over_is_deferred" in done.out
    assert "It keeps the contract in what was tried;" in done.out
    assert "FAILED" not in done.out


def test_a_folder_is_searched(invoke, tmp_path):
    """For test files, whatever else lies there."""
    written(tmp_path / "t")
    written(tmp_path / "t", "raise SystemExit('never imported')", "conftest.py")
    assert invoke("certify", str(tmp_path / "t")).code == 0


def test_a_program_gets_each_case(invoke, tmp_path):
    """With counts, and the contract's version."""
    done = invoke("certify", str(written(tmp_path / "t", WRONG)), "--json")
    assert done.code == 1
    (one,) = done.json["certificates"]
    assert (done.json["kept"], one["kept"], one["version"]) == (False, False, CONTRACT_VERSION)
    assert one["counts"]["failed"] == sum(case["state"] == "failed" for case in one["cases"]) > 0
    assert one["counts"]["passed"] > 20


def test_what_fails_is_read_first(invoke, tmp_path):
    """And --all lists what passed as well."""
    done = invoke("certify", str(written(tmp_path / "t", WRONG)), "--all")
    marks = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ") and line.strip()][1:]
    assert marks[0] == "FAILED"
    assert marks[-1] == "ok"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("x = 1", 78, "has no class that inherits"),
        ("import nowhere_to_be_found", 69, "No module named 'nowhere_to_be_found'"),
        ("raise SystemExit(3)", 69, "SystemExit: 3"),
    ],
)
def test_what_is_no_contract_is_told(invoke, tmp_path, text, code, said):
    """Nothing is run, and nobody sees a traceback."""
    done = invoke("certify", str(written(tmp_path / "t", text)))
    assert done.code == code
    assert said in done.err


def test_a_name_in_python_is_certified(invoke):
    """MODULE:CLASS."""
    assert invoke("certify", "tests.contract.test_memory:TestMemory").code == 0


def test_what_is_nowhere_is_told(invoke):
    """Neither a file nor installed; installed without a contract."""
    assert "There is no file, folder or installed distribution 'pigeon'." in invoke("certify", "pigeon").err
    assert "has no class that inherits" in invoke("certify", "structlog").err
