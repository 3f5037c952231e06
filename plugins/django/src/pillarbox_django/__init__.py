"""Django's mail by the right account."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backend import EmailBackend
    from .conf import get_mailer
    from .directory import DjangoDirectory
    from .rows import DjangoRows
    from .staging import sweep
    from .writing import acting

__all__ = ["DjangoDirectory", "DjangoRows", "EmailBackend", "acting", "get_mailer", "sweep"]
_HOMES = {
    "DjangoDirectory": "directory",
    "DjangoRows": "rows",
    "EmailBackend": "backend",
    "acting": "writing",
    "get_mailer": "conf",
    "sweep": "staging",
}


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562): Django's registry is not ready before."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pillarbox_django' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_django.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
