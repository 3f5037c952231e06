"""Ports of the loopback address that belong to one test server, as long as it lives."""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import Final

import attrs

HOST: Final = "127.0.0.1"
_RANGE: Final = range(20_000, 32_000)  # below those that Linux gives to outgoing connections
_TRIES: Final = 100


@attrs.frozen
class Port:
    """A port that no other test server of this machine uses until `release`.

    Postfix binds with SO_REUSEPORT: two of them would share a port without an error, and take turns at its
    connections. So each port is first claimed by a Unix socket of its number in the abstract namespace, which
    the kernel gives to one process only, and takes back when that ends.
    """

    number: int
    _claim: socket.socket

    def release(self) -> None:
        """Lets others have the port."""
        self._claim.close()


def claim_port() -> Port:
    """A random port on which nobody listens, claimed for the caller.

    Raises:
        OSError: in a hundred tries there was none.
    """
    for _ in range(_TRIES):
        number = secrets.choice(_RANGE)
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            claim.bind(f"\0pillarbox-services-port-{number}")
            if not taken(number):
                return Port(number, claim)
        claim.close()
    raise OSError(
        f"no free port of {HOST} between {_RANGE.start} and {_RANGE.stop} was found in {_TRIES} tries"
    )


def taken(number: int) -> bool:
    """Whether a program holds this port."""
    try:
        socket.create_server((HOST, number)).close()
    except OSError:
        return True
    return False
