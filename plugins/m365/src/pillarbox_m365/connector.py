"""The connector: how a mailbox is connected to Microsoft 365, and how its tokens are renewed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar
from urllib.parse import urlencode

from pillarbox import (
    App,
    Connected,
    Connection,
    Connector,
    Finding,
    Held,
    Pending,
    Prompt,
    Refused,
    SignIn,
    SignInNeeded,
)

from . import scopes, signing_in
from .app import M365App
from .authority import Authority
from .refusals import error_of
from .tokens import Kept


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
        signing_in.refuse_shared(app.settings, asked)
        if signing_in.is_app(asked):
            signing_in.require_credential(app)
            return Prompt()
        wanted = list(scopes.of_person(asked))
        if asked.redirect_uri is None:
            return signing_in.start_with_code(app, wanted)
        with Authority(app, is_public=not app.settings.is_confidential) as authority:
            flow = authority.msal.initiate_auth_code_flow(
                wanted,
                redirect_uri=asked.redirect_uri,
                state=asked.state,
                prompt="select_account",
                login_hint=asked.account.signs_in_as,
                response_mode="form_post",
            )
            url = signing_in.by_query(flow.pop("auth_uri"))
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
        signing_in.refuse_shared(app.settings, asked)
        if signing_in.is_app(asked):
            return signing_in.finish_as_app(app, asked)
        begun = json.loads(kept)
        if asked.redirect_uri is None:
            return signing_in.finish_with_code(app, asked, begun["flow"])
        if callback is None:
            return Pending()
        return signing_in.finish_with_redirect(app, asked, begun, callback)

    def wanted(self, app: App, asked: SignIn) -> tuple[str, ...]:
        """See `Connector.wanted`."""
        return scopes.of_app(asked) if signing_in.is_app(asked) else scopes.of_person(asked)

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
            answer = signing_in.renewed(authority, kept, list(kept.scopes[needed]))
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

        yield from look(app)
