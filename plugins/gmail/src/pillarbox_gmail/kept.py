"""The sealed half of a sign-in."""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs

from pillarbox import SignInNeeded

from .settings import Mode


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class Kept:
    """What is sealed.

    Attributes:
        mode: Who signs in.
        refresh_token: A person's; "" for a service account, whose key stays with the deployer.
        subject: The mailbox that a service account acts for.
        scopes: What was granted.
        access_token: The last one, or "".
        expires_at: When it ends, in seconds since 1970.
    """

    mode: Mode
    refresh_token: str = attrs.field(default="", repr=False)
    subject: str = ""
    scopes: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    access_token: str = attrs.field(default="", repr=False)
    expires_at: float = 0.0

    @classmethod
    def read(cls, secret: bytes) -> Kept:
        """Return what *secret* holds.

        Raises:
            SignInNeeded: It can't be read.
        """
        try:
            values = json.loads(secret)
            return cls(**{**values, "mode": Mode(values["mode"])})
        except (ValueError, TypeError, KeyError):
            raise SignInNeeded(
                "What the last sign-in stored can't be read.", stage="sign-in", cure="Connect again."
            ) from None

    def written(self) -> bytes:
        """Return it as it is sealed."""
        return json.dumps({**attrs.asdict(self), "mode": self.mode.value}).encode()
