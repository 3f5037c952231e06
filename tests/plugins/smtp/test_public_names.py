"""The public face of the distribution: five names, imported when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pillarbox_smtp


def test_names() -> None:
    """The names are sorted, listed and there."""
    assert pillarbox_smtp.__all__ == sorted(pillarbox_smtp.__all__)
    assert set(pillarbox_smtp.__all__) <= set(dir(pillarbox_smtp))
    assert [
        getattr(pillarbox_smtp, name).__name__ for name in pillarbox_smtp.__all__
    ] == pillarbox_smtp.__all__


def test_others() -> None:
    """There is nothing else."""
    with pytest.raises(AttributeError, match="no attribute 'SmtpBackend'"):
        _ = pillarbox_smtp.SmtpBackend


def test_import_costs_nothing() -> None:
    """Importing the package imports none of its modules."""
    code = "import sys, pillarbox_smtp; print([name for name in sys.modules if name.startswith('pillarbox')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "['pillarbox_smtp']"
