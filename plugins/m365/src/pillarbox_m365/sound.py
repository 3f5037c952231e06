"""Whether an answer of Entra's is one: before MSAL reads it, and before a sign-in is given up for what it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_TEXTS = (
    "access_token",
    "refresh_token",
    "id_token",
    "scope",
    "client_info",
    "token_type",
    "error",
    "device_code",
    "user_code",
)
_NUMBERS = ("expires_in", "ext_expires_in", "refresh_in", "interval")
_GIVES = ("access_token", "device_code")


def is_sound(status: int, said: Mapping[str, Any]) -> bool:
    """Whether *said* gives a token or a code, or refuses by an error, each in its proper kind (RFC 6749, section 5).

    What a proxy says in the place of Entra, `{}` with a 403 say, is no word about an account.
    """
    texts = all(isinstance(said[name], str) for name in _TEXTS if name in said)
    numbers = all(_is_number(said[name]) for name in _NUMBERS if name in said)
    return texts and numbers and any(said.get(name) for name in (_GIVES if status == 200 else ("error",)))


def _is_number(value: object) -> bool:
    """Whether *value* is a number that is one, or its text: some older authorities write text."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
