"""Gmail is offered where Google has the mail."""

from __future__ import annotations

import pytest

from pillarbox_gmail.suggestion import pillarbox_suggest


@pytest.mark.parametrize(
    ("domain", "mx", "offered"),
    [
        ("gmail.com", (), True),
        ("GoogleMail.com.", (), True),
        ("acme.example", ("aspmx.l.google.com.", "alt1.aspmx.l.google.com"), True),
        ("acme.example", ("SMTP.GOOGLE.COM",), True),
        ("acme.example", ("mx.evilgoogle.com", "google.com.evil.example"), False),
        ("acme.example", ("acme-example.mail.protection.outlook.com",), False),
        ("acme.example", (), False),
    ],
)
def test_where_it_fits(domain: str, mx: tuple[str, ...], offered: bool) -> None:
    """By the mail exchangers, or the domain itself."""
    found = pillarbox_suggest(domain, mx)
    assert (found is not None) is offered
    assert found is None or (found.method, bool(found.reason and found.drawbacks)) == ("gmail", True)


def test_core_asks_it() -> None:
    """By its entry point, without a distribution of Google's being imported."""
    from pillarbox import Plugins

    found = Plugins(allowed=("pillarbox-gmail",)).hooks.pillarbox_suggest(domain="gmail.com", mx=())
    assert [one.method for one in found] == ["gmail"]
