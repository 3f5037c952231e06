"""Connections to one PostgreSQL database: a pool for each process, bounded waits, one translation of what fails."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pillarbox import SendDeferred, SettingsError

from ._forks import begun

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

SCHEMA = "pillarbox"
"""The schema of our tables, and of the engine's: a host's own Procrastinate is left alone."""
_PATIENCE = 10
"""Seconds for a connection, and for a place in the pool."""
_STATEMENT = 60
"""Seconds for one statement."""
_over_fork: list[Any] = []
"""What a child inherited: kept and never used, since to close it would end the parent's connections."""


class Database:
    """One database, as pillarbox uses it.

    Args:
        url: As libpq takes it, without the password.
        password: Beside the URL, which lies open in settings.
        most: The most connections of the pool.

    Raises:
        SettingsError: The URL can't be used, or holds a password.
    """

    def __init__(self, url: str, password: str | None = None, most: int = 8) -> None:
        self._most = most
        self._pool: ConnectionPool[Connection[Any]] | None = None
        self.parameters: Mapping[str, Any] = _parameters(url, password)
        begun(self)

    def begin(self) -> None:
        """Forget what a process has open."""
        self._guard = threading.Lock()
        if self._pool is not None:
            _over_fork.append(self._pool)
        self._pool = None

    def __repr__(self) -> str:
        return f"Database({self.parameters.get('host', '')!r}, {self.parameters.get('dbname', '')!r})"

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """Give a connection of the pool, in autocommit.

        Raises:
            SendDeferred: The database does not answer, or breaks off.
        """
        with translated(), self._pooled().connection() as connection:
            yield connection

    def _pooled(self) -> ConnectionPool[Connection[Any]]:
        with self._guard:
            if self._pool is None:
                self._pool = self._opened()
            return self._pool

    def _opened(self) -> ConnectionPool[Connection[Any]]:
        from psycopg_pool import ConnectionPool

        return ConnectionPool(
            kwargs={**self.parameters, "autocommit": True},
            min_size=1,
            max_size=self._most,
            timeout=_PATIENCE,
            max_idle=300,
            check=ConnectionPool.check_connection,
            name="pillarbox",
            open=True,
        )

    def apart(self) -> Connection[Any]:
        """Return a connection of its own, in autocommit, which the caller closes.

        Raises:
            SendDeferred: The database does not answer.
        """
        import psycopg

        with translated():
            return psycopg.connect(**self.parameters, autocommit=True)

    def close(self) -> None:
        """Close the pool of this process."""
        with self._guard:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def _parameters(url: str, password: str | None) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = dict(conninfo_to_dict(url))
    except ProgrammingError:  # its text repeats what it can't read, which may be a password
        given = None
    if given is None:
        raise SettingsError(
            "outbox.url is no address of a PostgreSQL database.",
            cure="Write it so: postgresql://USER@HOST/DATABASE?sslmode=verify-full",
        )
    if given.pop("password", None) is not None:
        raise SettingsError(
            "outbox.url holds a password, which settings, logs and process lists would show.",
            cure='Take it out, and set: password = { env = "PILLARBOX_DB_PASSWORD" }',
        )
    ours = {
        "connect_timeout": _PATIENCE,
        "application_name": "pillarbox",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "client_encoding": "UTF8",
    }
    options = f"{given.pop('options', '')} -c search_path={SCHEMA} -c statement_timeout={_STATEMENT}s".strip()
    secret = {} if password is None else {"password": password}
    return {**ours, **given, **secret, "options": options}


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Say of a database that does not answer that it is to be tried later; of what it lacks, what it is.

    Raises:
        SendDeferred: It does not answer, or broke off.
        SettingsError: It refuses this user, or can't hold what is to be kept.
    """
    import psycopg
    from psycopg_pool import PoolTimeout

    try:
        yield
    except PoolTimeout as error:
        raise _silent(error) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise SettingsError(
            f"The database refuses the outbox: {error.diag.message_primary}.",
            cure=f"Let its user own the schema {SCHEMA}: GRANT CREATE ON DATABASE ... TO ...",
        ) from None
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.InvalidSchemaName,
    ):
        raise SettingsError(
            "This database has no tables of the outbox.",
            cure="Give a connection to the one that outbox.url names.",
        ) from None
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.OperationalError as error:
        raise _silent(error) from None


def _silent(error: Exception) -> SendDeferred:
    kind = type(error).__name__
    return SendDeferred(
        f"The outbox's database does not answer ({kind}).", stage="outbox", cure="See that PostgreSQL runs."
    )
