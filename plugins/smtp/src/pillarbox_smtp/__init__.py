"""The SMTP method of pillarbox. Its public names, each imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fields import Encryption
    from .options import SmtpOptions
    from .saved_copy import SavedCopy
    from .settings import SmtpSettings
    from .transport import SmtpTransport

_HOME = {
    "Encryption": "fields",
    "SavedCopy": "saved_copy",
    "SmtpOptions": "options",
    "SmtpSettings": "settings",
    "SmtpTransport": "transport",
}

__all__ = ["Encryption", "SavedCopy", "SmtpOptions", "SmtpSettings", "SmtpTransport"]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_smtp' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox_smtp.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
