"""From the settings file to the outbox, and what is said of one that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox import Mailer, SendDeferred, SettingsError
from pillarbox.outbox import OutboxSettings
from pillarbox_procrastinate import PostgresOutbox, open_outbox

CANARY = "canary-hunter2"
NOWHERE = "postgresql://pillarbox@127.0.0.1:1/erp?connect_timeout=2"


@pytest.mark.parametrize(
    "url",
    [f"postgresql://u:{CANARY}@h/d", f"host=h password={CANARY}", f"postgresql://h/d?password={CANARY}"],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url):
    """Settings lie open; `password` refers to where it is kept."""
    with pytest.raises(SettingsError, match="holds a password") as refusal:
        PostgresOutbox(url)
    assert CANARY not in f"{refusal.value} {refusal.value.cure}"


@pytest.mark.parametrize("url", [f"host='{CANARY}", f"nonsense={CANARY}", f"{CANARY} = ="])
def test_what_is_no_url_is_not_repeated(url):
    """It may hold a password where nobody looks for one."""
    with pytest.raises(SettingsError, match="no address of a PostgreSQL database") as refusal:
        PostgresOutbox(url)
    assert CANARY not in f"{refusal.value} {refusal.value.cure}"
    assert refusal.value.__context__ is None


def test_a_url_that_is_missing_says_how_to_write_it():
    """With the cure."""
    with pytest.raises(SettingsError, match=r"outbox\.url is missing") as refusal:
        open_outbox(OutboxSettings(kind="procrastinate"), Path("pillarbox.toml"), None)
    assert "sslmode=verify-full" in refusal.value.cure


def test_a_database_that_does_not_answer_is_to_be_tried_later():
    """In bounded time, and without the password."""
    outbox = PostgresOutbox(NOWHERE, password=CANARY)
    with pytest.raises(SendDeferred, match="does not answer") as refusal:
        outbox.database.apart()
    assert CANARY not in f"{refusal.value!r} {outbox!r} {outbox.database!r}"
    assert refusal.value.__suppress_context__
    outbox.close()


@pytest.mark.services
def test_the_settings_file_opens_it(database, tmp_path, monkeypatch):
    """The password comes from where the deployer says."""
    monkeypatch.setenv("DB_PASSWORD", CANARY)
    text = '[company]\naddress = "orders@acme.example"\nname = "Acme"\nmethod = "memory"\n'
    outbox = f'[outbox]\nkind = "procrastinate"\nurl = "{database}"\npassword = {{ env = "DB_PASSWORD" }}\n'
    path = tmp_path / "pillarbox.toml"
    path.write_text(text + outbox)
    path.chmod(0o600)
    with Mailer.open(path) as mailer:
        assert isinstance(mailer.queue, PostgresOutbox)
        assert mailer.queue.database.parameters["password"] == CANARY
        assert mailer.queue.list() == []
