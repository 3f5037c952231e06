"""Who is asking: the host knows, the pages believe it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
from starlette.requests import Request

from pillarbox import Actor, Role


@attrs.frozen(kw_only=True)
class Person:
    """Who is asking, as the host says.

    Attributes:
        user: Their id in the directory; needed for everybody but an administrator who is no user of it.
        role: `OWNER` for a user, who sees and changes their own; `ADMINISTRATOR` for one who sees the company too.
        company: Whose, where the directory knows several.
        name: What the history calls an administrator without a *user*.
        language: `en` or `de`; "" for what the browser asks for.
    """

    user: str | None = None
    role: Role = Role.OWNER
    company: str | None = None
    name: str = ""
    language: str = ""

    def __attrs_post_init__(self) -> None:
        if self.role is Role.OWNER and not self.user:
            raise ValueError("A Person who is no administrator needs the id of a user.")

    @property
    def is_administrator(self) -> bool:
        """Whether they may see and change the company and every user."""
        return self.role.may_act_as(Role.ADMINISTRATOR)

    @property
    def actor(self) -> Actor:
        """Who they are for the history, and for who may set what."""
        return Actor(self.user or self.name or "an administrator", self.role)

    @property
    def key(self) -> str:
        """Names them, for what is theirs alone: tokens, limits, what they have just typed."""
        return f"{self.company or ''}/{self.role.value}/{self.actor.name}"


Identify: TypeAlias = Callable[[Request], "Person | Awaitable[Person | None] | None"]
"""Says who sends a request; None for somebody who is not signed in at the host."""
