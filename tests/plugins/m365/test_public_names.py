"""The public face of the distribution, and what it costs to look at it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pillarbox_m365

_DRAWN = """
import sys, pillarbox_m365
from pillarbox.settings import form
assert form(pillarbox_m365.M365Settings) and form(pillarbox_m365.M365App)
pillarbox_m365.M365Transport.describe(pillarbox_m365.M365Settings())
pillarbox_m365.M365Connector
print(*sorted({"msal", "requests", "cryptography", "http.client"} & set(sys.modules)))
"""


def test_names() -> None:
    """The names are sorted, listed and there."""
    assert pillarbox_m365.__all__ == sorted(pillarbox_m365.__all__)
    assert set(pillarbox_m365.__all__) <= set(dir(pillarbox_m365))
    assert [
        getattr(pillarbox_m365, name).__name__ for name in pillarbox_m365.__all__
    ] == pillarbox_m365.__all__


def test_others() -> None:
    """There is nothing else."""
    with pytest.raises(AttributeError, match="no attribute 'Graph'"):
        _ = pillarbox_m365.Graph


def test_import_costs_nothing() -> None:
    """Importing the package imports none of its modules."""
    code = "import sys, pillarbox_m365; print([name for name in sys.modules if name.startswith('pillarbox')])"
    assert _printed(code) == "['pillarbox_m365']"


def test_drawing_its_forms_imports_no_sdk() -> None:
    """Neither MSAL nor requests is there before somebody signs in."""
    assert "msal" not in _printed(_DRAWN).split()
    assert "requests" not in _printed(_DRAWN).split()


def _printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()
