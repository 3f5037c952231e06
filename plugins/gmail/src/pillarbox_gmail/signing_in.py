"""How a sign-in ends: with what a redirect brings, or with what a service account was delegated."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pillarbox import App, Connected, Connection, Refused, RefusedReason, SettingsError, SignIn

from .aliases import aliases
from .app import GmailApp, registration
from .consent import Granted, Secrets, exchanged, mail_scopes, refused_by
from .grants import LISTS_ALIASES
from .identity import NotVerified, verified
from .kept import Kept
from .settings import Mode
from .tokens import key_of, refreshed, refuse_stranger, wire_of
from .wire import Wire


def by_person(app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str]) -> Connected | Refused:
    """Return what a redirect brings.

    Raises:
        SettingsError: Google refused the registration.
        SendDeferred: It does not answer.
    """
    settings = registration(app)
    if (refused := refused_by(settings, callback)) is not None:
        return refused
    secrets, wire = Secrets.read(kept), wire_of(settings)
    try:
        granted = exchanged(app, wire, asked, secrets, callback["code"])
        return granted if isinstance(granted, Refused) else _connected(settings, wire, granted, secrets.nonce)
    finally:
        wire.close()


def _connected(settings: GmailApp, wire: Wire, granted: Granted, nonce: str) -> Connected | Refused:
    try:
        who = verified(settings, wire, granted.id_token, nonce)
    except NotVerified as error:
        return Refused(
            reason=RefusedReason.FAILED,
            detail=f"the identity can't be trusted: {error}",
            cure="Check issuer, client_id and certs_uri in [apps.gmail], and this machine's clock.",
        )
    connection = Connection(
        issuer=settings.issuer, subject=who.subject, address=who.address, scopes=granted.scopes
    )
    kept = Kept(
        mode=Mode.PERSON,
        refresh_token=granted.refresh_token,
        scopes=granted.scopes,
        access_token=granted.access_token,
        expires_at=granted.expires_at,
    )
    return Connected(connection=_with_aliases(settings, wire, connection, kept), secret=kept.written())


def check_service(app: App, asked: SignIn) -> None:
    """Refuse what no delegation will mend.

    Raises:
        SettingsError: No key, no mailbox, or one that the service account is not for.
    """
    _ = key_of(app)
    if not asked.account.mailbox:
        raise SettingsError(
            "A service account needs a mailbox to act for.", cure="Set mailbox, or the owner's address."
        )
    refuse_stranger(registration(app), asked.account.mailbox)


def by_service(app: App, asked: SignIn) -> Connected:
    """Return what a service account gets at once, for all scopes or none.

    Raises:
        SettingsError: It is not delegated, or its key can't be used.
        SendDeferred: Google gives no token now.
    """
    check_service(app, asked)
    settings, key, mailbox = registration(app), key_of(app), asked.account.mailbox
    scopes = mail_scopes(settings, asked)
    kept = refreshed(app, Kept(mode=Mode.SERVICE, subject=mailbox, scopes=scopes))
    connection = Connection(
        issuer=settings.issuer,
        tenant=str(key.get("project_id", "")),
        subject=f"{key['client_email']} for {mailbox}",
        address=mailbox,
        scopes=scopes,
    )
    wire = wire_of(settings)
    try:
        return Connected(connection=_with_aliases(settings, wire, connection, kept), secret=kept.written())
    finally:
        wire.close()


def _with_aliases(settings: GmailApp, wire: Wire, connection: Connection, kept: Kept) -> Connection:
    """Return *connection* with the aliases of the account, where they were asked for and may be read."""
    if not settings.list_aliases or not LISTS_ALIASES & set(connection.scopes):
        return connection
    return attrs.evolve(connection, aliases=aliases(settings, wire, kept.access_token))
