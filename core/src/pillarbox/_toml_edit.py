"""A change of a settings file under way: written into the text as it stands, and held to what it shall say afterwards."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import attrs

from ._directory import Change, Record, unknown_user
from ._errors import SettingsError, Unavailable
from ._schema import unstructure
from ._settings import Company, User, table_of
from ._toml_reading import BOM, Snapshot, parsed


@attrs.define
class Edit:
    """A change of the file under way.

    Attributes:
        now: What it says.
        document: tomlkit's, in which comments live.
        wanted: What it shall say, as plain values: what tomlkit makes of its document is held to that.
        head: What stands before the text: a byte order mark, or nothing.
        changes: For the history.
    """

    now: Snapshot
    document: Any
    wanted: dict[str, Any]
    path: Path
    head: str
    changes: list[Change] = attrs.field(factory=list)

    @classmethod
    def of(cls, text: str, now: Snapshot, path: Path) -> Edit:
        with _no_harm(path):
            document = required_tomlkit().parse(text.removeprefix(BOM))
        return cls(now, document, parsed(text, path), path, BOM if text.startswith(BOM) else "")

    def known(self, user: str) -> User:
        """Return the user.

        Raises:
            SettingsError: There is none.
        """
        found = self.now.users.get(user)
        if found is None:
            raise unknown_user(user, self.now.users)
        return found

    def write(self, record: Record) -> None:
        """Bring the table of *record* to its values."""
        table = _plain(table_of(record))
        place = ("company",) if isinstance(record, Company) else ("users", record.id)
        with _no_harm(self.path):
            _write_table(self.document, place, table)
        inside = self.wanted if isinstance(record, Company) else self.wanted.setdefault("users", {})
        inside[place[-1]] = table

    def drop(self, user: str) -> None:
        """Take the table of *user* out."""
        with _no_harm(self.path):
            del self.document["users"][user]
        del self.wanted["users"][user]

    def text(self) -> str:
        """Return the new text.

        Raises:
            SettingsError: It does not say what it shall.
        """
        with _no_harm(self.path):
            text = str(required_tomlkit().dumps(self.document))
            if {"users": {}, **parsed(text, self.path)} != {"users": {}, **self.wanted}:
                raise ValueError("not what was wanted")
        return self.head + text


@contextlib.contextmanager
def _no_harm(path: Path) -> Iterator[None]:
    """Refuse a change that tomlkit can't write into the file as it is laid out."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (tomlkit raises many kinds)
        problem = SettingsError(
            f"{path.name} is laid out in a way that can't be changed from here ({type(error).__name__}); it is as it was.",
            cure="Edit it, or write each record as a table of its own: [users.anna].",
        )
    else:
        return
    raise problem


def new_text(company: Company, apps: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Return the text of a new file that holds *company* and the registrations *apps*."""
    document = required_tomlkit().document()
    _write_table(document, ("company",), _plain(table_of(company)))
    for name, table in (apps or {}).items():
        _write_table(document, ("apps", name), _plain(dict(table)))
    return str(required_tomlkit().dumps(document))


def required_tomlkit() -> Any:
    """Return the module that keeps comments.

    Raises:
        Unavailable: It is not installed.
    """
    try:
        import tomlkit
    except ImportError:
        raise Unavailable(
            "Changing a settings file needs tomlkit.", cure="Install it with: pip install 'pillarbox[cli]'"
        ) from None
    return tomlkit


def _write_table(document: Any, place: tuple[str, ...], values: Mapping[str, Any]) -> None:
    """Bring the table at *place* to *values*, leaving what is equal, with its comments, as it stands."""
    tomlkit = required_tomlkit()
    table = document
    for depth, key in enumerate(place):
        if key not in table:
            table[key] = tomlkit.table(is_super_table=depth < len(place) - 1)
        table = table[key]
    _merge(table, values)


def _merge(table: MutableMapping[str, Any], values: Mapping[str, Any]) -> None:
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        current = table.get(key)
        if isinstance(value, Mapping) and isinstance(current, MutableMapping):
            _merge(current, value)
        elif current is None or _unwrapped(current) != value:
            table[key] = _item(value)


def _unwrapped(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _item(value: Any) -> Any:
    """Return *value* for tomlkit: a secret reference inline, a method's settings as a table of its own."""
    tomlkit = required_tomlkit()
    if not isinstance(value, Mapping):
        return value
    table = (
        tomlkit.inline_table()
        if len(value) == 1 and {"env", "file", "vault"} & set(value)
        else tomlkit.table()
    )
    for key, inner in value.items():
        table[key] = _item(inner)
    return table


def _plain(value: Any) -> Any:
    """Return *value* as TOML can hold it: settings as tables, choices as text, no None."""
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(type(value)):
        return _plain(unstructure(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if inner is not None}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
