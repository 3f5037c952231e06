"""The door of pages that serve this computer alone: a key that is good once, then a cookie; never another host's name."""

from __future__ import annotations

import hmac
import secrets
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl

import attrs
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = ("localhost", "127.0.0.1", "[::1]")
_PEERS = ("127.", "::1", "::ffff:127.")


@attrs.define
class Key:
    """The key that stands in the URL which the browser is given. The first who brings it gets the cookie.

    Attributes:
        port: The page's.
        command: What printed the address, for whoever comes without it.
    """

    port: int
    command: str = "pillarbox web"
    _once: str | None = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)
    _session: str = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        """The page's address with the key, for the browser that is opened."""
        return f"http://localhost:{self.port}/?key={self._once}"

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies of one host are shared by all its ports (RFC 6265, 8.5)."""
        return f"pillarbox-{self.port}"

    def turned(self, given: str) -> str | None:
        """Return what the cookie holds for whoever brings the key for the first time, else None."""
        if self._once is None or not hmac.compare_digest(given.encode(), self._once.encode()):
            return None
        self._once = None
        return self._session

    def fits(self, cookie: str) -> bool:
        """Whether *cookie* is the one that was given for the key."""
        return hmac.compare_digest(cookie.encode(), self._session.encode())


class OnlyHere:
    """Lets through what comes from this computer, by this computer's own name, with the cookie."""

    def __init__(self, app: ASGIApp, key: Key) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on what may be handed on (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        # Without this a name that an attacker points at 127.0.0.1 would be our origin (DNS rebinding).
        if headers.get("host", "") not in {f"{host}:{self._key.port}" for host in HOSTS}:
            return PlainTextResponse("These pages answer to localhost alone.", 421)
        if not (scope.get("client") or ("",))[0].startswith(_PEERS):
            return PlainTextResponse("These pages serve this computer alone.", 403)
        cookies = SimpleCookie(headers.get("cookie", ""))
        if self._key.cookie in cookies and self._key.fits(cookies[self._key.cookie].value):
            return None
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("key", "")
        session = self._key.turned(given) if given else None
        if session is None:
            return PlainTextResponse(
                f"This page needs the key that {self._key.command} printed, and each key is good once."
                f" Start it again: {self._key.command}",
                403,
            )
        answer = RedirectResponse("/", 303)  # at once, so that no history and no Referer keeps the key
        answer.set_cookie(self._key.cookie, session, httponly=True, samesite="lax", path="/")
        return answer
