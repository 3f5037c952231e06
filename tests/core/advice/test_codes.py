"""Every code that is given is described, and the other way round; each has a test beside this one."""

from __future__ import annotations

import re
from pathlib import Path

from pillarbox import _advice
from pillarbox._advice.codes import FINDINGS

CODE = re.compile(r'"(change-[a-z-]+)"')


def codes_in(folder: Path, *, but: str) -> set[str]:
    return {
        code
        for path in folder.glob("*.py")
        if path.name != but
        for code in CODE.findall(path.read_text("utf-8"))
    }


def test_the_codes_that_are_given_are_those_that_are_described():
    """None is missing, none is left over."""
    assert codes_in(Path(_advice.__file__).parent, but="codes.py") == set(FINDINGS)


def test_each_code_has_a_test():
    """That produces it, and names it."""
    assert codes_in(Path(__file__).parent, but="test_codes.py") >= set(FINDINGS)
