"""Whom Microsoft 365 is offered to."""

from __future__ import annotations

import pytest

from pillarbox_m365.suggestion import pillarbox_suggest


@pytest.mark.parametrize(
    "mx",
    ["acme-example.mail.protection.outlook.com", "ACME.Mail.Protection.Outlook.com.", "a.b-v1.mx.microsoft"],
)
def test_exchange_online_is_known_by_its_mail_exchanger(mx: str) -> None:
    """In whatever case it is written."""
    found = pillarbox_suggest("acme.example", ("mx.elsewhere.example", mx))
    assert found is not None
    assert found.method == "m365"
    assert "acme.example" in found.reason


@pytest.mark.parametrize("domain", ["outlook.com", "Hotmail.com"])
def test_microsofts_own_domains(domain: str) -> None:
    """Their mail exchangers have other names."""
    found = pillarbox_suggest(domain, ())
    assert found is not None
    assert found.method == "m365"


@pytest.mark.parametrize("mx", ["mx.google.com", "mail.protection.outlook.com.evil.example", "outlook.com"])
def test_nobody_else(mx: str) -> None:
    """A name that only looks like it is none."""
    assert pillarbox_suggest("acme.example", (mx,)) is None
