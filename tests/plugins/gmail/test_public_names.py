"""The public face of the distribution: five names, imported when they are used, and no SDK before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pillarbox_gmail

FORM = """
from pillarbox_gmail import GmailConnector, GmailTransport
from pillarbox.settings import form
settings = GmailTransport.settings_class()
form(settings), form(GmailConnector.app_class())
GmailTransport.describe(settings()), GmailTransport.limits(settings()), GmailTransport.capabilities(None)
"""


def test_names() -> None:
    """The names are sorted, listed and there."""
    assert pillarbox_gmail.__all__ == sorted(pillarbox_gmail.__all__)
    assert set(pillarbox_gmail.__all__) <= set(dir(pillarbox_gmail))
    names = [getattr(pillarbox_gmail, name).__name__ for name in pillarbox_gmail.__all__]
    assert names == pillarbox_gmail.__all__


def test_others() -> None:
    """There is nothing else."""
    with pytest.raises(AttributeError, match="no attribute 'Gmail'"):
        _ = pillarbox_gmail.Gmail


@pytest.mark.parametrize(
    "code",
    [
        "import pillarbox_gmail",
        FORM,
        "from pillarbox_gmail import GmailTransport; GmailTransport(GmailTransport.settings_class()()).close()",
        "import pillarbox_gmail.suggestion; from pillarbox_gmail.findings import finding_codes; finding_codes()",
    ],
    ids=["import", "form", "made", "hook"],
)
def test_nothing_is_imported_before_it_is_needed(code: str) -> None:
    """Neither google.auth nor requests, nor TLS, to import it, to draw its form and to make a transport."""
    shown = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{shown}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"google", "requests", "urllib3", "ssl", "http.client", "cryptography", "jwt"} & set(
        done.stdout.split()
    )


def test_importing_the_package_imports_none_of_its_modules() -> None:
    """A host that does not use it pays nothing."""
    code = (
        "import sys, pillarbox_gmail; print([name for name in sys.modules if name.startswith('pillarbox')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['pillarbox_gmail']"
