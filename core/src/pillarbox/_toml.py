"""TomlDirectory: the settings in one file that people edit too. Read by tomllib, changed by tomlkit, replaced whole."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import attrs

from ._directory import Change, Directory, Record, change_of, page, prepared, unknown_user
from ._errors import InvalidSettings, PillarboxError, SettingsError, TransportNotInstalled, Unavailable
from ._locks import file_lock
from ._plugins import OURS, Plugins
from ._records import record_of, record_problems
from ._schema import MOST_PROBLEMS, Problem, problems_of, setting, structure, unknown
from ._settings import (
    COMPANY_KEYS,
    KEYS,
    METHOD_NAME,
    USER_ID,
    USER_KEYS,
    Actor,
    Choice,
    Company,
    User,
    table_of,
)

LARGEST_FILE = 64 * 1024 * 1024
"""Octets."""
_PARTS = ("company", "users", "apps", "outbox", "deployment")


@attrs.frozen(kw_only=True)
class Deployment:
    """What the deployer settles once, in `[deployment]`."""

    private_networks: tuple[str, ...] = setting(
        (), help="Networks that may be reached although they are not public, for servers that a person typed."
    )
    plugins: tuple[str, ...] | None = setting(
        None, help="The distributions whose plugins may be imported; all without it."
    )
    methods: Mapping[str, str] = setting(
        factory=dict, help="Which distribution a method is taken from, where two offer it."
    )


@attrs.frozen(kw_only=True)
class _Snapshot:
    """The file as it was read."""

    stamp: tuple[int, ...]
    company: Company
    users: Mapping[str, User]
    deployment: Deployment
    apps: Mapping[str, Any]
    outbox: Mapping[str, Any] | None
    plugins: Plugins
    warnings: tuple[str, ...]


class TomlDirectory(Directory):
    """One company and its users in one TOML file.

    The file is read again when it has changed. A change is written into the text as it stands, so that comments
    survive; under a lock, to a new file that takes the old one's place. `<stem>.history.jsonl` keeps who changed what.

    Args:
        path: The file.
        plugins: What is installed; by default as `[deployment]` allows.

    Raises:
        InvalidSettings: On first use: a sentence for each problem in the file.
        SettingsError: It is missing, too large, or can be written by others.
    """

    def __init__(self, path: str | Path, *, plugins: Plugins | None = None) -> None:
        self.path: Path = Path(path)
        self._plugins = plugins
        self._guard = threading.Lock()
        self._read: _Snapshot | None = None

    @classmethod
    def create(cls, path: str | Path, company: Company, *, plugins: Plugins | None = None) -> TomlDirectory:
        """Write a new file that holds *company*, owner-only, and return its directory.

        Raises:
            SettingsError: There is a file already.
        """
        made = cls(path, plugins=plugins)
        document = _tomlkit().document()
        _write_table(document, ("company",), table_of(company))
        with file_lock(made.path.with_name(f".{made.path.name}.lock")):
            refuse_existing(path)
            _replace(made.path, _tomlkit().dumps(document), 0o600)
        return made

    @property
    def _snapshot(self) -> _Snapshot:
        stamp = _stamp(self.path)
        read = self._read
        if read is None or read.stamp != stamp:
            with self._guard:
                read = self._read
                if read is None or read.stamp != stamp:
                    read = self._read = self._load()
        return read

    def _load(self) -> _Snapshot:
        text, stamp = _text(self.path)
        return _snapshot(_parsed(text, self.path), self.path, stamp, self._plugins)

    @property
    def plugins(self) -> Plugins:
        """What is installed and allowed here."""
        return self._snapshot.plugins

    @property
    def deployment(self) -> Deployment:
        """The deployer's settings."""
        return self._snapshot.deployment

    @property
    def apps(self) -> Mapping[str, Any]:
        """The registrations of connectors, by name, as plain values."""
        return self._snapshot.apps

    @property
    def outbox(self) -> Mapping[str, Any] | None:
        """The table `[outbox]`, or None where there is none."""
        return self._snapshot.outbox

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful in the file and stops nobody."""
        return self._snapshot.warnings

    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        """See `Directory`."""
        now = self._snapshot
        if company is not None and company != now.company.id:
            raise SettingsError(f"There is no company {company[:100]!r} in {self.path.name}.")
        if user is None:
            return now.company, None
        found = now.users.get(user)
        if found is None:
            raise unknown_user(user, now.users)
        return now.company, found

    def users(self, after: str = "", limit: int = 100, search: str = "") -> list[User]:
        """See `Directory`."""
        return page(self._snapshot.users, after, limit, search)

    def save(self, record: Record, *, version: str, by: Actor) -> str:
        """See `Directory`."""
        with self._changing() as document:
            now = self._snapshot
            before = now.company if isinstance(record, Company) else now.users.get(record.id)
            kept = prepared(before, record, version, by, now.company, now.plugins)
            place = ("company",) if isinstance(kept, Company) else ("users", kept.id)
            _write_table(document, place, table_of(kept))
            change = change_of(before, kept, by)
        self._remember(change)
        return kept.version

    def remove(self, user: str, *, by: Actor) -> None:
        """See `Directory`."""
        with self._changing() as document:
            _, found = self.look_up(user)
            del document["users"][user]
            change = change_of(found, None, by)
        self._remember(change)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Any]:
        """Give the file's text as a tomlkit document, alone, and put what became of it in the file's place."""
        tomlkit = _tomlkit()
        with file_lock(self.path.with_name(f".{self.path.name}.lock")):
            text, stamp = _text(self.path)
            document = tomlkit.parse(text)
            yield document
            changed = tomlkit.dumps(document)
            _snapshot(_parsed(changed, self.path), self.path, stamp, self._plugins)
            _replace(self.path, changed, stat.S_IMODE(self.path.stat().st_mode))

    def _remember(self, change: Change) -> None:
        line = json.dumps(attrs.asdict(change), ensure_ascii=False) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._history_path, flags, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line)

    @property
    def _history_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.history.jsonl")

    def history(self, owner: str) -> list[Change]:
        """See `Directory`."""
        if not self._history_path.exists():
            return []
        with self._history_path.open(encoding="utf-8") as lines:
            changes = [Change(**json.loads(line)) for line in lines]
        return [change for change in changes if change.owner == owner]


def refuse_existing(path: str | Path) -> None:
    """Raise SettingsError when something is at *path* already."""
    if os.path.lexists(path):
        raise SettingsError(
            f"{path} exists already.", cure="Change it with: pillarbox company set, or edit it."
        )


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)  # noqa: PTH116  (a third of Path.stat's time, once for every message)
    except OSError as error:
        raise _unreadable(path, error) from None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unreadable(path: Path, error: OSError) -> SettingsError:
    if isinstance(error, FileNotFoundError):
        return SettingsError(
            f"There is no settings file {path}.", cure=f"Write one: pillarbox --config {path} init"
        )
    return SettingsError(f"The settings file {path} can't be read: {error.strerror}.")


def _text(path: Path) -> tuple[str, tuple[int, ...]]:
    """Return the file's text and its stamp, from one descriptor that was checked (rule 40)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        found = os.fstat(descriptor)
        _check_file(found, path)
        content = _read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    try:
        return content.decode("utf-8"), (found.st_mtime_ns, found.st_size, found.st_ino)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidSettings([f"line {line:<19} is not UTF-8 text"], where=path.name) from None


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read(most)


def _check_file(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"The settings file {path} is not a regular file.")
    if found.st_size > LARGEST_FILE:
        raise SettingsError(f"The settings file {path} is larger than {LARGEST_FILE >> 20} MiB.")
    if os.name == "nt":
        return
    shared_group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    if found.st_mode & stat.S_IWOTH or shared_group:
        raise SettingsError(
            f"The settings file {path} can be written by others.", cure=f"Run: chmod go-w {path}"
        )


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
        problem = f"{'TOML':<24} can't be read: {said[:1].lower()}{said[1:300]}"
        raise InvalidSettings([problem], where=path.name) from None


def _snapshot(
    file: Mapping[str, Any], path: Path, stamp: tuple[int, ...], given: Plugins | None
) -> _Snapshot:
    """Return what *file* says.

    Raises:
        InvalidSettings: Every problem in it at once.
    """
    problems = [unknown("", key, _PARTS) for key in file if key not in _PARTS]
    problems += [
        Problem(key, "must be a table") for key in _PARTS if not isinstance(file.get(key, {}), Mapping)
    ]
    _refuse(problems, path)
    problems += problems_of(Deployment, file.get("deployment", {}), "deployment")
    _refuse(problems, path)
    deployment = structure(Deployment, file.get("deployment", {}), "deployment")
    plugins = given if given is not None else Plugins(allowed=deployment.plugins, chosen=deployment.methods)
    reader = _Reader(plugins)
    company = reader.company(file.get("company", {}))
    users = reader.users(file.get("users", {}))
    _refuse(reader.problems, path)
    return _Snapshot(
        stamp=stamp,
        company=company,
        users=users,
        deployment=deployment,
        apps=file.get("apps", {}),
        outbox=file.get("outbox"),
        plugins=plugins,
        warnings=tuple(reader.warnings),
    )


def _refuse(problems: list[Problem], path: Path) -> None:
    if problems:
        rest = len(problems) - MOST_PROBLEMS
        shown = [str(problem) for problem in problems[:MOST_PROBLEMS]]
        raise InvalidSettings(shown + ([f"... and {rest} more"] if rest > 0 else []), where=path.name)


_TEXTS = {
    cls: frozenset(key for key, default in keys.items() if isinstance(default, str)) - {"settings"}
    for cls, keys in ((Company, COMPANY_KEYS), (User, USER_KEYS))
}
"""The keys of a record that hold text."""
_CHOICES = frozenset(("settings", one.value) for one in Choice)


class _Reader:
    """Turns the tables of a file into records, and gathers what is wrong."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self._classes: dict[str, type | None] = {}

    def company(self, table: Mapping[str, Any]) -> Company:
        record = self._record(Company, table, "company")
        return record if isinstance(record, Company) else Company()

    def users(self, tables: Mapping[str, Any]) -> dict[str, User]:
        found = {}
        for name, table in tables.items():
            if not USER_ID.fullmatch(name):
                self.problems.append(
                    Problem(f"users.{name[:60]!r}", "is not a user's id: no spaces, no slashes")
                )
            else:
                found[name] = self._record(User, table, f"users.{name}", id=name)
        return {name: user for name, user in found.items() if isinstance(user, User)}

    def _record(self, cls: type[Company | User], table: Any, path: str, **given: Any) -> Record | None:
        if not isinstance(table, Mapping):
            self.problems.append(Problem(path, "must be a table"))
            return None
        values, methods, is_plain = self._sorted(cls, table, path)
        problems = [] if is_plain else record_problems(cls, table, path)
        if problems:
            self.problems += problems
            return None
        try:
            return record_of(cls, values, methods, **given)
        except InvalidSettings as error:
            self.problems += [
                Problem(f"{path}.{name}", rest.strip()) for name, _, rest in map(_parts, error.problems)
            ]
            return None

    def _sorted(
        self, cls: type[Company | User], table: Mapping[str, Any], path: str
    ) -> tuple[dict[str, Any], dict[str, Any], bool]:
        """Return a record's own values, its methods, and whether the values need no closer look.

        They need none in the common case, text under known keys: the class itself checks that.
        """
        texts, is_plain = _TEXTS[cls], True
        values: dict[str, Any] = {}
        methods: dict[str, Any] = {}
        for key, value in table.items():
            if key not in KEYS and isinstance(value, Mapping):
                methods[key] = self._method(key, value, path)
            else:
                values[key] = value
                is_plain = is_plain and isinstance(value, str) and (key in texts or (key, value) in _CHOICES)
        return values, methods, is_plain

    def _method(self, name: str, table: Any, owner: str) -> Any:
        """Return a method's table, structured where the method is installed."""
        path = f"{owner}.{name}"
        cls = self._classes[name] if name in self._classes else self._class(name, path)
        if cls is None:
            return table
        problems: list[Problem] = []
        try:
            return structure(cls, table, path)
        except InvalidSettings:
            problems = problems_of(cls, table, path)
        self.problems += problems or [Problem(path, "can't be used")]
        return table

    def _class(self, name: str, path: str) -> type | None:
        found = None
        try:
            found = self.plugins[name].settings_class()
        except TransportNotInstalled as error:
            self._warn_missing(name, path, error)
        except PillarboxError as error:
            self.warnings.append(f"{path} is not checked: {error}")
        self._classes[name] = found
        return found

    def _warn_missing(self, name: str, path: str, error: TransportNotInstalled) -> None:
        near = None if name in OURS else next(iter(_near(name, self.plugins)), None)
        if not METHOD_NAME.fullmatch(name) or near:
            meant = f"; did you mean {near}?" if near else ""
            self.problems.append(Problem(path, f"is neither a setting nor a method{meant}"))
        else:
            self.warnings.append(f"{path} is not checked: {error}")


def _parts(problem: str) -> tuple[str, str, str]:
    return problem.strip().partition(" ")


def _near(name: str, plugins: Plugins) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, [*plugins, *OURS], 1, cutoff=0.7)


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ImportError:
        raise Unavailable(
            "Changing a settings file needs tomlkit.", cure="Install it with: pip install 'pillarbox[cli]'"
        ) from None
    return tomlkit


def _write_table(document: Any, place: tuple[str, ...], values: Mapping[str, Any]) -> None:
    """Bring the table at *place* to *values*, leaving what is equal, with its comments, as it stands."""
    tomlkit = _tomlkit()
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
    tomlkit = _tomlkit()
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


def _replace(path: Path, text: str, mode: int) -> None:
    """Put *text* in the place of *path* in one step, on the disk when this returns."""
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # what a writer left that was killed; the lock is ours
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
