"""Vault rows in one SQLite file that only its owner can read: the embedded default."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ._errors import Changed, SettingsError, Unavailable
from ._locks import file_lock
from ._owner_only import close_to_others, create, cure, file_system, is_open_to_others
from ._vault import Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vault_rows (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    readable TEXT NOT NULL
) WITHOUT ROWID
"""
_SHARED = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
LOCK_SECONDS = 60.0
"""How long a holder may keep a row's lock before another gives up: a token's refresh and then some."""


class SqliteRows:
    """Rows for several processes on one machine; each save is on the disk when it returns.

    Args:
        path: The file; made, owner-only, by the first save.

    Raises:
        SettingsError: It is readable by others, or on a network share (rule 40).
        Unavailable: The file is damaged, the disk full or the folder closed; so does each method.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        self._local = threading.local()
        with _in_words(self.path):
            if self.path.exists():
                owner_only(self.path)

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection, and never one that was inherited over a fork."""
        with _in_words(self.path):
            if getattr(self._local, "pid", None) != os.getpid():
                self._local.connection = open_database(self.path, _SCHEMA, 0)
                self._local.pid = os.getpid()
            yield self._local.connection

    def load(self, name: str) -> Row | None:
        """See `Rows`."""
        if not self.path.exists():
            return None
        query = "SELECT version, sealed, readable FROM vault_rows WHERE name = ?"
        with self._database() as database:
            found = database.execute(query, (name,)).fetchone()
        return None if found is None else Row(name, found[0], _octets(found[1]), _readable(found[2]))

    def save(self, name: str, sealed: bytes, readable: Mapping[str, Any], *, version: int) -> int:
        """See `Rows`."""
        text = json.dumps(dict(readable), sort_keys=True)
        with self._database() as database, database:
            if version == 0:
                statement = "INSERT INTO vault_rows VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING"
                changed = database.execute(statement, (name, sealed, text)).rowcount
            else:
                statement = "UPDATE vault_rows SET version = version + 1, sealed = ?, readable = ? WHERE name = ? AND version = ?"
                changed = database.execute(statement, (sealed, text, name, version)).rowcount
        if changed != 1:
            raise Changed(f"{name} was saved by another process meanwhile.", cure="Load it again.")
        return version + 1

    def delete(self, name: str) -> None:
        """See `Rows`."""
        if not self.path.exists():
            return
        with self._database() as database, database:
            database.execute("DELETE FROM vault_rows WHERE name = ?", (name,))

    def names(self, prefix: str = "") -> list[str]:
        """See `Rows`."""
        if not self.path.exists():
            return []
        query = "SELECT name FROM vault_rows WHERE substr(name, 1, ?) = ? ORDER BY name"
        with self._database() as database:
            return [row[0] for row in database.execute(query, (len(prefix), prefix))]

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Rows`. The lock is a file's: it is free at once when its holder dies."""
        folder = self.path.with_name(f"{self.path.name}.locks")
        with _in_words(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / hashlib.blake2b(name.encode(), digest_size=12).hexdigest()
        with contextlib.ExitStack() as held:
            with _in_words(folder):
                held.enter_context(file_lock(file, timeout=LOCK_SECONDS))
            yield


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say what SQLite, or the system, has against *path*: a host expects an error of ours."""
    try:
        yield
    except TimeoutError:  # a lock that another holds: whoever waits for it says so
        raise
    except (sqlite3.Error, OSError) as error:
        problem = str(getattr(error, "strerror", None) or error).lower()
    else:
        return
    raise Unavailable(f"{path} can't be used: {problem}.", cure="Look at its disk and folder, or restore it.")


def _octets(sealed: Any) -> bytes:
    """Return what is sealed; nothing where somebody put another kind of value there, and nothing opens nothing."""
    return sealed if isinstance(sealed, bytes) else b""


def _readable(text: Any) -> dict[str, Any]:
    """Return the readable half; {} where it was spoilt, which is bound to no place and opens nothing."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class _Connection(sqlite3.Connection):
    """A thread's connection, closed with the thread's last word: Python warns of one that is merely dropped."""

    def __del__(self) -> None:
        self.close()


_open: weakref.WeakSet[_Connection] = weakref.WeakSet()
_held: list[_Connection] = []
_over_fork: list[_Connection] = []
"""What a child inherited: kept alive and never used, since closing it would drop the parent's locks on the file
(https://www.sqlite.org/howtocorrupt.html, 2.6)."""


def _keep_inherited() -> None:
    _over_fork.extend(_held)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _held.extend(_open), after_in_parent=_held.clear, after_in_child=_keep_inherited
    )


_PATIENCE = 30.0
"""Seconds for which another process may hold the file before this one gives up."""


def open_database(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """Return a connection to the owner-only file at *path*, whose tables *schema* made.

    Args:
        path: Made where missing.
        schema: Run once, or each time where *version* is 0 (and then has to bear that).
        version: Kept in the file; another one is refused.

    Raises:
        SettingsError: As `owner_only`, or the file is a later version's.
    """
    owner_only(path)
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False, factory=_Connection)
    _open.add(connection)
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    _make(connection, schema, version, path)
    for beside in ("-wal", "-shm"):  # SQLite has made them, and closes them to nobody under Windows
        with contextlib.suppress(FileNotFoundError):
            close_to_others(path.with_name(path.name + beside))
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; where several processes do so at once, SQLite refuses one without waiting (a deadlock)."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.005)
        else:
            return


def _make(connection: sqlite3.Connection, schema: str, version: int, path: Path) -> None:
    """Make the tables, whole or not at all, where they are not yet there."""
    if version == 0:
        with connection:
            connection.execute(schema)
        return
    if _version(connection) == 0:
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")  # another process may be about to make them too
        if _version(connection) == 0:
            for statement in schema.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    found = _version(connection)
    if found != version:
        connection.close()
        raise SettingsError(
            f"{path} was made by another version of pillarbox (schema {found}, not {version}).",
            cure="Use that version, or move the file away.",
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def owner_only(path: Path) -> None:
    """Make *path* as an empty file that only its owner can read, or see that it is one.

    Raises:
        SettingsError: It can be read by others, is no regular file, or lies on a network share.
    """
    if not path.parent.is_dir():
        raise SettingsError(f"There is no folder {path.parent}.", cure="Make it first.")
    _refuse_shared(path)
    with contextlib.suppress(FileExistsError):
        os.close(create(path))
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"{path} is not a regular file.")
    if is_open_to_others(path):
        raise SettingsError(f"{path} can be read by others.", cure=cure(path, "600"))


def _refuse_shared(path: Path) -> None:
    kind = file_system(path)
    if kind in _SHARED:
        raise SettingsError(
            f"{path} lies on a network share ({kind}), where file locks can't be relied on.",
            cure="Keep it on a local disk.",
        )
