"""The questions of one look at a domain: each asked once, all within one time, at most so many."""

from __future__ import annotations

import time
from typing import Any

from .._dns import Dns
from .._errors import SendDeferred

MOST = 60
"""Questions. A record that RFC 7208 allows leads to fewer, so only a hostile one meets it."""
ONE = 4.0
"""Seconds for one question."""
LONGEST = 4096
"""Octets of a text that are read: SPF asks for records below 450 (RFC 7208 3.4)."""


class Asking:
    """Asks *dns* within *seconds*."""

    def __init__(self, dns: Dns, seconds: float) -> None:
        self._dns = dns
        self._give_up = time.monotonic() + seconds
        self._known: dict[tuple[str, str], tuple[Any, ...]] = {}

    def texts(self, name: str) -> list[str]:
        """Return the TXT records under *name*, each joined of its pieces (RFC 7208 3.3).

        Raises:
            SendDeferred: There was no answer in time.
            Unavailable: dnspython is not installed.
        """
        joined = (b"".join(one.strings)[:LONGEST] for one in self._records(name, "TXT"))
        return [text.decode("ascii", "replace") for text in joined]

    def addresses(self, name: str, version: int) -> list[str]:
        """Return the numeric addresses of *name*, of IP *version* 4 or 6.

        Raises:
            SendDeferred, Unavailable: As `texts`.
        """
        return [one.address for one in self._records(name, "A" if version == 4 else "AAAA")]

    def mail_hosts(self, name: str) -> list[str]:
        """Return the hosts that take mail for *name*.

        Raises:
            SendDeferred, Unavailable: As `texts`.
        """
        return [one.exchange.to_text().rstrip(".").lower() for one in self._records(name, "MX")]

    def _records(self, name: str, kind: str) -> tuple[Any, ...]:
        if (name, kind) not in self._known:
            left = self._give_up - time.monotonic()
            if left <= 0 or len(self._known) >= MOST:
                raise SendDeferred(f"DNS was asked for too long, last about {name}.", stage="dns")
            self._known[name, kind] = self._dns.records(name, kind, timeout=min(ONE, left))
        return self._known[name, kind]
