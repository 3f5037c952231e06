"""The sealed vault: rows in SQLite, or the host's own, under keys that one wrapping key unlocks."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pillarbox import Changed, Row, Rows, SettingsError, SqliteRows, Unavailable, Vault
from pillarbox.settings import Secret

from ._keys import LOST_KEY, SOURCES, EnvironmentKey, FileKey, KeychainKey, KeySource
from ._sealer import Keys, decrypt, encrypt

KEY_ROW = "vault"
"""The row that keeps the wrapped keys; no owner's row is called so."""


class SealedVault(Vault):
    """A vault whose secrets nobody can read without the wrapping key.

    It may be opened before it has a key: what then needs one says how to make it.

    Args:
        rows: Where it keeps its rows.
        key: Where its wrapping key is, whatever the rows say. Give it where others can write them: who has the rows name
            a key that they know reads what is kept from then on.
    """

    def __init__(self, rows: Rows, key: KeySource | None = None) -> None:
        super().__init__(rows, self)
        self.key: KeySource | None = key
        self._keys: tuple[int, Keys] | None = None
        self._guard = threading.Lock()

    def create_key(self, source: KeySource) -> None:
        """Make the vault's first key, wrapped by the one that *source* gives.

        Raises:
            SettingsError: The vault has a key.
            Unavailable: The source can't be used.
        """
        if self.rows.load(KEY_ROW) is not None:
            raise SettingsError("The vault has a key already.", cure="To change it: pillarbox vault rotate")
        try:
            self._wrap(Keys.fresh(), source, source.create(), version=0)
        except Changed:
            raise SettingsError("The vault was given a key meanwhile.") from None

    def _wrap(self, keys: Keys, source: KeySource, wrapping: bytes, *, version: int) -> None:
        readable = {"source": source.kind, "where": source.where}
        sealed = encrypt(wrapping, keys.packed(), _bound(readable))
        self._keys = (self.rows.save(KEY_ROW, sealed, readable, version=version), keys)

    def _unlocked(self) -> Keys:
        row = self.rows.load(KEY_ROW)
        if row is None:
            raise Unavailable("The vault has no key yet.", cure="Make one: pillarbox vault init")
        with self._guard:
            if self._keys is None or self._keys[0] != row.version:
                source = self._source(row)
                self._keys = (row.version, _unwrapped(row, source, source.read()))
            return self._keys[1]

    def seal(self, secret: bytes, associated: bytes) -> bytes:
        """See `Sealer`."""
        return self._unlocked().seal(secret, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """See `Sealer`."""
        return self._unlocked().open(sealed, associated)

    def save(
        self,
        name: str,
        secret: bytes,
        destination: Mapping[str, str],
        *,
        connection: Mapping[str, Any] | None = None,
        version: int = 0,
    ) -> int:
        """See `Vault`. What was sealed with a key that a rotation has meanwhile done away with is sealed again."""
        while True:
            version = super().save(name, secret, destination, connection=connection, version=version)
            row = self.rows.load(name)
            if row is None or row.version != version or self._unlocked().sealed_with_current(row.sealed):
                return version

    def names(self, prefix: str = "") -> list[str]:
        """See `Vault`; the row of the keys is not one of them."""
        return [name for name in super().names(prefix) if name != KEY_ROW]

    @property
    def key_source(self) -> KeySource | None:
        """Where the wrapping key is, or None where there is no key yet."""
        row = self.rows.load(KEY_ROW)
        return None if row is None else self._source(row)

    def _source(self, row: Row) -> KeySource:
        return self.key or source_of(row)

    def rotate(self, source: KeySource | None = None) -> int:
        """Seal everything with a new key, wrapped by a new one if *source* is given; return how many rows that were.

        Interrupted, it leaves old and new keys side by side, and everything can still be opened; do it again.

        Raises:
            Unavailable: There is no key, or it can't be reached; or a row can't be opened, and the old keys stay for it.
        """
        with self.rows.lock(KEY_ROW):
            row = self.rows.load(KEY_ROW)
            if row is None:
                raise Unavailable("The vault has no key yet.", cure="Make one: pillarbox vault init")
            kept = self._source(row)
            wrapping = kept.read()
            keys = Keys.fresh(_unwrapped(row, kept, wrapping).by_id)
            self._wrap(keys, kept, wrapping, version=row.version)
            count = self._reseal_all(keys)
            used, final = (kept, wrapping) if source is None else (source, source.create())
            self._wrap(keys.only_current(), used, final, version=row.version + 1)
            if self.key is not None:
                self.key = used
            return count

    def _reseal_all(self, keys: Keys) -> int:
        """Seal all that can be opened before telling of what can't."""
        count, lost = 0, []
        for name in self.names():
            try:
                count += self._reseal(name, keys)
            except ValueError:
                if is_under_way(name):
                    self.delete(name)  # nobody can finish it any more
                else:
                    lost.append(name)
        if lost:
            raise Unavailable(
                f"{', '.join(lost)} can't be opened: it was altered, or its key is gone. The rest is sealed anew.",
                cure="Enter it again, and repeat: pillarbox vault set OWNER",
            )
        return count

    def _reseal(self, name: str, keys: Keys) -> bool:
        """Seal the row *name* with the newest key, whoever else saves it meanwhile."""
        while True:
            row = self.rows.load(name)
            if row is None or keys.sealed_with_current(row.sealed):
                return row is not None
            again = keys.seal(keys.open(row.sealed, row.associated), row.associated)
            try:
                self.rows.save(name, again, row.readable, version=row.version)
            except Changed:
                continue
            return True


def is_under_way(name: str) -> bool:
    """Whether the row *name* is a sign-in that nobody has finished yet."""
    return Row(name, 0, b"").is_under_way


def _bound(readable: dict[str, str]) -> bytes:
    return json.dumps(["pillarbox vault", readable], sort_keys=True).encode()


def _unwrapped(row: Row, source: KeySource, wrapping: bytes) -> Keys:
    try:
        return Keys.unpacked(decrypt(wrapping, row.sealed, _bound(dict(row.readable))))
    except ValueError:
        problem = f"The vault can't be opened with the key from {source.where}: it is another, or the vault was altered."
    raise Unavailable(problem, cure=LOST_KEY)


def source_of(row: Row) -> KeySource:
    """Return where the wrapping key of a vault's key row is."""
    kind, where = str(row.readable.get("source")), str(row.readable.get("where"))
    if kind not in SOURCES:
        raise Unavailable(f"The vault's key is in {kind!r}, which this version does not know.")
    return SOURCES[kind](where)  # type: ignore[call-arg]


def open_vault(path: Path, rows: Rows | None = None, key: Secret | None = None) -> SealedVault:
    """Return the vault in the SQLite file at *path*, which is made, owner-only, with the first key.

    Where machines share it, it is in *rows*, and the settings say where its *key* is.
    """
    if key is None:
        return SealedVault(SqliteRows(path) if rows is None else rows)
    source = EnvironmentKey(key.env) if key.env else FileKey(Path(key.file))
    return SealedVault(SqliteRows(path) if rows is None else rows, source)


def default_source(path: Path) -> KeySource:
    """Return the keychain entry for a vault at *path*."""
    return KeychainKey(f"{path.resolve()}@{os.uname().nodename if hasattr(os, 'uname') else ''}".rstrip("@"))
