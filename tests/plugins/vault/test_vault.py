"""The sealed vault: what it promises, and how it fails."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from pillarbox import MemoryRows, SettingsError, SignInNeeded, SqliteRows, Unavailable
from pillarbox.testing import VaultContract
from pillarbox_vault import EnvironmentKey, FileKey, KeychainKey, SealedVault, open_vault
from tests import access, systems

DESTINATION = {"server": "smtp.acme.example"}


def new_vault(folder: Path) -> SealedVault:
    vault = open_vault(folder / "acme.vault.sqlite3")
    vault.create_key(FileKey(folder / "acme.key"))
    return vault


class TestSealedSqlite(VaultContract):
    """SQLite rows under AES-GCM keep the contract."""

    def make_vault(self, folder: Path) -> SealedVault:
        return new_vault(folder)


class TestSealedMemory(VaultContract):
    """So do rows in memory."""

    def make_vault(self, folder: Path) -> SealedVault:
        vault = SealedVault(MemoryRows())
        vault.create_key(FileKey(folder / "acme.key"))
        return vault


class JsonRows(MemoryRows):
    """A third party's rows: one JSON file. Locks are the memory's."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def save(self, name, sealed, readable, *, version):
        new = super().save(name, sealed, readable, version=version)
        rows = {
            one: [row.version, base64.b64encode(row.sealed).decode(), dict(row.readable)]
            for one, row in self._rows.items()
        }
        self.path.write_text(json.dumps(rows), "utf-8")
        return new


class TestThirdPartyRows(VaultContract):
    """Rows that a host writes itself keep it too."""

    def make_vault(self, folder: Path) -> SealedVault:
        vault = SealedVault(JsonRows(folder / "rows.json"))
        vault.create_key(FileKey(folder / "acme.key"))
        return vault


def test_it_opens_again_in_another_process(tmp_path):
    """What one process sealed another opens, with the key from the same place."""
    new_vault(tmp_path).save("acme/company/smtp", b"secret", DESTINATION)
    code = (
        "import pathlib, sys; from pillarbox_vault import open_vault\n"
        f"vault = open_vault(pathlib.Path({str(tmp_path / 'acme.vault.sqlite3')!r}))\n"
        f"sys.stdout.write(vault.load('acme/company/smtp', {DESTINATION!r}).secret.decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("secret", "")


def test_a_vault_without_a_key_says_how_to_make_one(tmp_path):
    """It can be opened and listed, and neither seals nor pretends to."""
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    assert vault.names() == []
    with pytest.raises(Unavailable, match="vault init"):
        vault.save("acme/company/smtp", b"secret", DESTINATION)


def test_another_key_opens_nothing(tmp_path):
    """The wrong key fails closed, and names the place it came from."""
    new_vault(tmp_path).save("acme/company/smtp", b"secret", DESTINATION)
    (tmp_path / "acme.key").write_text(base64.b64encode(bytes(32)).decode())
    with pytest.raises(Unavailable, match=r"acme\.key"):
        open_vault(tmp_path / "acme.vault.sqlite3").load("acme/company/smtp", DESTINATION)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda key: key.unlink(), "can't be opened"),
        (lambda key: key.write_text("not base64!"), "not a key"),
        (lambda key: key.write_text(base64.b64encode(b"short").decode()), "not a key"),
        (lambda key: access.give(key, 0o644), "can be read by others"),
    ],
)
def test_a_spoilt_key_file_fails_closed(tmp_path, spoil, said):
    """A missing, wrong or readable key file is a sentence with the cure."""
    new_vault(tmp_path).save("acme/company/smtp", b"secret", DESTINATION)
    spoil(tmp_path / "acme.key")
    with pytest.raises(Unavailable, match=said):
        open_vault(tmp_path / "acme.vault.sqlite3").load("acme/company/smtp", DESTINATION)


def test_a_missing_keychain_fails_closed(tmp_path):
    """On a server without a keychain nothing is stored, and the cure names the key file."""
    import keyring
    import keyring.backends.fail

    keyring.set_keyring(keyring.backends.fail.Keyring())
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    with pytest.raises(Unavailable, match="--key-file"):
        vault.create_key(KeychainKey("acme"))
    assert vault.key_source is None


def test_a_keychain_that_forgets_is_found_out(tmp_path):
    """Keyring's null backend says yes to everything: a key that is gone at once seals nothing."""
    import keyring
    import keyring.backends.null

    keyring.set_keyring(keyring.backends.null.Keyring())
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    with pytest.raises(Unavailable, match="did not keep"):
        vault.create_key(KeychainKey("acme"))
    assert vault.key_source is None


def test_a_keychain_that_breaks_is_told_in_words(tmp_path):
    """What a backend raises is no concern of the host's."""
    import keyring
    from keyring.backend import KeyringBackend

    class Broken(KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            raise RuntimeError("dbus is gone")

        set_password = get_password

    keyring.set_keyring(Broken())
    with pytest.raises(Unavailable, match=r"RuntimeError.*--key-file"):
        open_vault(tmp_path / "acme.vault.sqlite3").create_key(KeychainKey("acme"))


def test_the_keychain_keeps_only_the_key(tmp_path):
    """Windows takes some 1,280 characters: a key fits, and nothing else is put there."""
    import keyring
    from keyring.backend import KeyringBackend

    class Chain(KeyringBackend):
        priority = 1
        kept: ClassVar[dict] = {}

        def get_password(self, service, username):
            return self.kept.get((service, username))

        def set_password(self, service, username, password):
            self.kept[service, username] = password

    keyring.set_keyring(Chain())
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    vault.create_key(KeychainKey("acme"))
    vault.save("acme/company/smtp", b"x" * 10_000, DESTINATION)
    assert (
        open_vault(tmp_path / "acme.vault.sqlite3").load("acme/company/smtp", DESTINATION).secret
        == b"x" * 10_000
    )
    assert [len(value) for value in Chain.kept.values()] == [44]


def test_the_environment_can_hold_the_key(tmp_path, monkeypatch):
    """Where a deployment keeps its secrets in variables, so is the key."""
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    with pytest.raises(Unavailable, match="32 random octets"):
        vault.create_key(EnvironmentKey("ACME_KEY"))
    monkeypatch.setenv("ACME_KEY", base64.b64encode(os.urandom(32)).decode())
    vault.create_key(EnvironmentKey("ACME_KEY"))
    vault.save("acme/company/smtp", b"secret", DESTINATION)
    monkeypatch.delenv("ACME_KEY")
    with pytest.raises(Unavailable, match="ACME_KEY"):
        open_vault(tmp_path / "acme.vault.sqlite3").load("acme/company/smtp", DESTINATION)


def test_rotation_seals_everything_anew(tmp_path):
    """After a rotation no row opens with the old keys, and every secret is still there."""
    vault = new_vault(tmp_path)
    for number in range(20):
        vault.save(f"acme/user:{number}/smtp", str(number).encode(), DESTINATION)
    before = {name: vault.rows.load(name).sealed[:9] for name in vault.names()}
    assert vault.rotate(FileKey(tmp_path / "new.key")) == 20
    (tmp_path / "acme.key").unlink()
    again = open_vault(tmp_path / "acme.vault.sqlite3")
    assert all(again.rows.load(name).sealed[:9] != before[name] for name in again.names())
    assert [again.load(f"acme/user:{n}/smtp", DESTINATION).secret for n in range(20)] == [
        str(n).encode() for n in range(20)
    ]


def test_an_open_vault_follows_a_rotation_elsewhere(tmp_path):
    """A process that holds the old keys takes up the new ones by itself."""
    vault, other = new_vault(tmp_path), open_vault(tmp_path / "acme.vault.sqlite3")
    vault.save("acme/company/smtp", b"one", DESTINATION)
    assert other.load("acme/company/smtp", DESTINATION).secret == b"one"
    vault.rotate()
    assert other.load("acme/company/smtp", DESTINATION).secret == b"one"
    assert other.save("acme/company/smtp", b"two", DESTINATION, version=2) == 3
    assert vault.load("acme/company/smtp", DESTINATION).secret == b"two"


def test_an_interrupted_rotation_loses_nothing(tmp_path):
    """Broken off between two rows, everything opens, and the next rotation finishes."""
    vault = new_vault(tmp_path)
    for number in range(4):
        vault.save(f"acme/user:{number}/smtp", b"s", DESTINATION)

    class Breaks(SealedVault):
        def _reseal(self, name, keys):
            if name.endswith(":2/smtp"):
                raise KeyboardInterrupt
            return super()._reseal(name, keys)

    with pytest.raises(KeyboardInterrupt):
        Breaks(SqliteRows(tmp_path / "acme.vault.sqlite3")).rotate()
    assert all(vault.load(name, DESTINATION).secret == b"s" for name in vault.names())
    assert vault.rotate() == 4
    assert all(vault.load(name, DESTINATION).secret == b"s" for name in vault.names())


def test_a_rotation_names_what_it_can_not_open(tmp_path):
    """One altered row is told, the others are sealed anew, and entered again it stops nothing."""
    vault = new_vault(tmp_path)
    for number in range(3):
        vault.save(f"acme/user:{number}/smtp", b"s", DESTINATION)
    row = vault.rows.load("acme/user:1/smtp")
    vault.rows.save(row.name, row.sealed[:-1], row.readable, version=row.version)
    with pytest.raises(Unavailable, match="acme/user:1/smtp can't be opened"):
        vault.rotate()
    assert vault.load("acme/user:2/smtp", DESTINATION).secret == b"s"
    vault.save(row.name, b"t", DESTINATION, version=2)
    assert vault.rotate() == 3


def test_a_sign_in_under_way_outlives_a_rotation_or_goes(tmp_path):
    """It is sealed anew with the rest; one that can't be opened is finished by nobody, and stops no rotation."""
    vault = new_vault(tmp_path)
    for number in range(2):
        vault.save(f"signing in/{number}", b"s", DESTINATION)
    row = vault.rows.load("signing in/1")
    vault.rows.save(row.name, row.sealed[:-1], row.readable, version=row.version)
    assert vault.rotate() == 1
    assert vault.load("signing in/0", DESTINATION).secret == b"s"
    assert vault.names() == ["signing in/0"]


class Overtaken(SqliteRows):
    """Rows of which one is saved a whole rotation after it was sealed."""

    rotate = None

    def save(self, name, sealed, readable, *, version):
        meanwhile, self.rotate = self.rotate, None
        if meanwhile:
            meanwhile()
        return super().save(name, sealed, readable, version=version)


def test_what_is_saved_during_a_rotation_is_not_lost(tmp_path):
    """A process that sealed with the old key just before it went seals again with the new one."""
    other = new_vault(tmp_path)
    rows = Overtaken(tmp_path / "acme.vault.sqlite3")
    rows.rotate = other.rotate
    assert SealedVault(rows).save("acme/company/smtp", b"secret", DESTINATION) == 2
    assert other.load("acme/company/smtp", DESTINATION).secret == b"secret"


def spoil_octets(file: Path) -> None:
    for path in file.parent.glob(f"{file.name}*"):
        if path.is_file() and not (os.name == "nt" and path.name.endswith("-shm")):  # it is mapped there
            path.write_bytes(os.urandom(5000))


def spoil_rows(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE vault_rows SET sealed = 7, readable = '[' WHERE name <> 'vault'")


@pytest.mark.parametrize(
    ("spoil", "said"), [(spoil_octets, "can't be used: file is not"), (spoil_rows, "belongs to another")]
)
def test_a_damaged_file_fails_closed(tmp_path, spoil, said):
    """Nothing is released, and what a host sees is an error of ours, each time that it asks."""
    new_vault(tmp_path).save("acme/company/smtp", b"secret", DESTINATION)
    spoil(tmp_path / "acme.vault.sqlite3")
    vault = open_vault(tmp_path / "acme.vault.sqlite3")
    for _ in range(2):
        with pytest.raises((Unavailable, SignInNeeded), match=said):
            vault.load("acme/company/smtp", DESTINATION)


def test_a_lock_that_can_not_be_had_is_an_error_of_ours(tmp_path):
    """A folder that may not be written to, say: nothing is done without the lock."""
    vault = new_vault(tmp_path)
    with vault.lock("acme/company/sign-in"):
        pass
    (lock,) = (tmp_path / "acme.vault.sqlite3.locks").iterdir()
    lock.unlink()
    lock.mkdir()
    with pytest.raises(Unavailable, match="can't be used"), vault.lock("acme/company/sign-in"):
        pytest.fail("held")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on what a process may write: run elsewhere")
def test_a_key_file_that_can_not_be_written_is_not_left_behind(tmp_path):
    """Half a key is none: on a full disk the file goes, so that the command can be repeated."""
    code = (
        "import resource, signal, sys; from pillarbox_vault import FileKey\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "FileKey(sys.argv[1]).create()"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "acme.key")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert "Unavailable" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_row_that_was_altered_opens_nothing(tmp_path):
    """Pointing the vault at another key, or changing its wrapped keys, is noticed."""
    vault = new_vault(tmp_path)
    row = vault.rows.load("vault")
    vault.rows.save("vault", row.sealed[:-1] + b"\x00", row.readable, version=row.version)
    with pytest.raises(Unavailable, match="can't be opened"):
        open_vault(tmp_path / "acme.vault.sqlite3").save("a/b/c", b"x", DESTINATION)


def test_the_file_is_its_owners_alone(tmp_path):
    """It is made so, and refused when it is not (rule 40)."""
    new_vault(tmp_path)
    path = tmp_path / "acme.vault.sqlite3"
    assert {access.mode(one) for one in tmp_path.glob("acme.vault.sqlite3*")} == {0o600}
    access.give(path, 0o640)
    with pytest.raises(SettingsError, match=r"chmod 600|icacls"):
        open_vault(path)


def test_a_second_key_is_refused(tmp_path):
    """`vault init` twice never orphans what the first key sealed."""
    vault = new_vault(tmp_path)
    with pytest.raises(SettingsError, match="rotate"):
        vault.create_key(FileKey(tmp_path / "other.key"))


def test_a_swapped_file_releases_nothing(tmp_path):
    """A vault of somebody else's, put in this one's place, has other keys: nothing opens."""
    vault = new_vault(tmp_path)
    vault.save("acme/company/smtp", b"secret", DESTINATION)
    sealed = vault.rows.load("acme/company/smtp")
    folder = tmp_path / "eve"
    folder.mkdir()
    eve = new_vault(folder)
    eve.rows.save("acme/company/smtp", sealed.sealed, sealed.readable, version=0)
    with pytest.raises(SignInNeeded):
        eve.load("acme/company/smtp", DESTINATION)


@systems.forks
def test_a_child_leaves_its_parents_connection_alone(tmp_path):
    """It opens its own; the inherited one is neither used nor closed, which would drop the parent's locks."""
    code = (
        "import gc, os, pathlib, sys\n"
        "from pillarbox import SqliteRows, _sqlite_rows\n"
        f"rows = SqliteRows(pathlib.Path({str(tmp_path / 'rows.sqlite3')!r}))\n"
        "rows.save('a', b'1', {}, version=0)\n"
        "mine = rows._database\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    code = 1\n"
        "    try:\n"
        "        rows.save('b', b'2', {}, version=0)\n"
        "        other = rows._database is not mine\n"
        "        del mine; gc.collect()\n"
        "        alive = [one.execute('SELECT 1').fetchone() for one in _sqlite_rows._over_fork]\n"
        "        code = 0 if other and alive == [(1,)] else 2\n"
        "    finally:\n"
        "        os._exit(code)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "assert _sqlite_rows._over_fork == []\n"
        "rows.save('c', b'3', {}, version=0)\n"
        "print(rows.names())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['a', 'b', 'c']\n", "")
