"""What a vault keeps of a connection to Microsoft 365: MSAL's cache of refresh tokens, and the access token in hand."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import Any

import attrs

from pillarbox import Held, SignInNeeded

_UNSAID = 600.0
"""Seconds that a token is held where the provider does not say for how long it is good."""
_NOT_KEPT = ("AccessToken", "IdToken")
"""Parts of MSAL's cache that are kept elsewhere, or not needed again."""


@attrs.frozen(kw_only=True)
class Kept:
    """The secret half of a connection.

    Attributes:
        is_app: Whether the application itself signs in.
        is_public: Whether it does not prove who it is.
        scopes: What was asked for, by purpose.
        tokens: The access tokens in hand, by purpose, each with when it ends.
        cache: MSAL's own words: the refresh token and whose it is.
    """

    is_app: bool = False
    is_public: bool = False
    scopes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    tokens: Mapping[str, tuple[str, float]] = attrs.field(factory=dict, repr=False)
    cache: str = attrs.field(default="", repr=False)

    def held(self, purpose: str) -> Held | None:
        """Return the token for *purpose*, or None."""
        found = self.tokens.get(purpose)
        return Held(*found) if found else None

    def taken(self, purpose: str, answer: Mapping[str, Any], cache: str) -> Kept:
        """Return this with the access token of an *answer* that came just now, and MSAL's *cache* after it."""
        ends = time.time() + float(answer.get("expires_in") or _UNSAID)
        tokens = {**self.tokens, purpose: (str(answer["access_token"]), ends)}
        return attrs.evolve(self, tokens=tokens, cache=_without_access(cache))

    def sealed(self) -> bytes:
        """Return it as octets."""
        return json.dumps(attrs.asdict(self), separators=(",", ":")).encode()

    @classmethod
    def opened(cls, secret: bytes) -> Kept:
        """Return what `sealed` made octets of.

        Raises:
            SignInNeeded: They are something else.
        """
        try:
            values = json.loads(secret)
            values["scopes"] = {name: tuple(scopes) for name, scopes in values["scopes"].items()}
            values["tokens"] = {name: (str(one), float(end)) for name, (one, end) in values["tokens"].items()}
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # its text holds the secret
        raise SignInNeeded(
            "What the last sign-in kept can't be read.", stage="sign-in", cure="Connect the account again."
        )


def _without_access(cache: str) -> str:
    values = json.loads(cache or "{}")
    return json.dumps({name: part for name, part in values.items() if name not in _NOT_KEPT})


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of *token* where it is readable, else {}: an access token is its receiver's business."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
