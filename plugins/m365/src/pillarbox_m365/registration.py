"""Diagnosis of the registration: whether its tenant answers, and whether it can prove who it is. Signs nobody in."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from pillarbox import App, Finding, Level, PillarboxError, SendDeferred, SettingsError
from pillarbox.exchange import Line, NoAnswer, Request, text_of

from .app import CA_FILE, M365App, is_guid
from .authority import pem_parts

SOON = 30
"""Days before the end of a certificate from which on it is warned of: a new one has to be uploaded."""
SECONDS = 10.0
_STAGE = "registration"
_FILL_IN = "See the overview of the registration in Entra, and set it in [apps.m365]."


def look(app: App) -> Iterator[Finding]:
    """Give a finding for each part of the registration; core says how the sign-in stands, and what was granted."""
    yield from _identifier(app.settings)
    yield _timed(lambda: _tenant(app.settings))
    yield _timed(lambda: _proof(app))


def _timed(look_at: Callable[[], Finding]) -> Finding:
    started = time.monotonic()
    found = look_at()
    return Finding(
        found.stage,
        found.level,
        found.code,
        found.seen,
        found.cure,
        time.monotonic() - started,
        found.exit_code,
    )


def _found(
    level: Level, code: str, seen: str, cure: str = "", exit_code: int = SettingsError.exit_code
) -> Finding:
    return Finding(_STAGE, level, f"registration-{code}", seen, cure, exit_code=exit_code)


def _identifier(settings: M365App) -> Iterator[Finding]:
    if not is_guid(settings.client_id):
        seen = f"the client_id {settings.client_id} is no GUID, as Entra gives them"
        yield _found(Level.WARN, "client-id", seen, _FILL_IN)
    if settings.is_shared:
        seen = f"the tenant {settings.tenant} lets anybody sign in, and is refused for a company's account"
        yield _found(Level.WARN, "shared-tenant", seen, "Set the Directory (tenant) ID of your own.")


def _tenant(settings: M365App) -> Finding:
    """Ask for the tenant's own description, which needs no sign-in."""
    host = urlsplit(settings.authority).hostname
    url = f"{settings.authority}/{settings.tenant}/v2.0/.well-known/openid-configuration"
    line = Line(settings.ca_file, named=CA_FILE)
    try:
        answer = line.exchange(Request(method="GET", url=url), SECONDS)
        issuer = json.loads(text_of(answer)).get("issuer") if answer.status == 200 else None
    except PillarboxError as error:
        return _found(Level.FAIL, "unreachable", error.detail, error.cure, error.exit_code)
    except (NoAnswer, ValueError, AttributeError):
        answer, issuer = None, None
    finally:
        line.close()
    if issuer:
        return _found(Level.OK, "tenant", f"{host} knows the tenant {settings.tenant}")
    if answer is not None and 400 <= answer.status < 500:
        cure = "Check tenant and authority in [apps.m365]."
        return _found(Level.FAIL, "tenant-unknown", f"{host} knows no tenant {settings.tenant}", cure)
    seen = f"{host} gave no answer that can be read"
    return _found(Level.FAIL, "unreachable", seen, "Try again later.", SendDeferred.exit_code)


def _proof(app: App) -> Finding:
    settings: M365App = app.settings
    if not settings.is_confidential:
        seen = "there is neither a client secret nor a certificate; people sign in on a desktop or by a code"
        return _found(Level.OK, "public", seen)
    try:
        if settings.certificate is None:
            app.secret("client_secret")
            return _found(Level.OK, "secret", "there is a client secret; Entra alone knows when it expires")
        return _certificate(app.secret("certificate"))
    except SettingsError as error:
        return _found(Level.FAIL, "unreadable", error.detail, error.cure)


def _certificate(text: str) -> Finding:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key, certificates = pem_parts(text)
    made = None
    try:
        load_pem_private_key(key.encode(), None)
        made = x509.load_pem_x509_certificate(certificates.encode())
    except (ValueError, TypeError):
        pass  # its words may repeat the file
    if made is None:
        seen, cure = (
            "the certificate or its key can't be read",
            "Put both into the file in PEM, not encrypted.",
        )
        return _found(Level.FAIL, "unreadable", seen, cure)
    return _until(made.not_valid_after_utc)


def _until(end: dt.datetime) -> Finding:
    left = (end - dt.datetime.now(dt.UTC)).days
    cure = "Make a new one, upload it to the registration in Entra, and put it into the file."
    if left < 0:
        return _found(Level.FAIL, "certificate-expired", f"the certificate expired on {end:%Y-%m-%d}", cure)
    if left < SOON:
        return _found(
            Level.WARN,
            "certificate-ends-soon",
            f"the certificate expires in {left} days, on {end:%Y-%m-%d}",
            cure,
        )
    return _found(Level.OK, "certificate", f"the certificate expires on {end:%Y-%m-%d}, in {left} days")
