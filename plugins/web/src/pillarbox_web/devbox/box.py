"""The mails that were caught, newest first, within bounds."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Sequence

import attrs

MOST_MAILS = 500
MOST_OCTETS = 64 * 1024 * 1024
"""Of all mails together; the oldest go first."""
LARGEST_MAIL = 32 * 1024 * 1024


@attrs.frozen(kw_only=True)
class Caught:
    """A mail as it came.

    Attributes:
        id: Its number since the start.
        at: When; aware, UTC.
        mail_from: The envelope's sender (RFC 5321 MAIL FROM); "" for a bounce.
        rcpt_tos: The envelope's recipients, so those of Bcc too.
        signed_in_as: Who had signed in, or "".
        octets: What came after DATA.
    """

    id: int
    at: dt.datetime = attrs.field(factory=lambda: dt.datetime.now(dt.UTC))
    mail_from: str = ""
    rcpt_tos: tuple[str, ...] = ()
    signed_in_as: str = ""
    octets: bytes = attrs.field(repr=False)


class Box:
    """Keeps what was caught, in memory. Safe between threads."""

    def __init__(self, mails: int = MOST_MAILS, octets: int = MOST_OCTETS) -> None:
        self._mails, self._octets = mails, octets
        self._lock, self._numbers = threading.Lock(), itertools.count(1)
        self._kept: dict[int, Caught] = {}

    def put(self, mail_from: str, rcpt_tos: Sequence[str], octets: bytes, signed_in_as: str = "") -> Caught:
        """Keep a mail, and let the oldest go where there are too many."""
        one = Caught(
            id=next(self._numbers),
            mail_from=mail_from,
            rcpt_tos=tuple(rcpt_tos),
            octets=octets,
            signed_in_as=signed_in_as,
        )
        with self._lock:
            self._kept[one.id] = one
            size = sum(len(kept.octets) for kept in self._kept.values())
            while len(self._kept) > 1 and (len(self._kept) > self._mails or size > self._octets):
                size -= len(self._kept.pop(next(iter(self._kept))).octets)
        return one

    def get(self, number: int) -> Caught | None:
        """Return the mail of that *number*, or None."""
        return self._kept.get(number)

    def all(self) -> list[Caught]:
        """Return them, the newest first."""
        with self._lock:
            return list(self._kept.values())[::-1]

    def drop(self, number: int | None = None) -> None:
        """Forget one, or all."""
        with self._lock:
            if number is None:
                self._kept.clear()
            else:
                self._kept.pop(number, None)
