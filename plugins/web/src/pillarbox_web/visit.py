"""One request, as the pages see it: who asks, what was typed, and how to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from pillarbox import Company, Mailer, PillarboxError, SettingsError, State, User, quotation

from .people import Person
from .site import Site
from .words import Words, languages

CSRF_FIELD = "token"


@attrs.frozen
class Visit:
    """One request.

    Attributes:
        request: Starlette's.
        site: The application's.
        person: Who asks.
        words: Says a sentence in their language.
        form: What was typed, by field; the last value where one came twice.
        token: What a form has to bring along.
    """

    request: Request
    site: Site
    person: Person
    words: Words
    form: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    token: str = attrs.field(default="", repr=False)

    @property
    def mailer(self) -> Mailer:
        """The application's."""
        return self.site.mailer

    @property
    def user(self) -> str | None:
        """The user that the path names, or None."""
        named: str | None = self.request.path_params.get("user")
        return named

    @property
    def company(self) -> str | None:
        """Whose, where the directory knows several."""
        return self.person.company

    def record(self) -> Company | User:
        """Return the record that the path is about, fresh.

        Raises:
            SettingsError: There is no such user.
        """
        found, who = self.mailer.directory.look_up(self.user, self.company)
        return found if who is None else who

    def may_let_go(self, owner: str) -> bool:
        """Whether this person may let mail of the account of *owner* go: a personal one is its owner's alone (rule 7)."""
        return owner in {"company", f"user:{self.person.user}"} or self.site.is_local

    def at(self, *parts: str, **query: str) -> str:
        """Return the path of a page of ours: `at("users", "anna")`."""
        path = "/".join(quote(part, safe="") for part in parts)
        asked = f"?{urlencode(query)}" if query else ""
        return f"{self.request.scope.get('root_path', '')}/{path}{asked}"

    def about(self, *parts: str, **query: str) -> str:
        """Return the path of a page about the same record as this one."""
        start = ("company",) if self.user is None else ("users", self.user)
        return self.at(*start, *parts, **query)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page."""
        return HTMLResponse(self._rendered(template, values), status)

    def streamed(self, template: str, **values: Any) -> Response:
        """Answer with a page that is sent as it is made."""
        made = self._template(template).generate(**self._shared(), **values)
        return StreamingResponse(_octets(made), media_type="text/html")

    def fragment(self, template: str, **values: Any) -> Response:
        """Answer with a part of a page."""
        return HTMLResponse(self._rendered(template, values))

    def go(self, path: str) -> Response:
        """Send the browser on, so that a reload repeats nothing."""
        return RedirectResponse(path, 303)

    def trouble(self, error: PillarboxError, status: int = 0) -> Response:
        """Answer with what went wrong, and the cure."""
        known = 404 if isinstance(error, SettingsError) and "There is no " in error.detail else 409
        return self.page("trouble.html", status or known, detail=error.detail, cure=error.cure)

    def _template(self, name: str) -> Any:
        return self.site.templates.get_template(name)

    def _rendered(self, template: str, values: Mapping[str, Any]) -> str:
        text: str = self._template(template).render(**self._shared(), **values)
        return text

    def _shared(self) -> dict[str, Any]:
        return {
            "t": self.words,
            "told": self.words.told,
            "visit": self,
            "person": self.person,
            "at": self.at,
            "about": self.about,
            "token": self.token,
            "languages": languages(),
            "done": DONE.get(self.request.query_params.get("done", ""), ""),
            "State": State,
            "quotation": quotation,
        }


DONE = {
    "saved": "Saved.",
    "added": "The user was added. They use the company's account until you choose otherwise.",
    "renamed": "Renamed. What was kept and what waits went along.",
    "removed": "The user was removed, with the sign-in and the secrets. What was sent stays in the outbox.",
    "connected": "Connected.",
    "disconnected": "Disconnected. The sign-in was destroyed here.",
    "password": "The new password works and was kept. Mail that waited for it goes on.",
    "moved": "It goes by the account as it is now.",
    "paused": "Paused. Nothing starts until you resume it.",
    "resumed": "Resumed.",
    "queued": "It is queued, and leaves with the next worker.",
    "cancelled": "Cancelled. It will not be sent.",
    "settled": "Noted. Nothing more is sent of it.",
    "again": "A copy of it is queued, on purpose.",
    "revoked": "The token was ended. Its computer sends nothing any more.",
    "held": "Held. It waits for your word.",
}
"""What a page says first after a deed: the URL names it, and can say nothing else."""

Handler: TypeAlias = Callable[[Visit], Response]


def _octets(pieces: Iterator[str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode()
