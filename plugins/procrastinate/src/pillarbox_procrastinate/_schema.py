"""Who makes the tables and brings them up to date: whoever comes first, alone, as often as it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pillarbox import SettingsError

from ._database import SCHEMA, Database, translated
from ._tables import MIGRATIONS

if TYPE_CHECKING:
    from psycopg import Connection

_LOCK = 1_886_153_073
"""The advisory lock of who migrates."""
_VERSIONS = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.versions (
    part text NOT NULL, version text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (part, version)
);
"""


def migrate(database: Database) -> None:
    """Make the tables or bring them up to date: ours and the engine's.

    Raises:
        SettingsError: A later version of pillarbox made them, or the user may not.
        SendDeferred: The database does not answer.
    """
    with database.connection() as connection:
        if _is_current(connection):
            return
    with database.apart() as connection, translated(), connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '60s'")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        _refuse_narrow(connection)
        connection.execute(_VERSIONS)
        _engine(connection)
        _ours(connection)


def _is_current(connection: Connection[Any]) -> bool:
    found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.versions",)).fetchone()
    if found is None or found[0] is None:
        return False
    _refuse_later(connection)
    return not _missing(connection, "outbox", _own()) and not _missing(connection, "engine", _steps())


def _refuse_narrow(connection: Connection[Any]) -> None:
    encoding = connection.execute("SHOW server_encoding").fetchone()
    if encoding is not None and encoding[0] != "UTF8":
        raise SettingsError(
            f"The database keeps text as {encoding[0]}; mail needs UTF8.",
            cure="Make one with ENCODING 'UTF8'.",
        )


def _refuse_later(connection: Connection[Any]) -> None:
    later = _done(connection, "outbox") - set(_own())
    if later:
        raise SettingsError(
            f"The outbox's tables were made by a later version of pillarbox (schema {max(later)}).",
            cure="Upgrade pillarbox-procrastinate here too.",
        )


def _done(connection: Connection[Any], part: str) -> set[str]:
    query = f"SELECT version FROM {SCHEMA}.versions WHERE part = %s"
    return {version for (version,) in connection.execute(query, (part,)).fetchall()}


def _missing(connection: Connection[Any], part: str, known: list[str]) -> list[str]:
    done = _done(connection, part)
    return [version for version in known if version not in done]


def _record(connection: Connection[Any], part: str, versions: list[str]) -> None:
    query = f"INSERT INTO {SCHEMA}.versions (part, version) SELECT %s, unnest(%s::text[])"
    connection.execute(query, (part, versions))


def _own() -> list[str]:
    return [version for version, _ in MIGRATIONS]


def _ours(connection: Connection[Any]) -> None:
    _refuse_later(connection)
    missing = _missing(connection, "outbox", _own())
    for version, statements in MIGRATIONS:
        if version in missing:
            connection.execute(statements)
    _record(connection, "outbox", missing)


def _engine(connection: Connection[Any]) -> None:
    """The engine gives its schema once, whole, and then files of changes: which were applied is ours to know."""
    connection.execute(f"SET LOCAL search_path = {SCHEMA}, pg_temp")
    missing = _missing(connection, "engine", _steps())
    if not _done(connection, "engine"):
        from procrastinate.schema import SchemaManager

        connection.execute(SchemaManager.get_schema())
    else:
        for path in _files():
            if path.name in missing:
                connection.execute(path.read_text("utf-8"))
    _record(connection, "engine", missing)


def _files() -> Iterator[Path]:
    from procrastinate.schema import SchemaManager

    yield from sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _steps() -> list[str]:
    return [path.name for path in _files()]
