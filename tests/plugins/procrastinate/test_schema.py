"""The tables: made by whoever comes first, as often as it is asked, and never by guess."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from pillarbox import SettingsError
from pillarbox_procrastinate import PostgresOutbox
from pillarbox_procrastinate._schema import _files, migrate
from pillarbox_procrastinate._tables import MIGRATIONS

pytestmark = pytest.mark.services
MAKE = "import sys; from pillarbox_procrastinate import PostgresOutbox; PostgresOutbox(sys.argv[1]).migrate()"


def versions(url, part):
    with psycopg.connect(url) as connection:
        query = "SELECT version FROM pillarbox.versions WHERE part = %s ORDER BY version"
        return [version for (version,) in connection.execute(query, (part,)).fetchall()]


def test_many_that_begin_at_once_make_the_tables_once(database):
    """The engine's too, whose own command fails the second time."""
    processes = [subprocess.Popen([sys.executable, "-c", MAKE, database]) for _ in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6
    assert versions(database, "outbox") == [version for version, _ in MIGRATIONS]
    assert versions(database, "engine") == [path.name for path in _files()]


def test_what_the_engine_changed_since_is_applied(database, outbox):
    """Its last change is undone, and known as missing."""
    outbox.migrate()
    last = [path.name for path in _files()][-1]
    with psycopg.connect(database, options="-c search_path=pillarbox") as connection:
        connection.execute("DELETE FROM versions WHERE version = %s", (last,))
        made = "SELECT count(*) FROM pg_proc WHERE proname = 'procrastinate_retry_job_v2'"
        before = connection.execute(made).fetchone()
        connection.execute("DROP FUNCTION IF EXISTS procrastinate_retry_job_v1 CASCADE")
    migrate(outbox.database)
    assert last in versions(database, "engine")
    with psycopg.connect(database) as connection:
        assert connection.execute(made).fetchone() == before


def test_an_outbox_of_the_first_version_is_brought_up_to_date(database, outbox):
    """What is in it stays, and what is new is there."""
    with psycopg.connect(database, autocommit=True) as connection:
        outbox.migrate()
        connection.execute("DROP TABLE pillarbox.reports, pillarbox.cursors")
        connection.execute("DELETE FROM pillarbox.versions WHERE part = 'outbox' AND version = '2'")
    again = PostgresOutbox(database)
    assert again.reports("nothing") == []
    assert again.cursor("nothing") is None
    again.close()


def test_tables_of_a_later_version_are_left_alone(database, outbox):
    """It says what to do."""
    outbox.migrate()
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO pillarbox.versions VALUES ('outbox', '99')")
    with pytest.raises(SettingsError, match=r"later version of pillarbox \(schema 99\)"):
        PostgresOutbox(database).migrate()


def test_a_user_who_may_make_nothing_is_told_what_is_missing(database):
    """And nothing is half made."""
    with psycopg.connect(database, autocommit=True) as connection:
        name = f"r_{connection.info.dbname}"
        connection.execute(f"CREATE ROLE {name} LOGIN")
    outbox = PostgresOutbox(database.replace("postgres@", f"{name}@"))
    with pytest.raises(SettingsError, match="permission denied") as refusal:
        outbox.list()
    assert "GRANT CREATE ON DATABASE" in refusal.value.cure
    outbox.close()


def test_a_hosts_own_procrastinate_is_left_alone(database, outbox):
    """Its tables lie where the host put them; ours beside them."""
    import procrastinate

    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=database))
    with app.open():
        app.schema_manager.apply_schema()
    outbox.migrate()
    with psycopg.connect(database) as connection:
        query = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'procrastinate_jobs' ORDER BY 1"
        assert connection.execute(query).fetchall() == [("pillarbox",), ("public",)]


def test_a_database_that_cannot_hold_every_letter_is_refused(postgres):
    """Latin-1 has no place for most names."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    with pytest.raises(SettingsError, match="mail needs UTF8"):
        PostgresOutbox(postgres.url_of("latin")).migrate()
