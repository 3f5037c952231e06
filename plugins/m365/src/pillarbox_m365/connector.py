"""The connector: how a mailbox is connected to Microsoft 365, and how its tokens are renewed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pillarbox import (
    App,
    Connected,
    Connection,
    Connector,
    Finding,
    Held,
    Pending,
    PillarboxError,
    Prompt,
    Refused,
    RefusedReason,
    SettingsError,
    SignIn,
    SignInNeeded,
)

from . import scopes
from .app import M365App, is_guid, is_loopback
from .authority import Authority
from .refusals import codes_of, error_of, reason_of, words_of
from .settings import Mode
from .tokens import Kept, claims_of

_SLOWER = 5.0
"""Seconds that `slow_down` adds to the interval (RFC 8628, section 3.5)."""
_PUBLIC = 700025
"""AADSTS code: a secret was shown for a redirect that is registered for a public client."""


class M365Connector(Connector):
    """Signs in to Microsoft Entra, by MSAL: in a browser, by a code on another device, or as the application itself."""

    app: M365App
    label: ClassVar[str] = "Microsoft 365"
    has_codes: ClassVar[bool] = True

    def start(self, app: App, asked: SignIn) -> Prompt:
        """See `Connector.start`; with `mode = "app"` there is nothing to do for anybody.

        Raises:
            SettingsError: The registration or the account can't be used for it.
            SendDeferred: Microsoft does not answer.
        """
        _refuse_shared(app.settings, asked)
        if _is_app(asked):
            _require_credential(app)
            return Prompt()
        wanted = list(scopes.of_person(asked))
        if asked.redirect_uri is None:
            return _start_with_code(app, wanted)
        with Authority(app, is_public=not app.settings.is_confidential) as authority:
            flow = authority.msal.initiate_auth_code_flow(
                wanted,
                redirect_uri=asked.redirect_uri,
                state=asked.state,
                prompt="select_account",
                login_hint=asked.account.signs_in_as,
                response_mode="form_post",
            )
            url = _by_query(flow.pop("auth_uri"))
            kept = json.dumps({"flow": flow, "issuer": authority.issuer()}).encode()
        return Prompt(url=url, state=asked.state, kept=kept)

    def finish(
        self, app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None
    ) -> Connected | Pending | Refused:
        """See `Connector.finish`.

        Raises:
            SettingsError: The registration was refused.
            SendDeferred: Microsoft does not answer.
        """
        _refuse_shared(app.settings, asked)
        if _is_app(asked):
            return _finish_as_app(app, asked)
        begun = json.loads(kept)
        if asked.redirect_uri is None:
            return _finish_with_code(app, asked, begun["flow"])
        if callback is None:
            return Pending()
        return _finish_with_redirect(app, asked, begun, callback)

    def wanted(self, app: App, asked: SignIn) -> tuple[str, ...]:
        """See `Connector.wanted`."""
        return scopes.of_app(asked) if _is_app(asked) else scopes.of_person(asked)

    def held(self, app: App, secret: bytes, purpose: str) -> Held | None:
        """See `Connector.held`; the purpose `imap` has the token of `smtp`."""
        return Kept.opened(secret).held(scopes.purpose_of(purpose))

    def refresh(self, app: App, secret: bytes, purpose: str) -> bytes:
        """See `Connector.refresh`.

        Raises:
            SignInNeeded: Somebody has to connect again; says why.
            SettingsError: The registration was refused.
            SendDeferred: Microsoft gives no token now.
        """
        kept, needed = Kept.opened(secret), scopes.purpose_of(purpose)
        if needed not in kept.scopes:
            raise SignInNeeded(
                f"The account was not connected for {'SMTP' if needed == 'smtp' else 'Microsoft Graph'}.",
                stage="sign-in",
                cure="Connect it again.",
            )
        with Authority(app, is_public=kept.is_public, cache=kept.cache) as authority:
            answer = _renewed(authority, kept, list(kept.scopes[needed]))
            if not answer or "access_token" not in answer:
                raise error_of(answer)
            return kept.taken(needed, answer, authority.cache.serialize()).sealed()

    def consent_url(self, app: App, redirect_uri: str, state: str) -> str | None:
        """See `Connector.consent_url`."""
        settings: M365App = app.settings
        asked = {"client_id": settings.client_id, "redirect_uri": redirect_uri, "state": state}
        return f"{settings.authority}/{settings.tenant}/adminconsent?{urlencode(asked)}"

    def hosts(self, app: App, purpose: str) -> tuple[str, ...] | None:
        """See `Connector.hosts`."""
        settings: M365App = app.settings
        return settings.hosts if scopes.purpose_of(purpose) == "smtp" else None

    def check(self, app: App, connection: Connection | None, *, mailbox: str = "") -> Iterator[Finding]:
        """See `Connector.check`."""
        from .registration import look

        yield from look(app, connection)


def _by_query(url: str) -> str:
    """Return *url* without the `response_mode`, so that the redirect brings what it says in its query.

    A host's route and a listener on loopback take a GET, and a cookie of the host would not come along with a form. MSAL
    warns whoever asks for that, on the standard error of a host, or by an exception where warnings are errors.
    """
    parts = urlsplit(url)
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name != "response_mode"]
    return parts._replace(query=urlencode(asked)).geturl()


def _is_app(asked: SignIn) -> bool:
    return getattr(asked.account.settings, "mode", None) is Mode.APP


def _refuse_shared(settings: M365App, asked: SignIn) -> None:
    """Refuse a tenant that anybody can sign in to, where one account stands for all (rule 37)."""
    if settings.is_shared and (asked.account.owner == "company" or _is_app(asked)):
        raise SettingsError(
            f"The tenant {settings.tenant} lets anybody sign in, so a company's account can't be connected by it.",
            cure="Set tenant in [apps.m365] to the Directory (tenant) ID of your own.",
        )


def _require_credential(app: App) -> None:
    if not app.settings.is_confidential:
        raise SettingsError(
            "An application that signs in by itself needs a client secret or a certificate, and [apps.m365] has none.",
            cure='Set client_secret or certificate in [apps.m365], or mode = "person" for the account.',
        )


def _start_with_code(app: App, wanted: list[str]) -> Prompt:
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


def _finish_with_code(app: App, asked: SignIn, flow: dict[str, Any]) -> Connected | Pending | Refused:
    """Ask once whether the person is done: a flow that is over is not waited for by MSAL."""
    interval = float(flow["interval"])
    with Authority(app, is_public=True) as authority:
        answer = authority.msal.acquire_token_by_device_flow({**flow, "expires_at": 0})
        if answer.get("error") == "authorization_pending":
            return Pending(interval)
        if answer.get("error") == "slow_down":
            return Pending(interval + _SLOWER)
        return _connected_or_refused(authority, asked, answer, is_public=True)


def _finish_with_redirect(
    app: App, asked: SignIn, begun: dict[str, Any], callback: Mapping[str, str]
) -> Connected | Refused:
    if "error" in callback:
        return _refused(callback)
    is_public = not app.settings.is_confidential
    with Authority(app, is_public=is_public) as authority:
        if "iss" in callback and not _is_issuer(callback["iss"], begun["issuer"]):
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
    except (ValueError, RuntimeError):
        answer = {
            "error": "invalid_redirect",
            "error_description": "the answer does not belong to this sign-in",
        }
    return answer


def _is_native(asked: SignIn) -> bool:
    return is_loopback(urlsplit(asked.redirect_uri or "").hostname or "")


def _is_issuer(said: str, known: str) -> bool:
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
    purpose = scopes.purpose_of(asked.purpose)
    kept = Kept(is_public=is_public, scopes={purpose: scopes.of_person(asked)})
    return Connected(
        connection=connection, secret=kept.taken(purpose, answer, authority.cache.serialize()).sealed()
    )


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


def _finish_as_app(app: App, asked: SignIn) -> Connected:
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


def _renewed(authority: Authority, kept: Kept, wanted: list[str]) -> dict[str, Any] | None:
    """Return Entra's answer to the question for a new access token; None where nothing is left to ask with."""
    answer: dict[str, Any] | None = None
    if kept.is_app:
        answer = authority.msal.acquire_token_for_client(wanted)
    elif accounts := authority.msal.get_accounts():
        answer = authority.msal.acquire_token_silent_with_error(wanted, accounts[0], force_refresh=True)
    return answer
