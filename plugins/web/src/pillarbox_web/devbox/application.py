"""The pages of the development inbox."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import attrs
import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
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


class _Number(Convertor[int]):
    """A number in a path. Starlette's own is of any length, and Python refuses to read 5,000 digits."""

    regex = "[0-9]{1,15}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("mail", _Number())


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
        Route("/messages/{id:mail}.json", pages.one_as_json),
        Route("/messages/{id:mail}.eml", pages.eml),
        Route("/clear", pages.clear, methods=["POST"]),
        Route("/mail/{id:mail}", pages.one),
        Route("/mail/{id:mail}/html", pages.html),
        Route("/mail/{id:mail}/source", pages.source),
        Route("/mail/{id:mail}/part/{number:mail}", pages.part),
        Route("/mail/{id:mail}/delete", pages.delete, methods=["POST"]),
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
        self._rows: dict[int, _Row] = {}
        self._seen: set[int] = set()
        loader = jinja2.PackageLoader("pillarbox_web.devbox")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )

    async def listed(self, request: Request) -> Response:
        """List the mails that hold what is looked for."""
        search = request.query_params.get("search", "")[:200]
        newest = max((one.id for one in self._box.all()), default=0)  # before: what comes meanwhile is news
        rows = await run_in_threadpool(self._found, search)
        return self._page("list.html", request, rows=rows, seen=self._seen, search=search, newest=newest)

    def _found(self, search: str) -> list[_Row]:
        # Each mail is taken apart once for the list: a page that looks every two seconds must cost little.
        kept = self._box.all()
        self._rows = {one.id: self._rows.get(one.id) or _row(read(one)) for one in kept}
        self._seen &= {one.id for one in kept}
        return [row for row in self._rows.values() if search.casefold() in row.searched]

    async def as_json(self, request: Request) -> Response:
        """Give the same to programs: a test that waits for a mail; `?after=7` gives those after number 7."""
        after = request.query_params.get("after", "")[:18]
        least = int(after) if after.isdecimal() else 0
        kept = [one for one in self._box.all() if one.id > least]
        return JSONResponse(await run_in_threadpool(lambda: [self._plain(read(one)) for one in kept]))

    async def one_as_json(self, request: Request) -> Response:
        """Give all that is known of one to programs."""

        def give(caught: Caught) -> Response:
            letter = read(caught)
            reasons = [{"text": one.text, "source": one.source} for one in why(letter, self._mailer)]
            more = {"headers": letter.headers, "html": letter.html, "remote": letter.remote}
            return JSONResponse(self._plain(letter) | more | {"problem": letter.problem, "why": reasons})

        return await self._of(request, give)

    async def eml(self, request: Request) -> Response:
        """Give what came, for another mail program."""

        def give(caught: Caught) -> Response:
            name = {"Content-Disposition": f'attachment; filename="mail-{caught.id}.eml"'}
            return Response(caught.octets, media_type="message/rfc822", headers=name)

        return await self._of(request, give)

    def _plain(self, letter: Letter) -> dict[str, Any]:
        return _plain(letter) | {"unread": letter.caught.id not in self._seen}

    async def one(self, request: Request) -> Response:
        """Show one mail."""

        def show(caught: Caught) -> Response:
            letter = read(caught)
            self._seen.add(caught.id)
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


@attrs.frozen
class _Row:
    """A mail in the list."""

    caught: Caught
    subject: str
    shown: str
    attached: int
    searched: str = attrs.field(repr=False)


def _row(letter: Letter) -> _Row:
    return _Row(letter.caught, letter.subject, letter.header("From"), len(letter.parts), _searched(letter))


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
