"""Who signed in: the identity that Google signed, verified (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pillarbox import PillarboxError

from .addresses import is_address
from .app import GmailApp
from .tokens import Exchange
from .wire import Wire

SKEW = 60
"""Seconds by which this machine's clock may differ from Google's."""
_GOOGLE = "https://accounts.google.com"


@attrs.frozen
class Identity:
    """A verified identity.

    Attributes:
        subject: Google's own name of the person, which never changes.
        address: Their address, which Google has verified.
    """

    subject: str
    address: str


class NotVerified(Exception):
    """The identity can't be trusted; says why in a clause, without what it holds."""


def verified(settings: GmailApp, wire: Wire, id_token: str, nonce: str) -> Identity:
    """Return who *id_token* says signed in.

    Raises:
        NotVerified: It is not signed by who has to sign it, not for this client, too old, or without a verified address.
        SendDeferred: The certificates can't be got now.
    """
    from google.oauth2.id_token import verify_token

    try:
        claims = verify_token(
            id_token,
            _request(wire),
            audience=settings.client_id,
            certs_url=settings.certs_uri,
            clock_skew_in_seconds=SKEW,
        )
    except PillarboxError:
        raise
    except ImportError:
        failure = NotVerified(
            "its certificates are JWKs, and the distribution pyjwt, which reads them, is missing"
        )
    except Exception as error:  # noqa: BLE001  (google-auth's, those of pyjwt, ValueError; their text holds the token)
        failure = NotVerified(f"its signature, time or audience is wrong ({type(error).__name__})")
    else:
        return _identity(settings, claims, nonce)
    raise failure


def _identity(settings: GmailApp, claims: Mapping[str, Any], nonce: str) -> Identity:
    issuers = {settings.issuer, *(["accounts.google.com"] if settings.issuer == _GOOGLE else ())}
    subject, address = claims.get("sub"), claims.get("email")
    if claims.get("iss") not in issuers:
        raise NotVerified("another issuer has signed it")
    if claims.get("azp", settings.client_id) != settings.client_id:
        raise NotVerified("it was given to another client")
    if claims.get("nonce") != nonce:
        raise NotVerified("it belongs to another sign-in")
    if not isinstance(subject, str) or not subject or not isinstance(address, str) or not is_address(address):
        raise NotVerified("it names nobody")
    if claims.get("email_verified") not in {True, "true"}:
        raise NotVerified("Google has not verified the address")
    return Identity(subject, address)


def _request(wire: Wire) -> Any:
    return Exchange(wire)
