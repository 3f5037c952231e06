"""The Gmail method of pillarbox and the sign-in with Google. Its public names, each imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import GmailApp
    from .connector import GmailConnector
    from .settings import GmailSettings, Mode
    from .transport import GmailTransport

_HOME = {
    "GmailApp": "app",
    "GmailConnector": "connector",
    "GmailSettings": "settings",
    "GmailTransport": "transport",
    "Mode": "settings",
}

__all__ = ["GmailApp", "GmailConnector", "GmailSettings", "GmailTransport", "Mode"]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_gmail' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_gmail.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
