"""A message inside the host's own transaction: the invoice and its mail, or neither. With the real libraries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pillarbox import MessageError, SettingsError
from tests.plugins.procrastinate.entries import entry

pytestmark = pytest.mark.services
COUNTS = """
SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM pillarbox.entries), (SELECT count(*) FROM pillarbox.bodies),
    (SELECT count(*) FROM pillarbox.bursts), (SELECT count(*) FROM pillarbox.procrastinate_jobs)
"""
NOTHING, ONE, INVOICE = (0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (1, 0, 0, 0, 0)
INSERT = "INSERT INTO invoices VALUES ('INV-1')"


@pytest.fixture
def outbox(opened, database):
    """An outbox beside a table of the host's."""
    found = opened()
    found.migrate()
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE invoices (id text)")
    return found


def counts(outbox):
    with outbox.database.apart() as connection:
        connection.execute("SET search_path = public")
        return connection.execute(COUNTS).fetchone()


def test_psycopg_takes_back_what_it_takes_back(outbox, database):
    """A rollback leaves nothing, also where the mail came first; a commit keeps both."""
    with psycopg.connect(database) as connection:
        outbox.put_in(connection, [entry("k1")])
        connection.execute(INSERT)
        assert counts(outbox) == NOTHING
        connection.rollback()
        assert counts(outbox) == NOTHING
        connection.execute(INSERT)
        outbox.put_in(connection, [entry("k1")])
    assert counts(outbox) == ONE


def test_psycopg_with_settings_of_its_own(outbox, database):
    """Another search path, rows as dictionaries, and autocommit with a transaction of its own."""
    rows = psycopg.rows.dict_row
    with psycopg.connect(
        database, autocommit=True, row_factory=rows, options="-c search_path=public"
    ) as connection:
        with connection.transaction(force_rollback=True):
            outbox.put_in(connection, [entry("k1")])
        assert counts(outbox) == NOTHING
        with connection.transaction():
            connection.execute(INSERT)
            outbox.put_in(connection, [entry("k1")])
        assert connection.execute("SHOW search_path").fetchone() == {"search_path": "public"}
    assert counts(outbox) == ONE


def test_what_fails_in_the_outbox_spoils_nothing_of_the_hosts(outbox, database):
    """The host's transaction goes on."""
    outbox.put([entry("k1", digest="other")])
    with psycopg.connect(database) as connection:
        connection.execute(INSERT)
        with pytest.raises(MessageError, match="taken by other content"):
            outbox.put_in(connection, [entry("k2"), entry("k1", digest="d")])
    assert counts(outbox) == ONE


def test_a_host_that_takes_its_time_holds_up_nobody(outbox, database):
    """Its transaction is open while others put mail of the same user."""
    with psycopg.connect(database) as connection:
        outbox.put_in(connection, [entry("k1", user="anna")])
        with outbox.database.connection() as other:
            other.execute("SET lock_timeout = '5s'")
        outbox.put([entry("k2", user="anna")])
        assert [one.key for one in outbox.list()] == ["k2"]
    assert [one.key for one in outbox.list()] == ["k2", "k1"]


def test_sqlalchemy_connection(outbox, database):
    """Core: a rollback leaves nothing, a commit keeps both."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        outbox.put_in(connection, [entry("k1")])
        connection.rollback()
        assert counts(outbox) == NOTHING
    with engine.begin() as connection:
        connection.exec_driver_sql(INSERT)
        outbox.put_in(connection, [entry("k1")])
    assert counts(outbox) == ONE
    engine.dispose()


def test_sqlalchemy_session(outbox, database):
    """ORM: the same, and what is rolled back to a savepoint takes the mail along."""
    import sqlalchemy
    from sqlalchemy.orm import Session

    engine = sqlalchemy.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session:
        session.execute(sqlalchemy.text(INSERT))
        nested = session.begin_nested()
        outbox.put_in(session, [entry("k1")])
        nested.rollback()
        session.commit()
        assert counts(outbox) == INVOICE
        outbox.put_in(session, [entry("k1")])
        session.rollback()
    assert counts(outbox) == INVOICE
    engine.dispose()


DJANGO = """
import sys
from pathlib import Path
import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict
from pillarbox_procrastinate import PostgresOutbox
from tests.plugins.procrastinate.entries import entry

url = sys.argv[1]
given = conninfo_to_dict(url)
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"],
    "HOST": given["host"], "PORT": given["port"], "USER": given["user"]}})
django.setup()
from django.db import connection, transaction

outbox = PostgresOutbox(url)
try:
    with transaction.atomic():
        outbox.put_in(connection, [entry("k1")])
        raise ZeroDivisionError
except ZeroDivisionError:
    print(len(outbox.list()))
with transaction.atomic():
    connection.cursor().execute("INSERT INTO invoices VALUES ('INV-1')")
    outbox.put_in(connection, [entry("k1")])
    print(len(outbox.list()))
print(len(outbox.list()))
outbox.close()
"""


def test_django(outbox, database):
    """Inside `atomic`: raised out of it, nothing is left."""
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, database], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["0", "0", "1"], done.stderr
    assert counts(outbox) == ONE


def test_what_is_no_connection_is_refused(outbox, postgres):
    """So is one to another database."""
    import sqlite3

    with pytest.raises(SettingsError, match="holds no connection of psycopg 3"):
        outbox.put_in(sqlite3.connect(":memory:"), [entry("k1")])
    with (
        psycopg.connect(postgres.url) as connection,
        pytest.raises(SettingsError, match="no tables of the outbox"),
    ):
        outbox.put_in(connection, [entry("k1")])


def test_the_embedded_outbox_says_that_it_cannot(tmp_path):
    """And which can."""
    from pillarbox.outbox import SqliteOutbox

    with pytest.raises(SettingsError, match="lies elsewhere") as refusal:
        SqliteOutbox(tmp_path / "o.sqlite3").put_in(object(), [entry("k1")])
    assert "pillarbox-procrastinate" in refusal.value.cure


def test_a_host_with_a_user_of_its_own(outbox, database):
    """The rights that the documentation names are enough, and without them nothing of the host's is spoilt."""
    page = (Path(__file__).parents[3] / "docs/how-to/postgresql.md").read_text()
    grants = re.findall(r"^GRANT .* TO erp;$", page, re.MULTILINE)
    with psycopg.connect(database, autocommit=True) as connection:
        name = f"erp_{connection.info.dbname}"
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"GRANT INSERT ON invoices TO {name}")
        with psycopg.connect(database.replace("postgres@", f"{name}@")) as host:
            host.execute(INSERT)
            with pytest.raises(SettingsError, match="permission denied"):
                outbox.put_in(host, [entry("k1")])
            for grant in grants:
                connection.execute(grant.replace("TO erp", f"TO {name}"))
            outbox.put_in(host, [entry("k1")])
    assert len(grants) == 4
    assert counts(outbox) == ONE


def test_a_session_class_of_the_hosts(outbox, database):
    """And a scoped session, as web frameworks give them."""
    import sqlalchemy
    from sqlalchemy.orm import Session, scoped_session, sessionmaker

    class Ours(Session):
        """The host's."""

    engine = sqlalchemy.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    scoped = scoped_session(sessionmaker(engine, class_=Ours))
    outbox.put_in(scoped, [entry("k1")])
    outbox.put_in(scoped(), [entry("k2")])
    scoped.commit()
    scoped.remove()
    assert [one.key for one in outbox.list()] == ["k2", "k1"]
    engine.dispose()
