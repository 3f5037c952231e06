"""Providers known by their servers' names."""

from __future__ import annotations

import pytest

from pillarbox_smtp.hosts import host


@pytest.mark.parametrize("server", ["smtp.gmail.com", "smtp.office365.com", "smtp-mail.outlook.com"])
def test_those_that_file_a_copy(server: str) -> None:
    """Gmail, Microsoft 365 and Outlook.com file what they submit (rule 30)."""
    assert host(server).files_copy
    assert host(server).provider


def test_any_other() -> None:
    """Of other servers nothing is assumed, of look-alikes neither."""
    assert not any(host("smtp.gmail.com.acme.example"))
