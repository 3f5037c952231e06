"""The mails that were caught, newest first, within bounds."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import threading
from collections.abc import Sequence
from pathlib import Path

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
    """Keeps what was caught, in memory, and as files too where a folder is given. Safe between threads."""

    def __init__(
        self, mails: int = MOST_MAILS, octets: int = MOST_OCTETS, folder: Path | None = None
    ) -> None:
        self._mails, self._octets, self._folder = mails, octets, folder
        self._lock, self._numbers = threading.Lock(), itertools.count(1)
        self._kept: dict[int, Caught] = {}

    def put(self, mail_from: str, rcpt_tos: Sequence[str], octets: bytes, signed_in_as: str = "") -> Caught:
        """Keep a mail, and let the oldest go where there are too many; their files stay.

        Raises:
            OSError: Its file can't be written. Then it is not kept.
        """
        one = Caught(
            id=next(self._numbers),
            mail_from=_text(mail_from),
            rcpt_tos=tuple(_text(one) for one in rcpt_tos),
            octets=octets,
            signed_in_as=signed_in_as,
        )
        if self._folder is not None:
            _write(self._folder / f"{one.at:%Y%m%dT%H%M%S.%f}-{one.id}.eml", octets)
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


def _write(path: Path, octets: bytes) -> None:
    # Owner only, and never over another file.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)


def _text(address: str) -> str:
    """Return an address as text: octets that are no UTF-8 arrive as halves of characters, which no page can hold."""
    return address.encode("utf-8", "backslashreplace").decode()
