"""A host's own connection, whichever library it comes from, as the psycopg connection that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pillarbox import SettingsError

if TYPE_CHECKING:
    from psycopg import Connection


def raw_connection(given: Any) -> Connection[Any]:
    """Return the psycopg connection below *given*: psycopg's own, SQLAlchemy's connection or session, Django's.

    Raises:
        SettingsError: There is none, or it is asynchronous.
    """
    import psycopg

    found = _of_sqlalchemy(given) or _of_django(given) or given
    if isinstance(found, psycopg.Connection):
        return found
    raise SettingsError(
        f"A {type(given).__module__}.{type(given).__qualname__} holds no connection of psycopg 3, the outbox's driver.",
        cure="Give a psycopg connection, SQLAlchemy's connection or session (postgresql+psycopg), or Django's connection.",
    )


def _of_sqlalchemy(given: Any) -> Any:
    """Below a session lies a connection, and below that the driver's."""
    kinds = {cls.__module__.partition(".")[0] for cls in type(given).__mro__}
    if "sqlalchemy" not in kinds or hasattr(given, "run_sync"):  # an asynchronous one is refused
        return None
    connection = given if hasattr(given, "exec_driver_sql") else given.connection()
    return connection.connection.driver_connection


def _of_django(given: Any) -> Any:
    """Django connects when it first has to; its `connection` stands for the thread's own."""
    if not hasattr(given, "ensure_connection"):
        return None
    given.ensure_connection()
    return given.connection
