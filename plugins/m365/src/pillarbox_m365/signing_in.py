"""The ways to sign in: by a redirect, by a code on another device, as the application; and who it was that did."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pillarbox import (
    App,
    Connected,
    Connection,
    Pending,
    PillarboxError,
    Prompt,
    Refused,
    RefusedReason,
    SettingsError,
    SignIn,
    SignInNeeded,
)
from pillarbox.exchange import is_loopback

from . import scopes
from .app import M365App, is_guid
from .authority import Authority
from .refusals import codes_of, error_of, reason_of, words_of
from .settings import Mode
from .tokens import Kept, claims_of

_SLOWER = 5.0
"""Seconds that `slow_down` adds to the interval (RFC 8628, section 3.5)."""
_PUBLIC = 700025
"""AADSTS code: a secret was shown for a redirect that is registered for a public client."""


def by_query(url: str) -> str:
    """Return *url* without the `response_mode`, so that the redirect brings what it says in its query.

    A host's route and a listener on loopback take a GET, and a cookie of the host would not come along with a form. MSAL
    warns whoever asks for that, on the standard error of a host, or by an exception where warnings are errors.
    """
    parts = urlsplit(url)
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name != "response_mode"]
    return parts._replace(query=urlencode(asked)).geturl()


def is_app(asked: SignIn) -> bool:
    """Whether the application signs in by itself."""
    return getattr(asked.account.settings, "mode", None) is Mode.APP


def refuse_shared(settings: M365App, asked: SignIn) -> None:
    """Refuse a tenant that anybody can sign in to, where one account stands for all (rule 37)."""
    if settings.is_shared and (asked.account.owner == "company" or is_app(asked)):
        raise SettingsError(
            f"The tenant {settings.tenant} lets anybody sign in, so a company's account can't be connected by it.",
            cure="Set tenant in [apps.m365] to the Directory (tenant) ID of your own.",
        )


def require_credential(app: App) -> None:
    """Refuse a registration that can't prove who it is.

    Raises:
        SettingsError: It has neither a secret nor a certificate.
    """
    if not app.settings.is_confidential:
        raise SettingsError(
            "An application that signs in by itself needs a client secret or a certificate, and [apps.m365] has none.",
            cure='Set client_secret or certificate in [apps.m365], or mode = "person" for the account.',
        )


def start_with_code(app: App, wanted: list[str]) -> Prompt:
    """Return the code that a person enters on another device (RFC 8628)."""
    flow: dict[str, Any] | None = None
    with Authority(app, is_public=True) as authority, contextlib.suppress(ValueError):
        flow = authority.msal.initiate_device_flow(wanted)  # ValueError: there is no address for it
    if flow is None:
        raise SettingsError("This authority gives no codes.", cure="Connect in a browser instead.")
    if "user_code" not in flow:
        raise _as_settings(error_of(flow))
    return Prompt(
        url=str(flow.get("verification_uri") or flow.get("verification_url") or ""),
        code=str(flow["user_code"]),
        interval=float(flow["interval"]),
        expires_in=float(flow["expires_in"]),
        kept=json.dumps({"flow": flow}).encode(),
    )


def _as_settings(error: PillarboxError) -> PillarboxError:
    """Return *error*; where nobody has signed in yet, what is refused is the registration."""
    return SettingsError(error.detail, cure=error.cure) if isinstance(error, SignInNeeded) else error


def finish_with_code(app: App, asked: SignIn, flow: dict[str, Any]) -> Connected | Pending | Refused:
    """Ask once whether the person is done: a flow that is over is not waited for by MSAL."""
    interval = float(flow["interval"])
    with Authority(app, is_public=True) as authority:
        answer = authority.msal.acquire_token_by_device_flow({**flow, "expires_at": 0})
        if answer.get("error") == "authorization_pending":
            return Pending(interval)
        if answer.get("error") == "slow_down":
            return Pending(interval + _SLOWER)
        return _connected_or_refused(authority, asked, answer, is_public=True)


def finish_with_redirect(
    app: App, asked: SignIn, begun: dict[str, Any], callback: Mapping[str, str]
) -> Connected | Refused:
    """Return what came of a redirect.

    Where a secret was shown for a page that is registered for a public client, it is asked once more without.
    """
    if "error" in callback:
        return _refused(callback)
    is_public = not app.settings.is_confidential
    with Authority(app, is_public=is_public) as authority:
        if "iss" in callback and not is_issuer(callback["iss"], begun["issuer"]):
            return Refused(
                reason=RefusedReason.FAILED,
                detail="the answer came from another provider",
                cure="Begin again; if it happens again, tell the administrator.",
            )
        answer = _exchanged(authority, begun["flow"], callback)
        if not (_PUBLIC in codes_of(answer) and _is_native(asked) and not is_public):
            return _connected_or_refused(authority, asked, answer, is_public=is_public)
    with Authority(app, is_public=True) as authority:
        answer = _exchanged(authority, begun["flow"], callback)
        return _connected_or_refused(authority, asked, answer, is_public=True)


def _exchanged(authority: Authority, flow: dict[str, Any], callback: Mapping[str, str]) -> dict[str, Any]:
    """Return Entra's answer to the code; what MSAL finds wrong with the redirect as an answer as well."""
    try:
        answer: dict[str, Any] = authority.msal.acquire_token_by_auth_code_flow(dict(flow), dict(callback))
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError):  # an identity of other kinds, too
        answer = {
            "error": "invalid_redirect",
            "error_description": "the answer does not belong to this sign-in",
        }
    return answer


def _is_native(asked: SignIn) -> bool:
    return is_loopback(urlsplit(asked.redirect_uri or "").hostname or "")


def is_issuer(said: str, known: str) -> bool:
    """Whether *said* names the provider that was asked (RFC 9207); the shared tenants leave open whose it is."""
    before, is_open, after = known.partition("{tenantid}")
    if not is_open:
        return said == known
    middle = said[len(before) : len(said) - len(after)]
    return said.startswith(before) and said.endswith(after) and is_guid(middle)


def _refused(said: Mapping[str, Any]) -> Refused:
    known = error_of(said)
    return Refused(reason=reason_of(said), detail=words_of(said), cure=known.cure)


def _connected_or_refused(
    authority: Authority, asked: SignIn, answer: Mapping[str, Any], *, is_public: bool
) -> Connected | Refused:
    """Return what the person who signed in is connected as.

    Raises:
        SettingsError, SendDeferred: The registration was refused, or Entra can't answer now.
    """
    if "access_token" not in answer:
        error = error_of(answer)
        if not isinstance(error, SignInNeeded):
            raise error
        return _refused(answer)
    connection = _connection(authority, answer)
    if connection is None:
        return Refused(
            reason=RefusedReason.FAILED, detail="it does not say who signed in", cure="Begin again."
        )
    cache = authority.cache.serialize()
    if not json.loads(cache).get("RefreshToken"):  # the sign-in would end within the hour
        return Refused(
            reason=RefusedReason.FAILED,
            detail="it gave no refresh token",
            cure="Allow offline_access for the registration in Entra, and connect again.",
        )
    purpose = scopes.purpose_of(asked.purpose)
    kept = Kept(is_public=is_public, scopes={purpose: scopes.of_person(asked)})
    return Connected(connection=connection, secret=kept.taken(purpose, answer, cache).sealed())


def _connection(authority: Authority, answer: Mapping[str, Any]) -> Connection | None:
    """Return who signed in, by the ID token that came over TLS from the provider itself (OpenID Connect Core, 3.1.3.7)."""
    claims, settings = answer.get("id_token_claims") or {}, authority.settings
    tenant, subject = str(claims.get("tid", "")), str(claims.get("oid") or claims.get("sub") or "")
    issuer, audience = str(claims.get("iss", "")), claims.get("aud")
    is_ours = settings.client_id in (audience if isinstance(audience, list) else [audience])
    is_there = not (is_guid(settings.tenant) and tenant and tenant.lower() != settings.tenant.lower())
    if not (subject and is_ours and is_there and issuer == authority.issuer(tenant)):
        return None
    return Connection(
        issuer=issuer,
        tenant=tenant,
        subject=subject,
        address=str(claims.get("preferred_username", "")),
        scopes=scopes.read(str(answer.get("scope", "")), settings),
    )


def finish_as_app(app: App, asked: SignIn) -> Connected:
    """Sign in as the application; its token tells its permissions, where it can be read, else they are as asked for."""
    wanted, settings = scopes.default_of(app.settings), app.settings
    kept = Kept(is_app=True, scopes={"send": (wanted,)})
    with Authority(app, is_public=False) as authority:
        answer = authority.msal.acquire_token_for_client([wanted])
        if "access_token" not in answer:
            raise _as_settings(error_of(answer))
        claims = claims_of(str(answer["access_token"]))
        tenant = str(claims.get("tid", "")) or settings.tenant
        roles = claims.get("roles")
        connection = Connection(
            issuer=authority.issuer(tenant),
            tenant=tenant,
            subject=str(claims.get("oid", "")) or settings.client_id,
            address=asked.account.mailbox,
            scopes=tuple(map(str, roles)) if isinstance(roles, list) else scopes.of_app(asked),
        )
        return Connected(
            connection=connection, secret=kept.taken("send", answer, authority.cache.serialize()).sealed()
        )


def renewed(authority: Authority, kept: Kept, wanted: list[str]) -> dict[str, Any] | None:
    """Return Entra's answer to the question for a new access token; None where nothing is left to ask with."""
    answer: dict[str, Any] | None = None
    if kept.is_app:
        answer = authority.msal.acquire_token_for_client(wanted)
    elif accounts := authority.msal.get_accounts():
        answer = authority.msal.acquire_token_silent_with_error(wanted, accounts[0], force_refresh=True)
    return answer
