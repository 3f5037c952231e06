"""Holds the register of finding codes against what the tests that it names really produce."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pillarbox import Finding

ROOT = Path(__file__).resolve().parent.parent
_REGISTER = tomllib.loads((ROOT / "tests/docs/finding_codes.toml").read_text("utf-8"))
_produced: set[tuple[str, str]] = set()
"""The package that made a finding, and its code, since the test in hand began."""
_all: dict[str, dict[str, str]] = {}


def _named_by(test: str) -> set[tuple[str, str]]:
    """Return what the register says that *test* produces."""
    return {
        (package, code)
        for package, codes in _REGISTER.items()
        for code, named in codes.items()
        if named == test
    }


def _noting(make: Callable[..., None]) -> Callable[..., None]:
    """Return *make*, the constructor of a finding, noting each that a module of ours makes; a test's own is no proof."""

    @functools.wraps(make)
    def noted(self: Any, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        package = str(sys._getframe(1).f_globals.get("__name__", "")).partition(".")[0]
        if package.startswith("pillarbox"):
            _produced.add((package, self.code))

    return noted


Finding.__init__ = _noting(Finding.__init__)  # type: ignore[method-assign]


def _watch_smtp() -> None:
    """Note too what SMTP calls a failure on the way, and the trouble with a mailbox for copies.

    Its check tells both word for word (tests/plugins/smtp/test_check_codes.py).
    """
    from pillarbox_smtp import judgement

    mark = judgement.marked

    def marked(error: Any, finding: str, *given: Any, **named: Any) -> Any:
        _produced.add(("pillarbox_smtp", finding))
        return mark(error, finding, *given, **named)

    judgement.marked = marked  # before any module takes it by its name
    from pillarbox_smtp.imap_session import Trouble

    made = Trouble.__init__

    @functools.wraps(made)
    def noted(self: Any, code: str, *given: Any, **named: Any) -> None:
        made(self, code, *given, **named)
        _produced.add(("pillarbox_smtp", code))

    Trouble.__init__ = noted  # type: ignore[method-assign]


if importlib.util.find_spec("pillarbox_smtp") is not None:
    _watch_smtp()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let a test fail that does not produce the findings for which the register names it."""
    _produced.clear()
    yield
    for package, code in _produced:
        _all.setdefault(package, {}).setdefault(code, item.nodeid)
    missing = _named_by(item.nodeid) - _produced
    assert not missing, f"tests/docs/finding_codes.toml names this test for {sorted(missing)}"


def pytest_sessionfinish() -> None:
    """Write what was produced, and by which test first, where the environment asks for it; each process for itself."""
    if wanted := os.environ.get("FINDINGS_TO"):
        worker = os.environ.get("PYTEST_XDIST_WORKER")
        Path(f"{wanted}.{worker}" if worker else wanted).write_text(json.dumps(_all, indent=1), "utf-8")
