"""The sealed half of a sign-in: what it holds, how it gets a new access token, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pillarbox import App, PillarboxError, SendDeferred, SettingsError

from .app import GmailApp, registration
from .exchange import Answer, Broken
from .kept import Kept
from .refusals import PASSING, code_of, of_token_endpoint
from .settings import Mode
from .waiting import wait_asked
from .wire import Wire

if TYPE_CHECKING:
    from google.oauth2 import credentials, service_account

SECONDS = 30.0
"""For one exchange of a sign-in."""
LIFETIME = 3600.0
"""Seconds of an access token of which Google does not say how long it lives."""


class Exchange:
    """What google-auth asks for its requests: made by our own wire, with what went wrong kept for us to judge.

    Attributes:
        answer: The last one, or None.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.answer: Answer | None = None

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> Any:
        """Return the answer as google-auth reads it.

        Raises:
            SendDeferred: None came, or none that says anything; so google-auth repeats nothing.
        """
        self.answer = answered(self._wire, method, url, body, headers)
        return _Response(self.answer)


class _Response:
    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.data = answer.body


def answered(
    wire: Wire, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return the answer of one of the endpoints of a sign-in, which may be asked again at any time.

    Raises:
        SendDeferred: It gives none now.
    """
    try:
        answer = wire.ask(method, url, body=body, headers=headers)
    except Broken as error:
        raise SendDeferred(f"Google was asked for a token, and {error.how}.", stage="sign-in") from None
    if answer.status == 429 or answer.status >= 500 or code_of(answer)[0] in PASSING:
        raise SendDeferred(
            f"Google gives no token now: it answered {answer.status}.",
            code=str(answer.status),
            stage="sign-in",
            retry_after=wait_asked(answer),
        )
    return answer


def wire_of(app: GmailApp, seconds: float = SECONDS) -> Wire:
    """Return a wire for the exchanges of one sign-in."""
    return Wire(app.ca_file, seconds)


def refreshed(app: App, kept: Kept) -> Kept:
    """Return *kept* with a new access token.

    Raises:
        SignInNeeded: A person has to connect again.
        SettingsError: The registration was refused.
        SendDeferred: Google gives none now.
    """
    settings = registration(app)
    wire = wire_of(settings)
    exchange = Exchange(wire)
    made = _of_person(app, kept) if kept.mode is Mode.PERSON else _of_service(app, kept)
    failure: PillarboxError
    try:
        made.refresh(exchange)  # type: ignore[no-untyped-call,unused-ignore]
    except PillarboxError:
        raise
    except Exception:  # noqa: BLE001  (google-auth's, and whatever its reading raises; their text may hold the token)
        failure = of_token_endpoint(exchange.answer, kept.mode)
    else:
        if isinstance(made.token, str) and made.token:
            return _with(kept, made)
        failure = SendDeferred("Google answered, and gave no token.", stage="sign-in")
    finally:
        wire.close()
    raise failure


def _with(kept: Kept, made: Any) -> Kept:
    expiry: dt.datetime | None = made.expiry
    ends = time.time() + LIFETIME if expiry is None else expiry.replace(tzinfo=dt.UTC).timestamp()
    rotated = getattr(made, "refresh_token", None) or kept.refresh_token
    return attrs.evolve(kept, access_token=made.token, expires_at=ends, refresh_token=rotated)


def _of_person(app: App, kept: Kept) -> credentials.Credentials:
    """Return a person's credentials, made here: google-auth's own ways put its token endpoint in the place of ours."""
    from google.oauth2.credentials import Credentials

    settings = registration(app)
    return Credentials(  # type: ignore[no-untyped-call,unused-ignore]
        None,
        refresh_token=kept.refresh_token,
        token_uri=settings.token_uri,
        client_id=settings.client_id,
        client_secret=client_secret(app),
    )


def _of_service(app: App, kept: Kept) -> service_account.Credentials:
    from google.oauth2.service_account import Credentials

    info = key_of(app)
    refuse_stranger(registration(app), kept.subject)
    try:
        made: service_account.Credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call,unused-ignore]
            {**info, "token_uri": registration(app).token_uri}, scopes=kept.scopes, subject=kept.subject
        )
    except Exception:  # noqa: BLE001  (what is wrong with a key is told by text that may hold it)
        failure = SettingsError("The key of the service account can't be used.", cure=_NEW_KEY)
    else:
        return made
    raise failure


_NEW_KEY = (
    "Make a new JSON key of the service account in the Google Cloud console, and refer to it in [apps.gmail]."
)


def refuse_stranger(settings: GmailApp, mailbox: str) -> None:
    """Refuse a *mailbox* that the service account is not for.

    Raises:
        SettingsError: It is of none of the domains that the deployer named.
    """
    if settings.service_domains and mailbox.rpartition("@")[2].lower() not in settings.service_domains:
        raise SettingsError(
            f"The service account is not for {mailbox}.",
            cure="Use another mailbox, or have the deployer add its domain to service_domains in [apps.gmail].",
        )


def client_secret(app: App) -> str:
    """Return the secret of the OAuth client; "" where it has none.

    Raises:
        SettingsError: The reference can't be followed.
    """
    return app.secret("client_secret") if registration(app).client_secret is not None else ""


def key_of(app: App) -> dict[str, Any]:
    """Return the key of the service account.

    Raises:
        SettingsError: There is none, or it is no such key.
    """
    if registration(app).service_account is None:
        raise SettingsError(
            "The account signs in by a service account, and the registration has none.",
            cure='Set service_account = { file = "..." } in [apps.gmail].',
        )
    text = app.secret("service_account")
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    if not isinstance(info, dict) or info.get("type") != "service_account" or not info.get("client_email"):
        raise SettingsError(
            "What service_account refers to is no JSON key of a service account.", cure=_NEW_KEY
        )
    return info


def revoked(settings: GmailApp, kept: Kept) -> bool:
    """Tell Google that a person's grant is over; False where there is nobody to tell.

    Raises:
        SendDeferred: It does not answer, or not as it should.
    """
    if kept.mode is Mode.SERVICE or not settings.revoke_uri:
        return False
    from urllib.parse import urlencode

    wire = wire_of(settings)
    body = urlencode({"token": kept.refresh_token or kept.access_token}).encode()
    try:
        answer = answered(wire, "POST", settings.revoke_uri, body, FORM)
    finally:
        wire.close()
    known = (answer.told or {}).get("error") == "invalid_token"  # it is over already
    if answer.status == 200 or known:
        return True
    raise SendDeferred(f"Google did not end the sign-in: it answered {answer.status}.", stage="sign-in")


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
