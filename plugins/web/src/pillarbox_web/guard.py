"""What stands before every page: who may, which forms are believed, which headers go out. One table says which page needs what."""

from __future__ import annotations

import enum
import hmac
import inspect
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pillarbox import PillarboxError, SettingsError

from .site import Site
from .visit import CSRF_FIELD, Handler, Visit
from .words import preferred, words

LARGEST_FORM = 128 * 1024
"""Octets of a form."""
MOST_FIELDS = 500
COOKIE = "pillarbox-form"
"""Names the browser for the tokens of forms; it signs nobody in."""


class Needs(enum.Enum):
    """Who may see a page."""

    SIGNED_IN = "anybody who is signed in"
    SELF = "the user whom the path names, or an administrator"
    ADMINISTRATOR = "an administrator"


@attrs.frozen(kw_only=True)
class Page:
    """One page: where it is, who may see it, and what answers.

    Attributes:
        path: As Starlette writes it.
        methods: `GET`, `POST`.
        needs: Who may.
        answer: What answers.
        limit: The deed that is counted, of `limiting.RATES`, or "".
    """

    path: str
    methods: tuple[str, ...] = ("GET",)
    needs: Needs
    answer: Handler
    limit: str = ""


def endpoint(page: Page, site: Site) -> Callable[[Request], Awaitable[Response]]:
    """Return what Starlette calls for *page*."""

    async def guarded(request: Request) -> Response:
        person = site.identify(request)
        if inspect.isawaitable(person):
            person = await person
        if person is None:
            return PlainTextResponse("Sign in to the program that these pages belong to.", 401)
        cookie = request.cookies.get(COOKIE, "") or secrets.token_urlsafe(24)
        visit = Visit(
            request,
            site,
            person,
            words(person.language or preferred(request.headers.get("accept-language", ""))),
            token=site.token(person.key, cookie),
        )
        refusal = _refusal(page, visit)
        if refusal is None and request.method == "POST":
            form = await _form(request)
            refusal = _form_refusal(visit, form)
            visit = attrs.evolve(visit, form=form or {})
        if refusal is None and page.limit and request.method == "POST":
            refusal = _limited(page, visit)
        answer = refusal if refusal is not None else await run_in_threadpool(_answered, page, visit)
        if request.cookies.get(COOKIE) != cookie:
            answer.set_cookie(
                COOKIE,
                cookie,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
                path=request.scope.get("root_path", "") or "/",
            )
        return answer

    return guarded


def _answered(page: Page, visit: Visit) -> Response:
    try:
        return page.answer(visit)
    except PillarboxError as error:
        return visit.trouble(error)


def _refusal(page: Page, visit: Visit) -> Response | None:
    person = visit.person
    if person.is_administrator or page.needs is Needs.SIGNED_IN:
        return None
    if page.needs is Needs.SELF and visit.user == person.user:
        return None
    # The same for a user who is there and one who is not: nobody learns who works here.
    return visit.trouble(
        SettingsError("This page is not yours to see.", cure="Ask an administrator."), status=403
    )


def _form_refusal(visit: Visit, form: dict[str, str] | None) -> Response | None:
    if form is None:
        return PlainTextResponse("The form is too large.", 413)
    request = visit.request
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    is_ours = site in {"same-origin", "none"} and origin in {"", request.headers.get("host", "")}
    if is_ours and hmac.compare_digest(form.get(CSRF_FIELD, "").encode(), visit.token.encode()):
        return None
    return visit.trouble(
        SettingsError(
            "This form was not written by these pages, or its page is too old.",
            cure="Load the page again, and repeat it.",
        ),
        status=403,
    )


async def _form(request: Request) -> dict[str, str] | None:
    """Return the fields of a form, bounded; None where there are too many octets or fields."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            return None
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    return {name: value.replace("\x00", "\N{REPLACEMENT CHARACTER}") for name, value in pairs}


def _limited(page: Page, visit: Visit) -> Response | None:
    wait = visit.site.limits.seconds_to_wait(page.limit, visit.person.key)
    if not wait:
        return None
    answer = visit.page(
        "trouble.html",
        429,
        detail=visit.words("That was asked too often."),
        cure=visit.words("Try again in {seconds} seconds.", seconds=int(wait) + 1),
    )
    answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer


class Safe:
    """Puts the headers on every answer that keep other sites, and what a page was made to hold, from acting."""

    def __init__(self, app: ASGIApp, frame_ancestors: str, *, frames: bool = False) -> None:
        self._app = app
        self._policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
            f" form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
            + ("; frame-src 'self'" if frames else "")
        )
        self._is_framed = frame_ancestors != "'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and put the headers on its answer (ASGI)."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", self._policy)
                headers["X-Content-Type-Options"] = "nosniff"
                # With no-referrer a form's Origin would be null, and could not be told from a stranger's.
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
                if not self._is_framed:
                    headers.setdefault("X-Frame-Options", "DENY")
                # What is the same for everybody may be kept, and is asked after; a person's page may not.
                is_static = "/static/" in scope["path"]
                headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


async def not_found(request: Request, _: Exception) -> Response:
    """Answer where there is no page; it says nothing of who asked."""
    home = request.scope.get("root_path", "") + "/"
    return HTMLResponse(
        f'<!doctype html><title>404</title><p>There is no such page. <a href="{home}">To the pages</a>', 404
    )
