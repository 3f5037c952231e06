"""From `[outbox]` to the outbox: what the entry point gives."""

from __future__ import annotations

from pathlib import Path

from pillarbox import SettingsError
from pillarbox.outbox import OutboxSettings

from ._outbox import PostgresOutbox


def open_outbox(settings: OutboxSettings, _beside: Path, password: str | None) -> PostgresOutbox:
    """Return the outbox in the database that *settings* name; nothing is connected yet.

    Raises:
        SettingsError: `outbox.url` is missing, or nothing that can be used.
    """
    if not settings.url:
        raise SettingsError(
            "outbox.url is missing: it names the database.",
            cure='Set it: url = "postgresql://pillarbox@db.acme.example/erp?sslmode=verify-full"',
        )
    return PostgresOutbox(settings.url, settings, password=password)
