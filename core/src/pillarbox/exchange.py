"""HTTP with one deadline for each exchange, for transports that speak to a provider's own interface. A public door.

Each name is imported when it is first used: drawing a form needs no HTTP and no TLS.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._exchange.line import Answer, Line, NoAnswer, Request, text_of
    from ._network import is_loopback

__all__ = ["Answer", "Line", "NoAnswer", "Request", "is_loopback", "text_of"]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'pillarbox.exchange' has no attribute {name!r}")
    from importlib import import_module

    home = "_network" if name == "is_loopback" else "_exchange.line"
    value: object = getattr(import_module(f"pillarbox.{home}"), name)
    globals()[name] = value
    return value
