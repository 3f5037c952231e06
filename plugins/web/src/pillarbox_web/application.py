"""`app`: the pages as an ASGI application."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .agent import agent_app
from .guard import Safe, endpoint, not_found
from .opening import Key, OnlyHere
from .pages import PAGES
from .people import Identify, Person
from .site import Site

if TYPE_CHECKING:
    from pillarbox import Mailer

LEAST_SECRET = 16
"""Octets that a host's secret has at least."""


def app(
    mailer: Mailer,
    identify: Identify | None = None,
    *,
    secret: bytes | None = None,
    redirect_uri: str = "",
    frame_ancestors: Sequence[str] = (),
    agent_url: str = "",
    key: Key | None = None,
) -> Starlette:
    """Return the settings pages of *mailer*'s company and users, to be mounted anywhere.

    Args:
        mailer: Whose settings they are.
        identify: Who sends a request, and what they may do; it may be a coroutine. Without it the pages serve this computer
            alone, to whoever has the one-time *key*.
        secret: Signs the tokens of forms; at least 16 octets, the same in every process of the host. Made anew by default,
            which is right for one process.
        redirect_uri: The page that providers send people back to, as it was registered; `/connected` of these pages by default.
        frame_ancestors: Origins that may show the pages in a frame, such as `https://erp.acme.example`; nobody by default.
        agent_url: Where workers at users' own computers find the door, as they reach it; by default `/agent` of these pages,
            which has to be free of the host's own sign-in (`agent_app` is the same door, to be mounted elsewhere).
        key: For this computer alone: what was printed for its user.

    Raises:
        ValueError: Neither *identify* nor *key*, or both; a short *secret*; an origin that is none.
    """
    if (identify is None) == (key is None):
        raise ValueError("Give identify, which says who is asking; or a key, for this computer alone.")
    if secret is not None and len(secret) < LEAST_SECRET:
        raise ValueError(f"The secret needs at least {LEAST_SECRET} octets.")
    if any(
        not one.startswith(("https://", "http://")) or set(one) & set(" ;,'\"\r\n") for one in frame_ancestors
    ):
        raise ValueError("frame_ancestors are origins, such as https://erp.acme.example")
    site = Site(
        mailer,
        identify or _here,
        secret or secrets.token_bytes(32),
        redirect_uri or (f"http://localhost:{key.port}" if key is not None else ""),
        agent_url.rstrip("/"),
        is_local=key is not None,
    )
    routes = [Route(one.path, endpoint(one, site), methods=list(one.methods)) for one in PAGES]
    middleware = [Middleware(Safe, " ".join(frame_ancestors) or "'none'")]
    if key is not None:
        middleware.append(Middleware(OnlyHere, key))
    static = Mount("/static", StaticFiles(packages=[(__package__ or "pillarbox_web", "static")]))
    # A door that leads to other computers is no part of pages for this computer alone.
    doors = [] if key is not None else [Mount("/agent", agent_app(mailer))]
    return Starlette(
        routes=[*routes, *doors, static], middleware=middleware, exception_handlers={404: not_found}
    )


def _here(_: object) -> Person:
    """Whoever sits at this computer with its settings file is the deployer, as at the command line."""
    from pillarbox.cli import actor

    who = actor()
    return Person(role=who.role, name=who.name)
