"""What EHLO offers is read, whatever the server's manners."""

from __future__ import annotations

import pytest

from pillarbox_smtp.capabilities import Capabilities
from tests.plugins.smtp.givens import replies


def _offered(*lines: str) -> Capabilities:
    [reply] = replies(
        "".join(f"250-{line}\r\n" for line in ("mail.example", *lines)).encode() + b"250 HELP\r\n"
    )
    return Capabilities.of(reply)


def test_everything() -> None:
    """All that pillarbox uses is recognised, in any case."""
    offered = _offered(
        "Pipelining",
        "SIZE 36700160",
        "StartTLS",
        "8bitmime",
        "SMTPUTF8",
        "DSN",
        "REQUIRETLS",
        "Chunking",
        "AUTH PLAIN login",
    )
    assert offered[2:] == (("PLAIN", "LOGIN"), True, True, True, True, True, True, True)
    assert offered.size == 36_700_160


@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE many", "SIZE ²", "SIZE -1"])
def test_no_limit(line: str) -> None:
    """SIZE without a number, or with 0, names no limit (RFC 1870 4)."""
    assert _offered(line).size is None
    assert "SIZE" in _offered(line).names


def test_old_form_of_auth() -> None:
    """AUTH=LOGIN of old servers counts too, and no mechanism is named twice."""
    assert _offered("AUTH=LOGIN PLAIN", "AUTH PLAIN CRAM-MD5").mechanisms == ("PLAIN", "CRAM-MD5", "LOGIN")


def test_greeting_line_is_no_capability() -> None:
    """A server that is called like an extension does not offer it."""
    [reply] = replies(b"250-STARTTLS\r\n250 SIZE 1000\r\n")
    assert not Capabilities.of(reply).starttls


def test_senseless_lines() -> None:
    """Empty lines and octets that are not ASCII are passed over."""
    [reply] = replies(b"250-mail.example\r\n250-\r\n250-\xff\xfe 1\r\n250 DSN\r\n")
    assert Capabilities.of(reply).dsn
