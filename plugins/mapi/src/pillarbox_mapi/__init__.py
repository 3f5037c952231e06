"""The Microsoft Mail method of pillarbox: Outlook on the user's computer. Its public names, imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Interface, MapiSettings
    from .transport import MapiTransport

_HOME = {"Interface": "settings", "MapiSettings": "settings", "MapiTransport": "transport"}

__all__ = ["Interface", "MapiSettings", "MapiTransport"]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_mapi' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_mapi.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
