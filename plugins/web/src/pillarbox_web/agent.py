"""The door for workers at users' own computers: a token, a few calls, one user's lanes; it never leads to the database."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pillarbox import Changed, InvalidSettings, PillarboxError, SettingsError, Unavailable
from pillarbox.agent import Desks, Token, wire
from pillarbox.exchange import is_loopback

from .limiting import Limits

if TYPE_CHECKING:
    from pillarbox import Mailer

LOOK: Final = 1.0
"""Seconds between two looks for news while a worker waits for some."""
_FAILED: Final = "agent"
_log = logging.getLogger("pillarbox")
_log.addHandler(logging.NullHandler())  # a library prints nothing where the host has set nothing up
_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Deed = Callable[[Desks, Token, wire.Said], dict[str, Any]]
_DEEDS: Final[Mapping[str, Deed]] = {
    wire.CLAIM: Desks.claim,
    wire.LOOKS: Desks.looks,
    wire.HAND_OVER: Desks.hand_over,
    wire.NOTE: Desks.note,
    wire.SETTLE: Desks.settle,
    wire.PAUSE: Desks.pause,
    wire.ANSWERED: Desks.answered,
    wire.STATUS: lambda desks, token, _: desks.status(token),
}


class Refused(Exception):
    """A call that is not answered.

    Attributes:
        status: Of HTTP.
        detail, cure: For the worker's user.
        retry_after: Seconds, or 0.
    """

    def __init__(self, status: int, detail: str, cure: str = "", retry_after: int = 0) -> None:
        super().__init__(detail)
        self.status, self.detail, self.cure, self.retry_after = status, detail, cure, retry_after


def agent_app(mailer: Mailer, *, allow_http: bool = False) -> Starlette:
    """Return the door for workers at users' computers, to be mounted where the host's own sign-in does not stand before it.

    A worker shows a token that was issued on its user's page. It is given what is due in the lanes of that user's desk, and says
    what came of it; nothing else.

    Args:
        mailer: Whose outbox and vault.
        allow_http: Whether tokens may come in clear, from other computers: for a proxy that opens TLS, and does not say so.
    """
    door = _Door(mailer, allow_http=allow_http)
    routes = [
        *(Route(path, door.answering(deed), methods=["POST"]) for path, deed in _DEEDS.items()),
        Route(wire.ENTER, door.enter, methods=["POST"]),
        Route(wire.LEAVE, door.leave, methods=["POST"]),
        Route(wire.WAIT, door.wait, methods=["POST"]),
        Route(f"{wire.CONTENT}/{{key}}", door.content, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={404: _no_such, 405: _no_such})


class _Door:
    def __init__(self, mailer: Mailer, *, allow_http: bool) -> None:
        self._mailer = mailer
        self._allow_http = allow_http
        self._made: Desks | None = None
        self._guard = threading.Lock()
        self._limits = Limits()

    @property
    def _desks(self) -> Desks:
        """What serves, made with the first call: a host may make its vault later than its pages."""
        with self._guard:
            if self._made is None:
                self._made = Desks(self._mailer)
            return self._made

    def answering(self, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers the calls of one kind."""

        async def answer(request: Request) -> Response:
            async def work(token: Token, said: wire.Said) -> Response:
                return _table(await run_in_threadpool(deed, self._desks, token, said))

            return await self._guarded(request, work, of_any_run=deed is Desks.settle)

        return answer

    async def enter(self, request: Request) -> Response:
        """Let a worker begin."""

        async def work(token: Token, said: wire.Said) -> Response:
            if said.get("protocol") != wire.PROTOCOL:
                raise Refused(400, "The worker speaks another version of the protocol.", wire.SAME_VERSION)
            return _table(await run_in_threadpool(self._desks.enter, token))

        return await self._guarded(request, work, takes_over=True)

    async def leave(self, request: Request) -> Response:
        """Let a worker go."""

        async def work(token: Token, _: wire.Said) -> Response:
            await run_in_threadpool(self._desks.leave, token)
            return _table({})

        return await self._guarded(request, work)

    async def wait(self, request: Request) -> Response:
        """Answer when there is news, or when the worker has waited for so long."""

        async def work(token: Token, said: wire.Said) -> Response:
            seen, seconds = said.text("seen"), said.whole("seconds", wire.LONGEST_WAIT)
            ends = time.monotonic() + seconds
            while True:
                is_news, now = await run_in_threadpool(self._desks.news, token, seen)
                left = ends - time.monotonic()
                if is_news or left <= 0:
                    return _table({"news": is_news, "seen": now})
                await asyncio.sleep(min(LOOK, left))

        return await self._guarded(request, work)

    async def content(self, request: Request) -> Response:
        """Answer with the bytes of an entry."""

        async def work(token: Token, _: wire.Said) -> Response:
            fence = request.query_params.get("fence", "")
            if not fence.isascii() or not fence.isdecimal() or len(fence) > 15:
                raise ValueError("no fence")
            key = request.path_params["key"]
            found = await run_in_threadpool(self._desks.content, token, key, int(fence))
            if found is None:
                raise Refused(422, "That entry is not this worker's any more.")
            bcc, content = found
            headers = {**_NO_STORE, wire.BCC: str(len(bcc))}
            return Response(bcc + content, media_type="application/octet-stream", headers=headers)

        return await self._guarded(request, work)

    async def _guarded(
        self,
        request: Request,
        work: Callable[[Token, wire.Said], Awaitable[Response]],
        **which: bool,
    ) -> Response:
        try:
            token = await self._token(request, **which)
            said = wire.read(await _body(request)) if request.method == "POST" else wire.Said()
            return await work(token, said)
        except Refused as refused:
            return _refusal(refused)
        except Changed as error:
            return _refusal(Refused(410, error.detail, error.cure))
        except ValueError:
            return _refusal(Refused(400, "The server does not understand this worker.", wire.SAME_VERSION))
        except ClientDisconnect:
            return Response(status_code=400)
        except Unavailable as error:  # what the server's deployer has to install
            return _refusal(Refused(503, error.detail, error.cure, retry_after=5))
        except (
            PillarboxError
        ) as error:  # the storage, the directory: the worker asks again, and need not know what
            _log.error("pillarbox.outbox_failed", extra={"error": type(error).__name__})
            return _refusal(Refused(503, "The server can't answer now.", retry_after=5))

    async def _token(self, request: Request, **which: bool) -> Token:
        peer = request.client.host if request.client is not None else ""
        if request.url.scheme != "https" and not (self._allow_http or is_loopback(peer)):
            raise Refused(
                403,
                "The token may not travel in clear.",
                "Use the server's https:// address. Behind a proxy that opens TLS: agent_app(..., allow_http=True).",
            )
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        session = request.headers.get(wire.SESSION, "")
        token = None
        if scheme.lower() == "bearer":
            try:
                token = await run_in_threadpool(self._desks.who, secret, session, **which)
            except (Changed, InvalidSettings):
                raise
            except SettingsError:  # the user is gone: as if the token were
                token = None
        if token is None:
            wait = self._limits.seconds_to_wait(_FAILED, peer)
            if wait:
                raise Refused(429, "Too many tokens that are none.", retry_after=int(wait) + 1)
            raise Refused(401, "The server does not know this token.", "Make a new one on the user's page.")
        return token


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > wire.LONGEST_CALL:
            raise Refused(413, "The worker says too much at once.")
    return bytes(body)


def _table(table: Mapping[str, Any], status: int = 200) -> Response:
    return Response(wire.written(table), status, headers=_NO_STORE, media_type="application/json")


def _refusal(refused: Refused) -> Response:
    answer = _table({"error": {"detail": refused.detail, "cure": refused.cure}}, refused.status)
    if refused.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if refused.retry_after:
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


async def _no_such(_: Request, error: Exception) -> Response:
    return _refusal(Refused(getattr(error, "status_code", 404), "There is no such call."))
