"""The outbox on PostgreSQL and many workers: Procrastinate distributes, wakes and revives; our tables know what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._opening import open_outbox
    from ._outbox import PostgresOutbox
    from ._vault_rows import PostgresRows

_HOME = {"PostgresOutbox": "_outbox", "PostgresRows": "_vault_rows", "open_outbox": "_opening"}

__all__ = ["PostgresOutbox", "PostgresRows", "open_outbox"]


def __getattr__(name: str) -> object:
    """Import the public *name* on first use: psycopg is not loaded to list what is installed."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox_procrastinate' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"pillarbox_procrastinate.{_HOME[name]}"), name)
