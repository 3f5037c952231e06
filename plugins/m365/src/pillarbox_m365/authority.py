"""The way to Microsoft Entra: MSAL, made anew for each question, speaking through our own connection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import attrs

from pillarbox import App, SendDeferred, SettingsError
from pillarbox.exchange import Answer, Line, NoAnswer, Request, text_of

from .app import CA_FILE, M365App
from .discretion import discreet, without_sent
from .sound import is_sound

SECONDS = 30.0
"""For one exchange with the provider."""
_DISCOVERY = "/.well-known/openid-configuration"
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class Authority:
    """One question to Entra; MSAL remembers refusals in its application, so that no other is asked of the same.

    Args:
        app: The registration.
        is_public: Whether to ask without proving who the application is.
        cache: What an earlier answer left, MSAL's own words; "" for nothing.
    """

    def __init__(self, app: App, *, is_public: bool, cache: str = "") -> None:
        import msal

        settings: M365App = app.settings
        self.settings = settings
        self.cache = discreet(msal.SerializableTokenCache())
        self.cache.deserialize(cache or "{}")
        self._http = _Http(settings.ca_file)
        credential = None if is_public else _credential(app)
        kind = msal.PublicClientApplication if is_public else msal.ConfidentialClientApplication
        try:
            self.msal: Any = self._made(kind, credential)
        except BaseException:
            self.close()
            raise

    def _made(self, kind: Any, credential: Any) -> Any:
        settings = self.settings
        more = {} if credential is None else {"client_credential": credential, "azure_region": False}
        try:
            return kind(
                settings.client_id,
                authority=f"{settings.authority}/{settings.tenant}",
                instance_discovery=False,
                token_cache=self.cache,
                http_client=self._http,
                http_cache={},
                **more,
            )
        except ValueError:
            pass  # its words repeat the answer
        raise SettingsError(
            f"{settings.authority} knows no tenant {settings.tenant}, or the certificate can't be used.",
            cure="Check tenant, authority and certificate in [apps.m365].",
        )

    def issuer(self, tenant: str = "") -> str:
        """Return who signs its answers, as its own description says; of *tenant* where that is left open."""
        return self._http.issuer.replace("{tenantid}", tenant) if tenant else self._http.issuer

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _credential(app: App) -> str | dict[str, str]:
    """Return what proves the application, as MSAL takes it.

    Raises:
        SettingsError: There is nothing, or it can't be read.
    """
    settings: M365App = app.settings
    if settings.certificate is None:
        return app.secret("client_secret")
    key, certificates = pem_parts(app.secret("certificate"))
    return {"private_key": key, "public_certificate": certificates}


def pem_parts(text: str) -> tuple[str, str]:
    """Return the key and the certificates of a PEM file's *text*.

    Raises:
        SettingsError: One of them is not there, or the key is encrypted.
    """
    blocks = [(found[1], found[0]) for found in _PEM.finditer(text)]
    keys = [block for kind, block in blocks if kind.endswith("PRIVATE KEY")]
    certificates = [block for kind, block in blocks if kind == "CERTIFICATE"]
    if len(keys) != 1 or not certificates or "ENCRYPTED" in keys[0]:
        raise SettingsError(
            "The certificate of the registration needs one key, not encrypted, and its certificate, both in PEM.",
            cure="Put both into the file that certificate of [apps.m365] names.",
        )
    return keys[0], "\n".join(certificates)


@attrs.frozen
class _Response:
    """An answer in the shape that MSAL reads."""

    status_code: int
    text: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def raise_for_status(self) -> None:
        """Do nothing: what is no answer was told before."""


class _Http:
    """MSAL's way to the network.

    What it raises passes through MSAL as it is. What MSAL would put into a log or an exception together with the body
    (no JSON, a failure of the server) does not reach it.

    Attributes:
        issuer: Of the last description that was read.
    """

    def __init__(self, ca_file: str) -> None:
        self._line = Line(ca_file, named=CA_FILE)
        self.issuer = ""

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _Response:
        """See MSAL's HttpClient."""
        asked = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url
        answer = self._answered(Request(method="GET", url=asked, headers=_plain(headers)))
        if urlsplit(url).path.endswith(_DISCOVERY) and answer.status_code == 200:
            self.issuer = str(_json(answer.text).get("issuer", ""))
        return answer

    def post(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _Response:
        """See MSAL's HttpClient."""
        asked = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url
        form = data if isinstance(data, str) else urlencode(data or {})
        body = form.encode()
        fields = {"Content-Type": "application/x-www-form-urlencoded", **_plain(headers)}
        request = Request(method="POST", url=asked, headers=fields, body=(body,), size=len(body))
        answer = self._answered(request)
        if not is_sound(answer.status_code, _json(answer.text, urlsplit(url).hostname or "")):
            raise _no_answer(urlsplit(url).hostname or "")
        if answer.status_code == 200:
            return answer
        return attrs.evolve(answer, text=without_sent(answer.text, data))

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()

    def _answered(self, request: Request) -> _Response:
        host = urlsplit(request.url).hostname or ""
        if urlsplit(request.url).scheme != "https":
            raise SettingsError(
                f"{host} was to be asked in clear, which is not done.", cure="Check authority in [apps.m365]."
            )
        how = ""
        try:
            answer = self._line.exchange(request, SECONDS)
        except NoAnswer as error:
            how = error.how
        except ValueError:
            raise SettingsError(
                "The registration holds what can't be sent.", cure="Check [apps.m365]."
            ) from None
        if how:
            raise SendDeferred(f"{host} {how}; nothing was sent.", stage="sign-in")
        return _understood(answer, host)


def _understood(answer: Answer, host: str) -> _Response:
    """Return *answer* where MSAL can make something of it.

    Raises:
        SendDeferred: It is a failure of the server, a redirect, or no JSON.
    """
    if answer.status == 429 or answer.status >= 500 or 300 <= answer.status < 400:
        raise SendDeferred(
            f"{host} answered {answer.status}; nothing was sent.",
            code=str(answer.status),
            stage="sign-in",
            retry_after=_seconds(answer.headers.get("retry-after", "")),
        )
    text = text_of(answer)
    if answer.status == 200 or "json" in answer.headers.get("content-type", "").lower():
        _json(text, host)
    elif answer.status != 404:  # an unknown tenant may be answered by a page
        text = json.dumps(
            {"error": "invalid_request", "error_description": f"{host} answered {answer.status}"}
        )
    return _Response(answer.status, text, answer.headers)


def _json(text: str, host: str = "") -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _no_answer(host)
    return value


def _no_answer(host: str) -> SendDeferred:
    return SendDeferred(f"{host} sent what is no answer; nothing was sent.", stage="sign-in")


def _plain(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (headers or {}).items() if value is not None}


def _seconds(said: str) -> float | None:
    return float(said) if said.isascii() and said.isdigit() and len(said) < 8 else None
