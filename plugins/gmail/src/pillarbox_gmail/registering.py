"""What can be seen of the registration without signing anybody in: the client, the service account, the endpoint."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from pillarbox import App, Finding, PillarboxError, SettingsError

from .app import GmailApp, registration
from .findings import fail, ok, skip, warn
from .refusals import code_of, row_of
from .settings import Mode
from .tokens import FORM, answered, client_secret, key_of, wire_of

_CLIENT_ID = re.compile(r"[0-9]+-[a-z0-9]+\.apps\.googleusercontent\.com")
_LATER = "Look again later; check token_uri in [apps.gmail] if it stays so."
_NOBODYS = "pillarbox-asks-whether-the-client-is-known"
"""A refresh token that nobody has: whoever refuses it as such has accepted the client before."""


def looked_at(app: App) -> Iterator[Finding]:
    """Yield what is found of the registration; core says how the sign-in stands, and what was granted."""
    settings = registration(app)
    secret: str | None = None
    if settings.client_id:
        yield _client_id(settings)
        finding, secret = _secret(app)
        yield finding
    if settings.service_account is not None:
        yield _service_account(app)
    if secret is not None:
        yield _endpoint(settings, secret)
    else:
        yield skip("endpoint", "nothing to ask with")


def _client_id(settings: GmailApp) -> Finding:
    if _CLIENT_ID.fullmatch(settings.client_id):
        return ok("registration", "client-id-set", settings.client_id)
    return warn(
        "registration",
        "client-id-odd",
        f"{settings.client_id} does not look like a client of Google's",
        "Copy the client ID from the Google Cloud console; it ends in .apps.googleusercontent.com.",
    )


def _secret(app: App) -> tuple[Finding, str | None]:
    try:
        secret = client_secret(app)
    except SettingsError as error:
        return fail("registration", "client-secret-unreadable", error.detail, error.cure, 78), None
    if secret:
        return ok("registration", "client-secret-set", "the client secret can be read"), secret
    cure = "Refer to it in [apps.gmail]; Google gives one to desktop applications as well."
    return warn("registration", "client-secret-missing", "there is no client secret", cure), ""


def _service_account(app: App) -> Finding:
    try:
        key = key_of(app)
    except SettingsError as error:
        return fail("registration", "service-account-unreadable", error.detail, error.cure, 78)
    seen = f"{key['client_email']} of the project {key.get('project_id', '(not said)')}"
    return ok("registration", "service-account-readable", seen)


def _endpoint(settings: GmailApp, secret: str) -> Finding:
    """Ask for a token with a refresh token that nobody has: the refusal tells whether the client is known."""
    fields = {
        "grant_type": "refresh_token",
        "client_id": settings.client_id,
        "client_secret": secret,
        "refresh_token": _NOBODYS,
    }
    started, wire = time.monotonic(), wire_of(settings)
    try:
        answer = answered(wire, "POST", settings.token_uri, urlencode(fields).encode(), FORM)
    except PillarboxError as error:
        return fail(
            "endpoint", "token-endpoint-silent", error.detail, error.cure or _LATER, 75, since=started
        )
    finally:
        wire.close()
    code, _ = code_of(answer)
    if code == "invalid_grant":
        return ok("endpoint", "client-known", "Google knows the client and its secret", since=started)
    row = row_of(code, "", Mode.PERSON)
    seen = row.meaning if row else f"the token endpoint answered {answer.status} {code}".rstrip()
    cure = row.cure if row else "Check token_uri and the client in [apps.gmail]."
    return fail("endpoint", "client-refused", seen, cure, 78, since=started)
