"""The authorization code flow with PKCE (RFC 6749, section 4.1; RFC 7636): the page to open, and what its code gives."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from pillarbox import App, Refused, RefusedReason, SettingsError, SignIn, SignInNeeded

from .app import COMPOSE, FULL, SEND, GmailApp, registration
from .refusals import code_of, of_token_endpoint, row_of
from .settings import Mode
from .tokens import FORM, LIFETIME, answered, client_secret
from .wire import Wire

WHO = ("openid", "email")
"""What tells who signed in."""


def mail_scopes(settings: GmailApp, asked: SignIn) -> tuple[str, ...]:
    """Return the scopes that are asked for beside the identity; the first is the one that it can't do without."""
    if asked.purpose in {"smtp", "imap"}:
        return (FULL,)
    return (COMPOSE, *settings.extra_scopes) if asked.grant.value == "confirm" else (SEND,)


@attrs.frozen
class Secrets:
    """What finishes a sign-in: kept sealed between its two halves."""

    verifier: str = attrs.field(repr=False)
    nonce: str = attrs.field(repr=False)

    @classmethod
    def made(cls) -> Secrets:
        """Return new ones."""
        return cls(secrets.token_urlsafe(48), secrets.token_urlsafe(24))

    @classmethod
    def read(cls, kept: bytes) -> Secrets:
        """Return what `written` wrote."""
        return cls(**json.loads(kept))

    def written(self) -> bytes:
        """Return them as they are kept."""
        return json.dumps(attrs.asdict(self)).encode()

    @property
    def challenge(self) -> str:
        """The verifier's, by S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def page(settings: GmailApp, asked: SignIn, kept: Secrets) -> str:
    """Return the URL of the page where the person signs in and allows it."""
    parameters = {
        "client_id": settings.client_id,
        "redirect_uri": asked.redirect_uri or "",
        "response_type": "code",
        "scope": " ".join((*WHO, *mail_scopes(settings, asked))),
        "state": asked.state,
        "nonce": kept.nonce,
        "code_challenge": kept.challenge,
        "code_challenge_method": "S256",
        "access_type": "offline",  # without it there is no refresh token
        "prompt": "consent select_account",  # without consent there is one the first time only
        "include_granted_scopes": "false",  # what was granted elsewhere is none of ours
        "login_hint": asked.account.signs_in_as,
    }
    return f"{settings.auth_uri}?{urlencode({name: one for name, one in parameters.items() if one})}"


@attrs.frozen(kw_only=True)
class Granted:
    """What a code was exchanged for.

    Attributes:
        access_token, refresh_token, id_token: As Google gave them.
        scopes: What was granted, which may be less than what was asked for.
        expires_at: When the access token ends, in seconds since 1970.
    """

    access_token: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    id_token: str = attrs.field(repr=False)
    scopes: tuple[str, ...]
    expires_at: float


def refused_by(settings: GmailApp, callback: Mapping[str, str]) -> Refused | None:
    """Return why the redirect brings no code, or None where it brings one.

    Raises:
        SettingsError: The registration was refused.
    """
    if callback.get("iss", settings.issuer).rstrip("/") != settings.issuer:  # RFC 9207
        return Refused(
            reason=RefusedReason.FAILED,
            detail="another issuer answered",
            cure="Begin again, and sign in there alone.",
        )
    error = callback.get("error", "")
    if error == "access_denied":
        return Refused(reason=RefusedReason.CANCELLED, cure="Connect again, and allow it.")
    if error:
        row = row_of(error, callback.get("error_subtype", ""), Mode.PERSON)
        if row is not None and row.whose.name == "DEPLOYER":
            raise SettingsError(row.meaning, cure=row.cure)
        return Refused(
            reason=RefusedReason.FAILED, detail=error[:40], cure=row.cure if row else "Connect again."
        )
    if not callback.get("code"):
        return Refused(reason=RefusedReason.FAILED, detail="it sent no code", cure="Connect again.")
    return None


def exchanged(app: App, wire: Wire, asked: SignIn, kept: Secrets, code: str) -> Granted | Refused:
    """Return what *code* gives.

    Raises:
        SettingsError: The registration was refused.
        SendDeferred: Google gives nothing now.
    """
    settings = registration(app)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri or "",
        "client_id": settings.client_id,
        "client_secret": client_secret(app),
        "code_verifier": kept.verifier,
    }
    body = urlencode({name: one for name, one in fields.items() if one}).encode()
    answer = answered(wire, "POST", settings.token_uri, body, FORM)
    if answer.status == 200 and answer.told is not None:
        return _granted(answer.told, asked, settings)
    error = of_token_endpoint(answer, Mode.PERSON)
    if isinstance(error, SignInNeeded):
        cure = "Begin again: a code is good once, and for a few minutes."
        return Refused(reason=RefusedReason.FAILED, detail=code_of(answer)[0], cure=cure)
    raise error


def _granted(told: Mapping[str, Any], asked: SignIn, settings: GmailApp) -> Granted | Refused:
    tokens = {name: told.get(name) for name in ("access_token", "refresh_token", "id_token")}
    lacking = next((name for name, one in tokens.items() if not isinstance(one, str) or not one), "")
    if lacking:
        return Refused(
            reason=RefusedReason.FAILED,
            detail=f"it gave no {lacking.replace('_', ' ')}",
            cure="Remove the app at myaccount.google.com/permissions and connect again.",
        )
    scopes = told.get("scope")
    granted = scopes.split() if isinstance(scopes, str) else (*WHO, *mail_scopes(settings, asked))
    return Granted(
        access_token=str(tokens["access_token"]),
        refresh_token=str(tokens["refresh_token"]),
        id_token=str(tokens["id_token"]),
        scopes=tuple(granted),
        expires_at=time.time() + _seconds(told.get("expires_in")),
    )


def _seconds(said: object) -> float:
    try:
        return min(max(float(str(said)), 0.0), 86_400.0)
    except ValueError:
        return LIFETIME
