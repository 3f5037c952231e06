"""Vault rows and their locks in PostgreSQL: workers on several machines share one sign-in."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from pillarbox import Changed, Row

from ._database import Database, translated
from ._schema import migrate

LOCK_SECONDS = 60.0
"""How long a holder may keep a row's lock before another gives up: a token's refresh and then some."""


class PostgresRows:
    """Rows for any number of machines, in the schema `pillarbox` of a *database*.

    A lock is free when its holder's connection ends, or when its holder has said nothing for two minutes; who held it then
    can save nothing any more, since a row is saved only at the version that was read.

    Args:
        database: As libpq takes it, without the password; or an outbox's `database`, whose connections are used.
        password: The database's.

    Raises:
        SettingsError: The URL can't be used, or holds a password.
    """

    def __init__(self, database: str | Database, *, password: str | None = None) -> None:
        self._database = Database(database, password, most=4) if isinstance(database, str) else database
        self._guard = threading.Lock()
        self._is_made = False

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._guard:
            if not self._is_made:
                migrate(self._database)
                self._is_made = True
        with self._database.connection() as connection:
            return connection.execute(query, values).fetchall()

    def load(self, name: str) -> Row | None:
        """See `Rows`."""
        query = "SELECT version, sealed, readable FROM pillarbox.vault_rows WHERE name = %s"
        found = self._rows(query, (name,))
        return Row(name, found[0][0], bytes(found[0][1]), json.loads(found[0][2])) if found else None

    def save(self, name: str, sealed: bytes, readable: Mapping[str, Any], *, version: int) -> int:
        """See `Rows`."""
        text = json.dumps(dict(readable), sort_keys=True)
        if version == 0:
            query = "INSERT INTO pillarbox.vault_rows VALUES (%s, 1, %s, %s) ON CONFLICT DO NOTHING RETURNING version"
            saved = self._rows(query, (name, sealed, text))
        else:
            query = (
                "UPDATE pillarbox.vault_rows SET version = version + 1, sealed = %s, readable = %s"
                " WHERE name = %s AND version = %s RETURNING version"
            )
            saved = self._rows(query, (sealed, text, name, version))
        if not saved:
            raise Changed(f"{name} was saved by another process meanwhile.", cure="Load it again.")
        return version + 1

    def delete(self, name: str) -> None:
        """See `Rows`."""
        self._rows("DELETE FROM pillarbox.vault_rows WHERE name = %s RETURNING 1", (name,))

    def names(self, prefix: str = "") -> list[str]:
        """See `Rows`."""
        query = "SELECT name FROM pillarbox.vault_rows WHERE starts_with(name, %s) ORDER BY name"
        return [name for (name,) in self._rows(query, (prefix,))]

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Rows`. It holds a connection of its own, so that who waits for a lock keeps nobody from loading.

        Raises:
            TimeoutError: A minute passed and another still held it.
            SendDeferred: The database does not answer.
        """
        import psycopg

        with self._database.apart() as connection:
            connection.execute("BEGIN")  # a lock of a transaction: a holder that is stopped for good loses it
            connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{2 * LOCK_SECONDS:.0f}s'")
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS:.0f}s'")
            connection.execute("SET LOCAL statement_timeout = 0")
            try:
                with translated():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_number(name),))
            except psycopg.errors.LockNotAvailable:
                raise TimeoutError(f"{name} is held by another process.") from None
            yield
            with contextlib.suppress(psycopg.Error):  # it may have been taken away, for being held too long
                connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of what is open."""
        self._database.close()


def _number(name: str) -> int:
    digest = hashlib.blake2b(f"pillarbox vault {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
