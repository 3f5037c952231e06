"""What one message may ask of SMTP."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox_smtp import SmtpOptions


def test_nothing_asked() -> None:
    """The defaults ask for nothing."""
    assert not SmtpOptions().wants_dsn
    assert not SmtpOptions().require_tls


@pytest.mark.parametrize(
    "given", [{"notify": "never"}, {"notify": ["success", "delay"]}, {"ret": "full"}, {"envid": "INV-1001"}]
)
def test_notifications(given: dict[str, Any]) -> None:
    """Each of the three needs the server's DSN extension."""
    assert SmtpOptions(**given).wants_dsn


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"notify": ["sometimes"]}, "notify: must be from"),
        ({"notify": ["never", "success"]}, "never stands alone"),
        ({"ret": "half"}, "ret: must be"),
        ({"envid": "x" * 101}, "envid: must be"),
        ({"envid": "a\r\nb"}, "envid: must be"),
        ({"envid": "ü"}, "envid: must be"),
    ],
)
def test_what_there_is_not(given: dict[str, Any], said: str) -> None:
    """Anything else is refused in a sentence."""
    with pytest.raises(ValueError, match=said):
        SmtpOptions(**given)
