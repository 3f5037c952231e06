"""The e-mail settings of a company and its users as pages: `app` makes the ASGI application that a host mounts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .agent import agent_app
    from .application import app
    from .people import Identify, Person

__all__ = ["Identify", "Person", "agent_app", "app"]
_HOMES = {"agent_app": "agent", "app": "application", "Identify": "people", "Person": "people"}


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pillarbox_web' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_web.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
