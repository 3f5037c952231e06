"""How the values of fields are read and checked that more than one settings class has."""

from __future__ import annotations

import enum
import ipaddress
import re

from pillarbox import Address, MessageError

HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
"""A server's name, in lower case."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Encryption(enum.Enum):
    """How the connection is protected. What is chosen is required; there is no falling back."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"

    @property
    def port(self) -> int:
        """The port that goes with it."""
        return {Encryption.NONE: 25, Encryption.STARTTLS: 587, Encryption.TLS: 465}[self]


def host(value: str) -> str:
    """Return a server's name in its one spelling: lower case, A-labels, no brackets, no last dot."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004  (a problem of settings, not of the program)
    host = value.strip().removeprefix("[").removesuffix("]").removesuffix(".").lower()
    if host.isascii():
        return host
    try:
        return Address(f"postmaster@{host}").wire.rpartition("@")[2]
    except MessageError:
        return host


def is_host(host: str) -> None:
    """Raise ValueError where *host* is no name of a server."""
    if not host:
        raise ValueError("must name the mail server, such as smtp.example.com")
    if (HOST.fullmatch(host) and len(host) <= 253 and ".." not in host) or is_address(host):
        return
    raise ValueError(f"must be a server's name such as smtp.example.com, not {host!r:.80}")


def is_address(host: str) -> bool:
    """Whether *host* is a numeric address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def fingerprint(value: str) -> str:
    """Return a fingerprint in its one spelling: lower case, without colons."""
    return value.replace(":", "").replace(" ", "").lower() if isinstance(value, str) else value


def is_fingerprint(value: str) -> None:
    """Raise ValueError where *value* is no SHA-256."""
    if value and not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("must be the SHA-256 fingerprint of the certificate: 64 hexadecimal digits")


def is_plain(value: str) -> None:
    """Raise ValueError where *value* holds control characters."""
    if _CONTROL.search(value):
        raise ValueError("must not hold control characters")
