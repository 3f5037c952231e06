"""Lets mail that a request sends be written by whoever is signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from .conf import option
from .writing import acting

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

Respond: TypeAlias = "Callable[[HttpRequest], Any]"


class ActingUser:
    """Middleware, to be named behind Django's `AuthenticationMiddleware`.

    The user's id in pillarbox is the field `PILLARBOX["user_field"]` of Django's user, `username` by default. Whoever is
    not signed in is nobody in particular: the company sends.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Respond) -> None:
        self._respond = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer *request*."""
        if self._is_async:
            return self._later(request)
        with acting(user_of(request.user)):
            response: HttpResponse = self._respond(request)
            return response

    async def _later(self, request: HttpRequest) -> HttpResponse:
        with acting(user_of(await request.auser())):
            response: HttpResponse = await self._respond(request)
            return response


def user_of(user: Any) -> str | None:
    """Return the id that pillarbox knows Django's *user* by; None for one who is not signed in."""
    return str(getattr(user, option("user_field"))) if user.is_authenticated else None
