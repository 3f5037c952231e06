"""A PostgreSQL for the session, and an outbox in a fresh database of it for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services._postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pillarbox_procrastinate import PostgresOutbox


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with running_postgres(fsync="off") as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The address of a new, empty database."""
    return postgres.database()


@pytest.fixture
def opened(database: str) -> Iterator[Callable[..., PostgresOutbox]]:
    """Open outboxes in the test's database, as different processes would; all are closed at the end."""
    from pillarbox_procrastinate import PostgresOutbox

    made: list[PostgresOutbox] = []

    def opened(settings=None, **more) -> PostgresOutbox:
        made.append(PostgresOutbox(database, settings, **{"lease": 2.0, **more}))
        return made[-1]

    yield opened
    for outbox in made:
        outbox.close()


@pytest.fixture
def outbox(opened: Callable[..., PostgresOutbox]) -> PostgresOutbox:
    """One outbox."""
    return opened()
