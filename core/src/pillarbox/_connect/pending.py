"""Sign-ins under way: sealed rows of the vault, named by the hash of their state, used once and for ten minutes."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import attrs

from .._connectors import Grant
from .._errors import SignInNeeded
from .._settings import Actor
from .._vault import UNDER_WAY, Vault

LIFETIME = 600.0
"""Seconds in which a sign-in has to be finished."""


MOST = 100
"""Sign-ins that one actor has under way; a page that is called over and over fills no disk, and slows nobody down."""


@attrs.frozen(kw_only=True)
class Wish:
    """A sign-in under way, as it is sealed.

    Attributes:
        user, company: Whose account.
        destination: What a sign-in of the account was bound to when it was begun; it has to be the same at the end.
        grant, purpose, redirect_uri: As in `SignIn`.
        redirects: Whether a redirect finishes it; else somebody asks the provider again and again.
        kept: What the connector needs to finish.
        expires_at: In seconds since 1970.
    """

    user: str | None
    company: str
    destination: dict[str, str]
    grant: Grant
    purpose: str
    redirect_uri: str | None
    redirects: bool
    kept: bytes = attrs.field(repr=False)
    expires_at: float


def name_of(state: str) -> str:
    """Return the name of the row of *state*: who reads the vault's names can't finish a sign-in."""
    return UNDER_WAY + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


def put(vault: Vault, state: str, wish: Wish, by: Actor, now: float) -> None:
    """Keep *wish* under *state*, for *by* alone; what is too old *now* goes, and the oldest of too many."""
    tidy(vault, by, now)
    values: dict[str, Any] = attrs.asdict(wish)
    values["grant"] = wish.grant.value
    values["kept"] = base64.b64encode(wish.kept).decode()
    vault.save(
        name_of(state),
        json.dumps(values).encode(),
        _bound(by),
        connection={"expires_at": wish.expires_at},
    )


def take(vault: Vault, state: str, by: Actor, now: float, *, redirected: bool) -> Wish | None:
    """Return the sign-in of *state*; None where there is none, or it is too old, or not *by* who began it.

    Args:
        vault: Where it is.
        state: Names it.
        by: Who finishes it.
        now: In seconds since 1970.
        redirected: Whether a redirect came, which is used once: whatever comes of it, the sign-in is gone from now on.
    """
    name = name_of(state)
    if vault.rows.load(name) is None:  # whoever guesses at names waits for nobody, and leaves no lock behind
        return None
    with vault.lock(UNDER_WAY):
        wish = _loaded(vault, name, by)
        if wish is None:
            return None
        is_late = wish.expires_at <= now
        if is_late or (wish.redirects and redirected):
            vault.delete(name)
    return None if is_late else wish


def forget(vault: Vault, state: str) -> None:
    """Forget the sign-in of *state*."""
    vault.delete(name_of(state))


def tidy(vault: Vault, by: Actor, now: float) -> None:
    """Forget the sign-ins that nobody finished in time, or begun by a clock that was ahead; and the oldest of too many."""
    ours: list[tuple[float, str]] = []
    for name in vault.names(UNDER_WAY):
        row = vault.rows.load(name)
        readable = {} if row is None else row.readable
        ends = float(readable.get("connection", {}).get("expires_at", 0.0))
        if not now < ends <= now + 2 * LIFETIME:
            vault.delete(name)
        elif readable.get("destination") == _bound(by):
            ours.append((ends, name))
    for _, name in sorted(ours)[: max(0, len(ours) - MOST + 1)]:
        vault.delete(name)


def _loaded(vault: Vault, name: str, by: Actor) -> Wish | None:
    try:
        stored = vault.load(name, _bound(by))
    except SignInNeeded:  # somebody else began it, or it was tampered with
        return None
    if stored is None:
        return None
    values = json.loads(stored.secret)
    values["grant"] = Grant(values["grant"])
    values["kept"] = base64.b64decode(values["kept"])
    return Wish(**values)


def _bound(by: Actor) -> dict[str, str]:
    return {"sign-in of": by.name, "role": by.role.value}
