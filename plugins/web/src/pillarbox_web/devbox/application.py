"""The pages of the development inbox."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..guard import Safe
from ..opening import Key, OnlyHere
from .box import Box, Caught
from .reading import Letter, document, octets_of, read, source
from .why import why

if TYPE_CHECKING:
    from pillarbox import Mailer

_INSIDE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""What a mail's HTML may do: look as it was made to, with its own pictures. No script, no form, nothing from elsewhere."""


def devbox_app(box: Box, *, key: Key | None = None, mailer: Mailer | None = None) -> Starlette:
    """Return the pages of *box*.

    Args:
        box: What was caught.
        key: For this computer alone; without one whoever mounts the pages guards them.
        mailer: Whose settings say why a mail went its way.
    """
    pages = _Pages(box, mailer)
    routes = [
        Route("/", pages.listed),
        Route("/messages.json", pages.as_json),
        Route("/clear", pages.clear, methods=["POST"]),
        Route("/mail/{id:int}", pages.one),
        Route("/mail/{id:int}/html", pages.html),
        Route("/mail/{id:int}/source", pages.source),
        Route("/mail/{id:int}/part/{number:int}", pages.part),
        Route("/mail/{id:int}/delete", pages.delete, methods=["POST"]),
        Mount(
            "/static", StaticFiles(packages=[("pillarbox_web", "static"), ("pillarbox_web.devbox", "static")])
        ),
    ]
    middleware = [Middleware(Safe, "'none'", frames=True)]
    if key is not None:
        middleware.append(Middleware(OnlyHere, key))
    return Starlette(routes=routes, middleware=middleware)


class _Pages:
    def __init__(self, box: Box, mailer: Mailer | None) -> None:
        self._box, self._mailer, self._token = box, mailer, secrets.token_urlsafe(24)
        loader = jinja2.PackageLoader("pillarbox_web.devbox")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )

    async def listed(self, request: Request) -> Response:
        """List the mails that hold what is looked for."""
        search = request.query_params.get("search", "")[:200]
        letters = await run_in_threadpool(self._found, search)
        return self._page("list.html", request, letters=letters, search=search)

    def _found(self, search: str) -> list[Letter]:
        wanted = search.casefold()
        letters = [read(one) for one in self._box.all()]
        return [one for one in letters if not wanted or wanted in _searched(one)]

    async def as_json(self, _: Request) -> Response:
        """Give the same to programs: a test that waits for a mail."""
        letters = await run_in_threadpool(self._found, "")
        return JSONResponse([_plain(one) for one in letters])

    async def one(self, request: Request) -> Response:
        """Show one mail."""

        def show(caught: Caught) -> Response:
            letter = read(caught)
            return self._page("mail.html", request, letter=letter, reasons=why(letter, self._mailer))

        return await self._of(request, show)

    async def html(self, request: Request) -> Response:
        """Give its HTML, for the frame."""

        def show(caught: Caught) -> Response:
            headers = {"Content-Security-Policy": _INSIDE, "X-Frame-Options": "SAMEORIGIN"}
            return HTMLResponse(document(read(caught)), headers=headers)

        return await self._of(request, show)

    async def source(self, request: Request) -> Response:
        """Give what came."""
        return await self._of(request, lambda caught: PlainTextResponse(source(caught)))

    async def part(self, request: Request) -> Response:
        """Give an attachment, to be kept, never to be shown as a page of ours."""

        def give(caught: Caught) -> Response:
            found = octets_of(caught, request.path_params["number"])
            if found is None:
                return PlainTextResponse("There is no such part.", 404)
            name = f"attachment; filename*=UTF-8''{quote(found[0].filename, safe='')}"
            return Response(
                found[1], media_type="application/octet-stream", headers={"Content-Disposition": name}
            )

        return await self._of(request, give)

    async def delete(self, request: Request) -> Response:
        """Forget one."""
        return await self._forget(request, request.path_params["id"])

    async def clear(self, request: Request) -> Response:
        """Forget all."""
        return await self._forget(request, None)

    async def _forget(self, request: Request, number: int | None) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > 4_096:
                return PlainTextResponse("The form is too large.", 413)
        given = dict(parse_qsl(body.decode("latin-1"))).get("token", "")
        is_ours = request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
        if not (is_ours and hmac.compare_digest(given.encode(), self._token.encode())):
            return PlainTextResponse("This form was not written by this page. Load it again.", 403)
        self._box.drop(number)
        return RedirectResponse(request.scope.get("root_path", "") + "/", 303)

    async def _of(self, request: Request, show: Callable[[Caught], Response]) -> Response:
        caught = self._box.get(request.path_params["id"])
        if caught is None:
            return PlainTextResponse("There is no such mail, or no more.", 404)
        return await run_in_threadpool(show, caught)

    def _page(self, template: str, request: Request, **values: Any) -> Response:
        root = request.scope.get("root_path", "")
        text = self._templates.get_template(template).render(root=root, token=self._token, **values)
        return HTMLResponse(text)


def _searched(letter: Letter) -> str:
    caught = letter.caught
    return " ".join(
        (letter.subject, letter.header("From"), caught.mail_from, *caught.rcpt_tos, letter.text[:10_000])
    ).casefold()


def _plain(letter: Letter) -> dict[str, Any]:
    caught = letter.caught
    return {
        "id": caught.id,
        "at": caught.at.isoformat(timespec="seconds"),
        "mail_from": caught.mail_from,
        "rcpt_tos": list(caught.rcpt_tos),
        "subject": letter.subject,
        "from": letter.header("From"),
        "text": letter.text,
        "attachments": [one.filename for one in letter.parts],
    }
