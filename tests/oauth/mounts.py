"""The two providers as tests see them: what each did, and what a test lets happen to it."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from pillarbox.testing.graph import Token
from tests.oauth.clients import Client

TENANT: Final = "5f2c6a1e-0000-4000-8000-0c0ffee00001"
DOMAIN: Final = "contoso.test"
_GRAPH: Final = "https://graph.microsoft.com/"
_TIMEOUT_S: Final = 30.0


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened at the provider; no token, code or secret is in it.

    Attributes:
        mount: `entra` or `google`.
        kind: `granted`, `refused` or `fault` for each request for a token; `consumed` for a refresh token that was used
            up; `revoked` for a grant; `consented` for an administrator who allowed an app.
        at: When, in seconds since 1970.
        client: Whose client id.
        grant_type: By what a token was asked for.
        account: Whose address, where it is known.
        scopes: What was granted.
        error, why: What was refused, and the provider's own reason.
    """

    mount: str
    kind: str
    at: float
    client: str = ""
    grant_type: str = ""
    account: str = ""
    scopes: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    error: str = ""
    why: str = ""

    @property
    def asks(self) -> bool:
        """Whether it is the end of a request for a token."""
        return self.kind in {"granted", "refused", "fault"}


class Door:
    """The provider's door for tests."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key

    def call(self, name: str, **given: Any) -> Any:
        """Ask for something to be done, and return what the provider says."""
        request = urllib.request.Request(
            f"{self._url}/{name}",
            json.dumps(given).encode(),
            {"Authorization": f"Bearer {self._key}"},
            method="POST",
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return json.load(answer)


@attrs.frozen(kw_only=True)
class Mount:
    """One of the two providers.

    Attributes:
        name: `entra` or `google`.
        issuer: What it calls itself in id tokens.
        introspection_uri: Where `api` asks about tokens.
    """

    name: str
    issuer: str
    introspection_uri: str = attrs.field(repr=False)
    _door: Door = attrs.field(repr=False)
    _api: Client = attrs.field(repr=False)
    _tls: ssl.SSLContext = attrs.field(repr=False)

    def fail(
        self,
        error: str,
        *,
        times: int = 1,
        endpoint: str = "token",
        grant_type: str = "",
        status: int | None = None,
        description: str = "",
        echo: bool = False,
        **more: Any,
    ) -> None:
        """Let the next requests for a token fail.

        Args:
            error: An error of OAuth's (`invalid_grant`, `temporarily_unavailable` ...), which is answered in JSON; or
                `unavailable` (503 and a page), `garbage` (200 and a page), `hang` (no answer), `cut` (closed at once),
                `cut-after` (done, and closed without an answer).
            times: How many; -1 for all.
            endpoint: `token`, or `revoke` where there is one.
            grant_type: Only requests of this type.
            status: Another than the error's usual one.
            description: The error's `error_description`.
            echo: Whether its words repeat all that was sent, secrets and all.
            more: Further fields of the answer, `suberror` or `claims` say.
        """
        given = {"error": error, "times": times, "endpoint": endpoint, "grant_type": grant_type, "echo": echo}
        self._call(
            "fail",
            **given,
            description=description,
            more=more,
            **({} if status is None else {"status": status}),
        )

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._call("heal")

    def rotate(self, on: bool) -> None:
        """Whether each refresh brings another refresh token and uses up the one before; used twice, it ends the grant."""
        self._call("rotate", on=on)

    def lifetime(self, seconds: int) -> None:
        """Let access tokens that are issued from now on live so long."""
        self._call("lifetime", seconds=seconds)

    def expire(self, account: str = "") -> int:
        """End the access tokens of *account* (of everybody) before their time; return how many. Who holds one isn't told."""
        ended: int = self._call("expire", account=account)
        return ended

    def revoke(self, account: str = "") -> int:
        """End the grants of *account* (of everybody), as its owner or an administrator does; return how many."""
        ended: int = self._call("revoke", account=account)
        return ended

    def grants(self, account: str = "") -> int:
        """Return how many grants of *account* (of everybody) live."""
        found: int = self._call("grants", account=account)
        return found

    def replace(self, account: str) -> None:
        """Give the address *account* to somebody else."""
        self._call("replace", account=account)

    def describe(self, account: str, **claims: Any) -> None:
        """Let the provider state these claims of *account* from now on."""
        self._call("describe", account=account, claims=claims)

    def events(self) -> list[Event]:
        """Return what happened here."""
        return [Event(**one) for one in self._door.call("events") if one["mount"] == self.name]

    def secrets(self) -> list[str]:
        """Return every token, code, secret and assertion that came or went at the token endpoint."""
        known: list[str] = self._call("secrets")
        return known

    def requests(self) -> list[Event]:
        """Return the requests for tokens, by how each ended."""
        return [one for one in self.events() if one.asks]

    def refreshes(self) -> int:
        """Return how many refreshes were granted."""
        return sum(one.kind == "granted" and one.grant_type == "refresh_token" for one in self.events())

    def introspect(self, token: str) -> Token | None:
        """Return what *token* stands for; None where it is expired, revoked, or none of this provider's.

        Scopes of Graph have their short names (`Mail.Send`), as has what an app may do by itself.
        """
        said = self._introspected(token)
        if not said["active"]:
            return None
        scopes = said.get("roles") or said.get("scope", "").split()
        return Token(
            said.get("address", ""), [one.removeprefix(_GRAPH) for one in scopes], app=said.get("app", False)
        )

    def _introspected(self, token: str) -> dict[str, Any]:
        form = {"token": token, "client_id": self._api.id, "client_secret": self._api.secret}
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )
        with opener.open(self.introspection_uri, urlencode(form).encode(), timeout=_TIMEOUT_S) as answer:
            said: dict[str, Any] = json.load(answer)
        return said

    def _call(self, name: str, **given: Any) -> Any:
        return self._door.call(name, mount=self.name, **given)


@attrs.frozen(kw_only=True)
class Entra(Mount):
    """What looks like Entra; `authority` is for MSAL, with `instance_discovery=False`.

    Attributes:
        authority: With the tenant's id; what follows `base` may also be the tenant's `domain`, `organizations` or `common`.
        base: Without a tenant.
        tenant: The tenant's id.
        domain: Its domain.
    """

    authority: str
    base: str
    tenant: str = TENANT
    domain: str = DOMAIN


@attrs.frozen(kw_only=True)
class Google(Mount):
    """What looks like Google; `service_account` is the content of a service account's key file."""

    auth_uri: str
    token_uri: str
    revoke_uri: str
    certs_uri: str
    service_account: Mapping[str, str] = attrs.field(repr=False)
