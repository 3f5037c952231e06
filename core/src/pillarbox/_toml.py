"""TomlDirectory: the settings in one file that people edit too. Read by tomllib, changed by tomlkit, replaced whole."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import stat
import time
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import attrs

from . import _log
from ._directory import (
    Change,
    Directory,
    Record,
    change_of,
    page,
    prepared,
    renaming,
    unknown_user,
    user_exists,
)
from ._errors import (
    Changed,
    InvalidSettings,
    PillarboxError,
    SettingsError,
    TransportNotInstalled,
    Unavailable,
)
from ._locks import ThreadLock, file_lock
from ._plugins import OURS, Plugins
from ._records import record_of, record_problems, refuse_unless_administrator
from ._schema import MOST_PROBLEMS, Problem, Role, problems_of, setting, structure, unknown, unstructure
from ._settings import (
    COMPANY_KEYS,
    KEYS,
    METHOD_NAME,
    USER_ID,
    USER_KEYS,
    Account,
    Actor,
    Choice,
    Company,
    User,
    table_of,
)

LARGEST_FILE = 64 * 1024 * 1024
"""Octets."""
YOUNG_SECONDS = 0.05
"""Of a file that was written this short a time ago, another write may not show in its time: clocks tick coarsely."""
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
    """The file as it was read.

    Attributes:
        stamp: What `stat` says of it.
        digest: Of its text.
        is_young: Whether it may have been written again since without that showing in its stamp.
    """

    stamp: tuple[int, ...]
    digest: bytes
    is_young: bool
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
        self._guard = ThreadLock()
        self._read: _Snapshot | None = None

    @classmethod
    def create(cls, path: str | Path, company: Company, *, plugins: Plugins | None = None) -> TomlDirectory:
        """Write a new file that holds *company*, owner-only, and return its directory.

        Whoever calls this is the deployer.

        Raises:
            SettingsError: There is a file already, or it can't be written.
        """
        made = cls(path, plugins=plugins)
        document = _tomlkit().document()
        _write_table(document, ("company",), _plain(table_of(attrs.evolve(company, typed_by=Role.DEPLOYER))))
        with _alone(made.path):
            refuse_existing(path)
            _replace(made.path, _tomlkit().dumps(document), None)
        return made

    @property
    def _snapshot(self) -> _Snapshot:
        stamp = _stamp(self.path)
        read = self._read
        if read is None or read.stamp != stamp or read.is_young:
            with self._guard:
                read = self._read
                if read is None or read.stamp != stamp or read.is_young:
                    read = self._read = self._load(read)
        return read

    def _load(self, before: _Snapshot | None) -> _Snapshot:
        """Return what the file says now: the same objects as *before* while its text is the same."""
        text, stamp, is_young = _text(self.path)
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if before is not None and before.digest == digest:
            return attrs.evolve(before, stamp=stamp, is_young=is_young)
        read = _snapshot(_parsed(text, self.path), self.path, self._plugins)
        return attrs.evolve(read, stamp=stamp, digest=digest, is_young=is_young)

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

    def account(self, owner: str, company: str | None = None) -> Account | None:
        """See `Directory`."""
        _ = self._snapshot  # a file that can't be read says nothing of the account
        return super().account(owner, company)

    def save(self, record: Record, *, version: str, by: Actor) -> str:
        """See `Directory`."""
        with self._changing() as edit:
            now = edit.now
            before = now.company if isinstance(record, Company) else now.users.get(record.id)
            kept = prepared(before, record, version, by, now.company, now.plugins)
            edit.write(kept)
            edit.changes.append(change_of(before, kept, by))
        return kept.version

    def remove(self, user: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._changing() as edit:
            edit.changes.append(change_of(edit.known(user), None, by))
            edit.drop(user)

    def rename(self, user: str, new: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._changing() as edit:
            found = edit.known(user)
            if new in edit.now.users:
                raise user_exists(new)
            renamed = attrs.evolve(found, id=new)
            edit.drop(user)
            edit.write(renamed)
            edit.changes += renaming(found, renamed, by)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_Edit]:
        """Give the file to be changed, alone, and put what became of it in its place.

        Raises:
            Changed: Somebody else, an editor perhaps, wrote the file meanwhile.
            InvalidSettings, SettingsError: What would become of it can't be used, or can't be written.
        """
        _ = _tomlkit()
        with _alone(self.path):
            text, stamp, _ = _text(self.path)
            edit = _Edit.of(text, self._snapshot, self.path)
            self._refuse_moved(edit.now.stamp, stamp)
            yield edit
            changed = edit.text()
            _snapshot(edit.wanted, self.path, self._plugins)
            self._refuse_moved(_stamp(self.path), stamp)
            _replace(self.path, changed, self.path.stat())
            self._remember(edit.changes)

    def _refuse_moved(self, found: tuple[int, ...], stamp: tuple[int, ...]) -> None:
        if found != stamp:
            raise Changed(
                f"{self.path.name} was written by somebody else meanwhile.",
                cure="Look at the settings again, then repeat the change.",
            )

    def _remember(self, changes: list[Change]) -> None:
        """Add *changes* to the history; where that fails, the change itself stands and a warning is logged."""
        lines = "".join(json.dumps(attrs.asdict(change), ensure_ascii=False) + "\n" for change in changes)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self._history_path, flags, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(lines)
        except OSError as error:
            _log.event("warning", "pillarbox.history_failed", error=error.strerror)

    @property
    def _history_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.history.jsonl")

    def history(self, owner: str) -> list[Change]:
        """See `Directory`. A line that was cut by a crash is left out."""
        if not self._history_path.exists():
            return []
        with self._history_path.open(encoding="utf-8", errors="replace") as lines:
            changes = [change for line in lines for change in _changes_in(line)]
        return [change for change in changes if change.owner == owner]


def _changes_in(line: str) -> list[Change]:
    try:
        return [Change(**json.loads(line))]
    except (ValueError, TypeError):
        return []


@attrs.define
class _Edit:
    """A change of the file under way.

    Attributes:
        now: What it says.
        document: tomlkit's, in which comments live.
        wanted: What it shall say, as plain values: what tomlkit makes of its document is held to that.
        head: What stands before the text: a byte order mark, or nothing.
        changes: For the history.
    """

    now: _Snapshot
    document: Any
    wanted: dict[str, Any]
    path: Path
    head: str
    changes: list[Change] = attrs.field(factory=list)

    @classmethod
    def of(cls, text: str, now: _Snapshot, path: Path) -> _Edit:
        with _no_harm(path):
            document = _tomlkit().parse(text.removeprefix(BOM))
        return cls(now, document, _parsed(text, path), path, BOM if text.startswith(BOM) else "")

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
            text = str(_tomlkit().dumps(self.document))
            if {"users": {}, **_parsed(text, self.path)} != {"users": {}, **self.wanted}:
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


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file at *path*, whatever link leads them to it, for the block.

    Raises:
        SettingsError: Another one is at it for too long, or its folder can't be written.
    """
    target = path.resolve()
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(file_lock(target.with_name(f".{target.name}.lock")))
        except TimeoutError:
            raise SettingsError(f"{path} is being changed by another process.", cure="Try again.") from None
        except OSError as error:
            raise _unwritable(path, error) from None
        yield


def _unwritable(path: Path, error: OSError) -> SettingsError:
    said = (error.strerror or type(error).__name__).lower()
    return SettingsError(f"{path} can't be written: {said}.")


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
    return _stamp_of(found)


def _stamp_of(found: os.stat_result) -> tuple[int, ...]:
    # The time of the last change of status too: what keeps a file's mtime, rsync for instance, can't keep that.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _unreadable(path: Path, error: OSError) -> SettingsError:
    if isinstance(error, FileNotFoundError):
        return SettingsError(
            f"There is no settings file {path}.", cure=f"Write one: pillarbox --config {path} init"
        )
    return SettingsError(f"The settings file {path} can't be read: {error.strerror}.")


def _text(path: Path) -> tuple[str, tuple[int, ...], bool]:
    """Return the file's text, its stamp, and whether it is young, from one descriptor that was checked (rule 40)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        found = os.fstat(descriptor)
        _check_file(found, path)
        is_young = 0 <= time.time_ns() - found.st_mtime_ns < YOUNG_SECONDS * 1e9
        content = _read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST_FILE:
        raise _too_large(path)
    return _decoded(content, path), _stamp_of(found), is_young


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidSettings([f"line {line:<19} is not UTF-8 text"], where=path.name) from None


def _too_large(path: Path) -> SettingsError:
    return SettingsError(f"The settings file {path} is larger than {LARGEST_FILE >> 20} MiB.")


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read(most)


def _check_file(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"The settings file {path} is not a regular file.")
    if found.st_size > LARGEST_FILE:
        raise _too_large(path)
    if os.name == "nt":
        return
    shared_group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    if found.st_mode & stat.S_IWOTH or shared_group:
        raise SettingsError(
            f"The settings file {path} can be written by others.", cure=f"Run: chmod go-w {path}"
        )


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix(BOM))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error) if isinstance(error, tomllib.TOMLDecodeError) else _TOO_DEEP
        problem = f"{'TOML':<24} can't be read: {said[:1].lower()}{said[1:300]}"
        raise InvalidSettings([problem], where=path.name) from None


BOM = "\ufeff"
"""What Windows' editors put before UTF-8 text; it is left where it is."""
_TOO_DEEP = "it is nested too deeply"


def _snapshot(file: Mapping[str, Any], path: Path, given: Plugins | None) -> _Snapshot:
    """Return what *file* says; the stamp, the digest and the age are the caller's to fill in.

    Raises:
        InvalidSettings: Every problem in it at once.
    """
    try:
        return _said(file, path, given)
    except RecursionError:
        raise InvalidSettings([f"{'TOML':<24} can't be read: {_TOO_DEEP}"], where=path.name) from None


def _said(file: Mapping[str, Any], path: Path, given: Plugins | None) -> _Snapshot:
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
    for part in ("apps", "outbox"):
        reader.problems += _depth_problems(file.get(part, {}), part)
    company = reader.company(file.get("company", {}))
    users = reader.users(file.get("users", {}))
    _refuse(reader.problems, path)
    return _Snapshot(
        stamp=(),
        digest=b"",
        is_young=False,
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
        texts, choices, is_plain = _TEXTS[cls], (_CHOICES if cls is User else ()), True
        values: dict[str, Any] = {}
        methods: dict[str, Any] = {}
        for key, value in table.items():
            if key not in KEYS and isinstance(value, Mapping):
                settings = self._method(key, value, path)
                if METHOD_NAME.fullmatch(key):
                    methods[key] = settings
            else:
                values[key] = value
                is_plain = is_plain and isinstance(value, str) and (key in texts or (key, value) in choices)
        return values, methods, is_plain

    def _method(self, name: str, table: Any, owner: str) -> Any:
        """Return a method's table, structured where the method is installed."""
        path = f"{owner}.{name}"
        cls = self._classes[name] if name in self._classes else self._class(name, path)
        if cls is None:
            self.problems += _depth_problems(table, path)
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
        is_known = name in OURS or name in self.plugins  # of two distributions, say
        near = None if is_known else next(iter(_near(name, self.plugins)), None)
        if not METHOD_NAME.fullmatch(name) or near:
            meant = f"; did you mean {near}?" if near else ""
            self.problems.append(Problem(path, f"is neither a setting nor a method{meant}"))
        else:
            self.warnings.append(f"{path} is not checked: {error}")


def _depth_problems(table: Any, path: str) -> list[Problem]:
    """Return a problem where a table that no class knows is nested deeper than anything would be that is meant."""
    return [] if _is_shallow(table, MOST_LEVELS) else [Problem(path, "is nested too deeply")]


MOST_LEVELS = 20


def _is_shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)


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


def _plain(value: Any) -> Any:
    """Return *value* as TOML can hold it: settings as tables, choices as text, no None."""
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(type(value)):
        return _plain(unstructure(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if inner is not None}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _replace(path: Path, text: str, old: os.stat_result | None) -> None:
    """Put *text* in the place of *path* in one step, with *old*'s mode and owner, on the disk when this returns.

    Raises:
        SettingsError: It can't be written; the file is as it was.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.new")
    try:
        temporary.unlink(missing_ok=True)  # what a writer left that was killed; the lock is ours
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write(descriptor, text, old)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except (OSError, UnicodeError) as error:
        problem = error if isinstance(error, OSError) else OSError(0, "the text is not Unicode")
        raise _unwritable(path, problem) from None


def _write(descriptor: int, text: str, old: os.stat_result | None) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        if old is not None and os.name != "nt":
            if old.st_uid != os.geteuid():
                os.chown(
                    descriptor, old.st_uid, old.st_gid
                )  # else root takes the file from those who read it
            elif old.st_gid != os.fstat(descriptor).st_gid:
                with contextlib.suppress(PermissionError):
                    os.chown(descriptor, -1, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
