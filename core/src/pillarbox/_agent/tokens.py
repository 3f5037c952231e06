"""Tokens of desktop workers: each one user's, shown once, kept as a sealed hash beside the user's secrets, revocable."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from .._errors import Changed, SettingsError, SignInNeeded
from .._mail import now
from .._secrets import AGENT, prefix, required
from .._settings import USER_ID
from .._vault import Vault

PREFIX = "pbx_"
OCTETS = 32
LONGEST_NAME = 254
"""The most characters of who issued."""
LONGEST_LABEL = 80
MOST_EACH = 20
"""The most tokens that a user has at one time."""
USED_EVERY = dt.timedelta(seconds=20)
"""How exactly the last use is kept: each call would otherwise be a write."""
LONGEST_TOKEN = 512

_TOKEN = re.compile(r"pbx_([A-Za-z0-9_-]{4,440})\.([A-Za-z0-9_-]{43})")
_ID = re.compile(r"[0-9a-f]{32}")
_FOR = {"for": "agent"}
"""What the hash is bound to: no settings of an account lead there, so that none can ask for it."""


@attrs.frozen(kw_only=True)
class Token:
    """What is known of a token; not the token.

    Attributes:
        id: Its name, for `Tokens.revoke`.
        user: Whose mail it is for.
        company: Of which company.
        label: What the user calls the computer.
        by: Who issued it.
        issued: When.
        last_used: When it was last shown, to 20 seconds; None before the first time.
        session: Which run of a worker shows it, or "".
    """

    id: str
    user: str
    company: str
    label: str
    by: str
    issued: dt.datetime
    last_used: dt.datetime | None = None
    session: str = ""


@attrs.frozen
class Issued:
    """A new token, to be shown once.

    Attributes:
        secret: The token itself, which is kept nowhere.
        token: What is known of it.
    """

    secret: str = attrs.field(repr=False)
    token: Token


class Tokens:
    """Issues tokens, lists and revokes them, and says whose one is. Safe between threads and processes, as its vault is.

    They lie among the user's own secrets: who removes the user destroys them, and so does another id.

    Args:
        vault: Where they are kept.
        clock: What time it is, aware.

    Attributes:
        now: That clock.

    Raises:
        Unavailable: There is no vault, or it has no key.
    """

    def __init__(self, vault: Vault | None, clock: Callable[[], dt.datetime] = now) -> None:
        self._vault = required(vault)
        self.now: Callable[[], dt.datetime] = clock

    def issue(self, user: str, company: str, label: str, by: str) -> Issued:
        """Make a token for *user*'s worker. The caller has made sure that *by* may.

        Raises:
            SettingsError: A name is too long or has control characters, or the user has too many tokens.
        """
        for what, name in (("user", user), ("company", company)):
            if not USER_ID.fullmatch(name):
                raise SettingsError(f"The {what} of a token has to be an id.", cure=f"Give another {what}.")
        label = label.strip()
        _check("name of the computer", label, LONGEST_LABEL)
        _check("issuer", by, LONGEST_NAME)
        with self._vault.lock(_start(user, company)):
            if len(self.list(user, company)) >= MOST_EACH:
                raise SettingsError(
                    f"{user} has {MOST_EACH} tokens already.", cure="Revoke those that are not used any more."
                )
            whose = _coded(f"{company}/{user}".encode())
            secret = f"{PREFIX}{whose}.{_coded(secrets.token_bytes(OCTETS))}"
            token = Token(id=_id(secret), user=user, company=company, label=label, by=by, issued=self.now())
            self._save(token, _digest(secret), 0)
        return Issued(secret, token)

    def list(self, user: str, company: str) -> list[Token]:
        """Return what is known of *user*'s tokens, the oldest first."""
        start = _start(user, company)
        found = [self.known(name.removeprefix(start), user, company) for name in self._vault.names(start)]
        return sorted((one for one in found if one is not None), key=lambda one: (one.issued, one.id))

    def known(self, token_id: str, user: str, company: str) -> Token | None:
        """Return what is known of one of *user*'s tokens, or None where they have it no more."""
        if not _ID.fullmatch(token_id):
            return None
        kept = self._vault.connection(_start(user, company) + token_id)
        return None if not kept else _token(token_id, user, company, kept)

    def revoke(self, token_id: str, user: str, company: str) -> bool:
        """End one of *user*'s tokens, from its next call on; say whether they had it."""
        if self.known(token_id, user, company) is None:
            return False
        self._vault.delete(_start(user, company) + token_id)
        return True

    def who(self, secret: str, *, session: str = "") -> Token | None:
        """Return what is known of a token that is shown, or None; its use is kept.

        Args:
            secret: What was shown.
            session: The run of a worker that takes over with it, from now on; "" for none that does.
        """
        shown = _TOKEN.fullmatch(secret) if len(secret) <= LONGEST_TOKEN else None
        whose = _whose(shown[1]) if shown else None
        if whose is None:
            return None
        company, user = whose
        token_id = _id(secret)
        name = _start(user, company) + token_id
        while True:
            try:
                stored = self._vault.load(name, _FOR)
            except SignInNeeded:  # sealed with a key that is gone
                return None
            if stored is None or not hmac.compare_digest(stored.secret, _digest(secret)):
                return None
            token, at = _token(token_id, user, company, stored.connection), self.now()
            is_fresh = token.last_used is not None and abs(at - token.last_used) < USED_EVERY
            if is_fresh and session in {"", token.session}:
                return token
            used = attrs.evolve(token, last_used=at, session=session or token.session)
            try:
                self._save(used, stored.secret, stored.version)
            except Changed:  # used elsewhere at this moment, or revoked: the next look tells
                continue
            return used

    def _save(self, token: Token, digest: bytes, version: int) -> None:
        used = token.last_used
        kept = {
            "label": token.label,
            "by": token.by,
            "issued": token.issued.isoformat(),
            "last_used": used.isoformat() if used else None,
            "session": token.session,
        }
        name = _start(token.user, token.company) + token.id
        self._vault.save(name, digest, _FOR, connection=kept, version=version)


def _start(user: str, company: str) -> str:
    return prefix(company, f"user:{user}") + AGENT


def _coded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _whose(text: str) -> tuple[str, str] | None:
    """Return the company and the user whom a token names, or None where it names none."""
    try:
        company, _, user = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("/")
    except (binascii.Error, ValueError):
        return None
    return (company, user) if USER_ID.fullmatch(company) and USER_ID.fullmatch(user) else None


def _digest(secret: str) -> bytes:
    """Return the hash of a token: of 256 random bits, which needs neither salt nor slowness."""
    return hashlib.sha256(b"pillarbox agent token\0" + secret.encode()).digest()


def _id(secret: str) -> str:
    return hashlib.sha256(b"pillarbox agent token id\0" + secret.encode()).hexdigest()[:32]


def _check(what: str, text: str, most: int) -> None:
    if not text or len(text) > most or not text.isprintable():
        raise SettingsError(
            f"The {what} has to be 1 to {most} printable characters.", cure=f"Give another {what}."
        )


def _token(token_id: str, user: str, company: str, kept: Mapping[str, Any]) -> Token:
    used = kept.get("last_used")
    return Token(
        id=token_id,
        user=user,
        company=company,
        issued=dt.datetime.fromisoformat(kept["issued"]),
        last_used=dt.datetime.fromisoformat(used) if used else None,
        session=str(kept.get("session", "")),
        label=str(kept.get("label", "")),
        by=str(kept.get("by", "")),
    )
