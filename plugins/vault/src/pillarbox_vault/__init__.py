"""Keeps the secrets of pillarbox sealed with AES-GCM, under a key from the keychain, a file or a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._keys import EnvironmentKey, FileKey, KeychainKey, KeySource
    from ._vault import SealedVault, open_vault

_HOME = {
    "EnvironmentKey": "_keys",
    "FileKey": "_keys",
    "KeychainKey": "_keys",
    "KeySource": "_keys",
    "SealedVault": "_vault",
    "open_vault": "_vault",
}

__all__ = ["EnvironmentKey", "FileKey", "KeySource", "KeychainKey", "SealedVault", "open_vault"]


def __getattr__(name: str) -> object:
    """Import the public *name* on first use: cryptography is not loaded to list what is installed."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_vault' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"pillarbox_vault.{_HOME[name]}"), name)
