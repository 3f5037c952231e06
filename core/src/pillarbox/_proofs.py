"""What carriers have proven: that an account may show an address, asked of them once in a while (rule 9)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from . import _log
from ._errors import PillarboxError
from ._transports import Proof, Transport

if TYPE_CHECKING:
    from ._settings import Account

GOOD_FOR = 600.0
"""Seconds for which an answer is believed, a no as well."""
MOST = 10_000


class Proofs:
    """Answers of carriers, by account and address. One that can't be asked has proven nothing, and is asked again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[float, Proof | None]] = {}

    def of(
        self,
        kind: type[Transport],
        account: Account,
        address: str,
        opened: Callable[[Account], AbstractContextManager[Transport]],
    ) -> Proof | None:
        """Return how it is known that *account* may show *address*, or None."""
        if kind.may_show is Transport.may_show:
            return None
        name = (account.key, repr(account.settings), address.lower())
        at, proof = self._known.get(name, (0.0, None))
        if at and time.monotonic() - at < GOOD_FOR:
            return proof
        try:
            with opened(account) as transport:
                proof = transport.may_show(address)
        except PillarboxError:
            return None
        except Exception as error:  # noqa: BLE001  (a plugin's fault proves nothing)
            _log.event("warning", "pillarbox.proof_failed", method=account.method, error=type(error).__name__)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[name] = (time.monotonic(), proof)
        return proof
