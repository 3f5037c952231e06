"""The sign-in with Google: a person's by the browser, or a service account's by what an administrator delegated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

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
    SettingsError,
    SignIn,
)

from .app import GmailApp, registration
from .settings import Mode


class GmailConnector(Connector):
    """Signs accounts in with Google: for Gmail, and for SMTP and IMAP at Google."""

    app: GmailApp
    label: ClassVar[str] = "Google"

    def start(self, app: App, asked: SignIn) -> Prompt:
        """See `Connector`."""
        settings = registration(app)
        if _mode(asked) is Mode.SERVICE:
            from .signing_in import check_service

            check_service(app, asked)
            return Prompt()
        if not settings.client_id:
            raise SettingsError(
                "The registration is of a service account alone, so no person can sign in.",
                cure="Set client_id and client_secret in [apps.gmail], or mode = service for the account.",
            )
        if asked.redirect_uri is None:
            raise SettingsError(
                "Google has no sign-in by a code to type that allows mail.",
                cure="Connect in a browser: pillarbox company connect, or pillarbox user connect USER; with --paste"
                " the browser may be on another computer.",
            )
        from .consent import Secrets, page

        kept = Secrets.made()
        return Prompt(url=page(settings, asked, kept), kept=kept.written())

    def finish(
        self, app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None
    ) -> Connected | Pending | Refused:
        """See `Connector`."""
        from .signing_in import by_person, by_service

        if _mode(asked) is Mode.SERVICE:
            return by_service(app, asked)
        return Pending() if callback is None else by_person(app, asked, kept, callback)

    def wanted(self, app: App, asked: SignIn) -> tuple[str, ...]:
        """See `Connector`."""
        from .consent import mail_scopes

        return mail_scopes(registration(app), asked)[:1]

    def held(self, app: App, secret: bytes, purpose: str) -> Held | None:
        """See `Connector`."""
        from .kept import Kept

        kept = Kept.read(secret)
        return Held(kept.access_token, kept.expires_at) if kept.access_token else None

    def refresh(self, app: App, secret: bytes, purpose: str) -> bytes:
        """See `Connector`."""
        from .kept import Kept
        from .tokens import refreshed

        return refreshed(app, Kept.read(secret)).written()

    def revoke(self, app: App, secret: bytes) -> bool:
        """See `Connector`."""
        from .kept import Kept
        from .tokens import revoked

        return revoked(registration(app), Kept.read(secret))

    def hosts(self, app: App, purpose: str) -> tuple[str, ...] | None:
        """See `Connector`."""
        return registration(app).hosts if purpose in {"smtp", "imap"} else None

    def check(self, app: App, connection: Connection | None, *, mailbox: str = "") -> Iterator[Finding]:
        """See `Connector`."""
        from .registering import looked_at

        yield from looked_at(app)


def _mode(asked: SignIn) -> Mode:
    return Mode(getattr(asked.account.settings, "mode", Mode.PERSON))
