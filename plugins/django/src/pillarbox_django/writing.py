"""Who is writing: the user for whom this request, or this block, sends mail."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_user: ContextVar[str | None] = ContextVar("pillarbox_user", default=None)


@contextlib.contextmanager
def acting(user: str | None) -> Iterator[None]:
    """Let mail that is sent inside the block be written by *user*; None for nobody in particular.

    A thread that is started inside does not know of it; a task of asyncio does.
    """
    token = _user.set(user)
    try:
        yield
    finally:
        _user.reset(token)


def acting_user() -> str | None:
    """Return who is writing here, or None."""
    return _user.get()
