"""What is missing is a failure that says what to do, and what was started ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.oauth import browser as browsers
from tests.oauth import program, provider

if TYPE_CHECKING:
    from pathlib import Path

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
