"""Every code of a finding has a test that produces it, by a register whose claims are tried as the tests run.

A look for the code's name in the tests would be content with a test that makes the finding itself. So the register names one
test for each code, and `tests/conftest.py` lets that test fail when no module of pillarbox made such a finding while it ran.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from docs import facts

ROOT = facts.ROOT
REGISTER = tomllib.loads((ROOT / "tests/docs/finding_codes.toml").read_text("utf-8"))


def codes() -> set[tuple[str, str]]:
    """Return every code with the package that makes it, of the packages that the register knows."""
    packages = {
        cls.label or name: cls.__module__.partition(".")[0] for name, cls in facts.transports().items()
    }
    listed = {
        (packages.get(title, "pillarbox"), code)
        for title, found in facts.findings().items()
        for code in found
    }
    return {one for one in listed if one[0] in REGISTER}


def pairs(register: dict) -> set[tuple[str, str]]:
    return {(package, code) for package, found in register.items() for code in found}


def test_every_code_has_a_test() -> None:
    """A new code needs one; a code that is gone leaves the register."""
    assert codes() == pairs(REGISTER)


def test_every_test_that_is_named_is_there() -> None:
    """By its file and its function."""
    for found in REGISTER.values():
        for test in found.values():
            path, *_, name = test.partition("[")[0].split("::")
            assert f"def {name}(" in Path(ROOT / path).read_text("utf-8"), test
