"""What is missing is a failure that says what to do, and what was started ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.oauth import browser as browsers
from tests.oauth import program, provider

pytestmark = pytest.mark.services


def test_no_node_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    with (
        pytest.raises(
            RuntimeError, match=r"holds no oidc-provider. Install what is missing: .ci/install-servers"
        ),
        provider.running(tmp_path),
    ):
        pass


def test_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match=r"There is no chromium.*\.ci/install-servers"), browsers.running():
        pass


def test_a_program_that_does_not_start(tmp_path: Path) -> None:
    """Its last words are in the error."""
    with pytest.raises(RuntimeError, match=r"(?s)does not start.*TypeError"):
        program.Program({"nothing": "of use"}, tmp_path / "log")


def test_the_program_ends(tmp_path: Path) -> None:
    """It is gone as soon as nobody wants it."""
    with provider.running(tmp_path) as running:
        pid = running.pid
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_browser_ends_with_us(tmp_path: Path) -> None:
    """Also where we are killed."""
    started = subprocess.Popen([sys.executable, "-c", _SITTING], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    pids = [int(pid) for pid in started.stdout.readline().split()]
    started.kill()
    started.wait()
    started.stdout.close()
    assert len(pids) > 2
    for pid in pids:
        gone(pid)


_SITTING = """
import time
from pathlib import Path
from tests.oauth import browser

with browser.running() as running:
    running.open("about:blank")
    found, pids = [running._driver.service.process.pid], []
    while found:
        pids += found
        tasks = [task for one in found for task in Path(f"/proc/{one}/task").glob("*/children")]
        found = [int(pid) for task in tasks for pid in task.read_text().split()]
    print(*pids, flush=True)
    time.sleep(60)
"""


def gone(pid: int) -> None:
    """Wait until there is no such process."""
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < end, f"{pid} is still there"
        time.sleep(0.02)
