"""The pytest plugin: light at the start, a fixture when it is asked for, and skips that are shown as skips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *arguments: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in *folder* over *files*, with nothing of this checkout's configuration."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


LISTING = """
import json, sys
def pytest_collection_finish():
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""


def test_a_run_that_uses_no_fixture_imports_nothing_of_pillarbox(tmp_path):
    """But for the plugin and the empty packages above it."""
    done = run(tmp_path, "-p", "no:anyio", conftest=LISTING, test_one="def test_one():\n    pass\n")
    assert done.returncode == 0, done.stdout
    loaded = set(json.loads((tmp_path / "modules.json").read_text()))
    ours = {name for name in loaded if name.partition(".")[0].startswith("pillarbox")}
    assert ours == {"pillarbox", "pillarbox.testing", "pillarbox.testing._pytest"}
    assert not loaded & {"attrs", "cattrs", "structlog", "ssl", "idna"}


FIXTURE = """
from pillarbox import Message
def test_it(mailbox):
    mailbox.mailer().send(Message(to="ap@customer.example", subject="s", text="t"))
    assert mailbox.only().shown == "orders@acme.example"
def test_it_is_fresh(mailbox):
    mailbox.assert_nothing_sent()
"""


def test_the_fixture_is_there_without_an_import(tmp_path):
    """One for each test."""
    done = run(tmp_path, "-W", "error", test_it=FIXTURE)
    assert "2 passed" in done.stdout, done.stdout


INHERITING = """
from pillarbox.testing import MemorySettings, MemoryTransport, TransportContract
class TestMine(TransportContract):
    def make_transport(self):
        return MemoryTransport(MemorySettings(box="mine"))
class NotToBeCollected(TransportContract):
    __test__ = False
"""


def test_three_lines_are_a_test_class(tmp_path):
    """The base is not collected, the author's class is; what was not staged is skipped, with its reason."""
    done = run(tmp_path, "-rs", test_mine=INHERITING)
    assert done.returncode == 0, done.stdout
    assert "accepted() is not written: what the carrier got can't be looked at" in done.stdout
    assert " passed" in done.stdout
    assert " skipped" in done.stdout
    assert "NotToBeCollected" not in done.stdout


def test_a_case_that_fails_says_what_is_wrong(tmp_path):
    """In a sentence, and pytest shows the values."""
    wrong = INHERITING.replace(
        "class TestMine", "class Wrong(MemoryTransport):\n    label = ''\nclass TestMine"
    )
    done = run(tmp_path, test_mine=wrong.replace("return MemoryTransport", "return Wrong"))
    assert done.returncode == 1
    assert "label is what a person calls the method, and it is empty" in done.stdout


def test_the_entry_point_is_declared():
    """Pytest finds the plugin by it."""
    from importlib.metadata import entry_points

    [point] = [one for one in entry_points(group="pytest11") if one.name == "pillarbox"]
    assert point.value == "pillarbox.testing._pytest"
