"""From the settings file to the outbox, and what is said of one that can't be used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pillarbox import Actor, Mailer, Role, SendDeferred, SettingsError, Unavailable
from pillarbox.outbox import OutboxSettings
from pillarbox_procrastinate import PostgresOutbox, PostgresRows, open_outbox
from pillarbox_vault import FileKey, SealedVault

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


SHARED = """\
[company]
address = "orders@acme.example"
name = "Acme"
method = "smtp"
[company.smtp]
server = "smtp.acme.example"
username = "orders@acme.example"
password = {{ vault = "smtp" }}
[outbox]
kind = "procrastinate"
url = "{url}"
vault_key = {{ file = "{key}" }}
"""


def machine(folder: Path, url: str) -> Mailer:
    """The mailer of a machine whose settings lie in *folder*."""
    folder.mkdir()
    path = folder / "pillarbox.toml"
    path.write_text(SHARED.format(url=url, key=folder.parent / "vault.key"))
    path.chmod(0o600)
    return Mailer.open(path)


def pillarbox(folder: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command with the settings in *folder*."""
    command = [sys.executable, "-c", "from pillarbox.cli import main; main()", *words]
    return subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, timeout=60)


@pytest.mark.services
def test_machines_share_the_vault_that_the_settings_put_into_the_database(database, tmp_path):
    """What one keeps the other reads, by the key that both settings name; nothing lies beside the settings of either."""
    one, two = tmp_path / "one", tmp_path / "two"
    with machine(one, database), machine(two, database) as mailer:
        assert pillarbox(one, "vault", "init").returncode == 0
        assert pillarbox(one, "vault", "set", "company", said=f"{CANARY}\n").returncode == 0
        assert "company/smtp" in pillarbox(two, "vault", "list").stdout
        [name] = mailer.vault.names()
        row = mailer.vault.rows.load(name)
        assert CANARY.encode() not in row.sealed
        assert CANARY.encode() in mailer.vault.load(name, row.readable["destination"]).secret
    assert not [*tmp_path.glob("*/*.vault.sqlite3")]


@pytest.mark.services
def test_who_owns_the_database_does_not_choose_the_key(database, tmp_path):
    """A vault's own row says where its key is; where others can write the rows, that is believed of the settings alone."""
    theirs = FileKey(tmp_path / "known-to-them.key")
    SealedVault(PostgresRows(database)).create_key(theirs)
    with machine(tmp_path / "one", database) as mailer:
        FileKey(tmp_path / "vault.key").create()
        with pytest.raises(Unavailable, match=r"vault\.key: it is another, or the vault was altered"):
            mailer.set_secret(
                mailer.directory.look_up(None)[0], "password", CANARY, by=Actor("test", Role.DEPLOYER)
            )
        assert mailer.vault.names() == []


@pytest.mark.services
def test_another_key_may_wrap_a_shared_vault(database, tmp_path):
    """It opens with the new one at once; a machine whose settings name the old one is told so."""
    old, new = tmp_path / "vault.key", tmp_path / "new.key"
    with machine(tmp_path / "one", database) as one, machine(tmp_path / "two", database) as two:
        one.vault.create_key(FileKey(old))
        one.vault.rotate(FileKey(new))
        assert one.vault.open(one.vault.seal(b"s", b""), b"") == b"s"
        with pytest.raises(Unavailable, match="it is another"):
            two.vault.seal(b"s", b"")


def test_a_shared_vault_whose_database_does_not_answer_is_to_be_tried_later(tmp_path):
    """To open the settings asks nobody; what needs the vault says what is wrong, as the outbox does."""
    with (
        machine(tmp_path / "one", NOWHERE) as mailer,
        pytest.raises(SendDeferred, match="does not answer"),
    ):
        mailer.vault.names()


def test_the_place_of_a_shared_vaults_key_is_named_once(tmp_path):
    """The command refuses another than the settings name; nothing is made, and the database is not asked."""
    machine(tmp_path / "one", NOWHERE).close()
    done = pillarbox(tmp_path / "one", "vault", "init", "--key-file", "other.key")
    assert (done.returncode, "outbox.vault_key" in done.stderr) == (78, True), done
    assert not (tmp_path / "one" / "other.key").exists()


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("procrastinate", "sqlite", "sqlite has no place for a vault"),
        ("file = ", "vault = ", "vault_key must be an environment or file reference"),
    ],
)
def test_a_shared_vault_that_can_not_be_is_refused(tmp_path, replaced, by, said):
    """One that only this machine could read, and one whose key would lie in itself."""
    machine(tmp_path / "one", NOWHERE).close()
    path = tmp_path / "one" / "pillarbox.toml"
    path.write_text(
        path.read_text().replace(replaced, by).replace(f'vault = "{tmp_path}/vault.key"', 'vault = "key"')
    )
    with pytest.raises(SettingsError, match=said):
        Mailer.open(path)
