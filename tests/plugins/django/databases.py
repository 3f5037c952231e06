"""Which database the sites of these tests use: SQLite in a file, or the PostgreSQL whose address PILLARBOX_DJANGO_POSTGRES is."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

POSTGRES = "PILLARBOX_DJANGO_POSTGRES"


def fresh(folder: Path, name: str = "site") -> dict[str, Any]:
    """Return a database that nobody has used, as an entry of Django's DATABASES."""
    address = os.environ.get(POSTGRES)
    if not address:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / f"{name}.sqlite3")}
    import psycopg

    parts, made = urlsplit(address), f"django_{secrets.token_hex(6)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{made}"')
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": parts.username,
        "NAME": made,
    }
