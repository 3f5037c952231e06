"""The pages: which there are, who may see each, and what answers. This table is all that the application is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ..guard import Needs, Page
from . import checking, computers, connecting, home, moving, outbox, passwords, settings, users

_BOTH = ("GET", "POST")
_ADMINISTRATOR, _SELF, _ANYBODY = Needs.ADMINISTRATOR, Needs.SELF, Needs.SIGNED_IN


def _of_record(start: str, needs: Needs) -> Iterator[Page]:
    """Yield the pages that a company and a user have alike."""
    yield Page(path=start, methods=_BOTH, needs=needs, answer=settings.page)
    yield Page(path=f"{start}/preview", methods=("POST",), needs=needs, answer=settings.preview)
    yield Page(
        path=f"{start}/suggest", methods=("POST",), needs=needs, answer=settings.suggest, limit="suggest"
    )
    yield Page(path=f"{start}/history", needs=needs, answer=settings.history)
    yield Page(path=f"{start}/connect", methods=_BOTH, needs=needs, answer=connecting.begin, limit="connect")
    yield Page(path=f"{start}/code", methods=_BOTH, needs=needs, answer=connecting.code)
    yield Page(path=f"{start}/disconnect", methods=("POST",), needs=needs, answer=connecting.disconnect)
    yield Page(path=f"{start}/check", methods=_BOTH, needs=needs, answer=checking.check, limit="check")
    yield Page(path=f"{start}/test", methods=("POST",), needs=needs, answer=checking.test, limit="test")
    yield Page(path=f"{start}/password", methods=_BOTH, needs=needs, answer=passwords.page, limit="password")
    yield Page(path=f"{start}/waiting", methods=_BOTH, needs=needs, answer=moving.page)


PAGES: tuple[Page, ...] = (
    Page(path="/", needs=_ANYBODY, answer=home.page),
    Page(path="/connected", needs=_ANYBODY, answer=connecting.finish),
    *_of_record("/company", _ADMINISTRATOR),
    Page(path="/users", methods=_BOTH, needs=_ADMINISTRATOR, answer=users.page),
    *_of_record("/users/{user}", _SELF),
    Page(path="/users/{user}/computers", methods=_BOTH, needs=_SELF, answer=computers.page, limit="token"),
    Page(path="/users/{user}/rename", methods=("POST",), needs=_ADMINISTRATOR, answer=users.rename),
    Page(path="/users/{user}/remove", methods=_BOTH, needs=_ADMINISTRATOR, answer=users.remove),
    Page(path="/outbox", needs=_ANYBODY, answer=outbox.page),
    Page(path="/outbox/pause", methods=("POST",), needs=_ANYBODY, answer=outbox.pause),
    Page(path="/outbox/resume", methods=("POST",), needs=_ANYBODY, answer=outbox.resume),
    Page(path="/outbox/{key}", methods=_BOTH, needs=_ANYBODY, answer=outbox.entry),
)
