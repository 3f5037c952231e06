"""The Microsoft 365 method of pillarbox. Its public names, each imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import M365App
    from .connector import M365Connector
    from .settings import M365Settings, Mode
    from .transport import M365Transport

_HOME = {
    "M365App": "app",
    "M365Connector": "connector",
    "M365Settings": "settings",
    "M365Transport": "transport",
    "Mode": "settings",
}

__all__ = ["M365App", "M365Connector", "M365Settings", "M365Transport", "Mode"]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_m365' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_m365.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
