"""From the tables of a settings file to records: with every problem in it told at once, each at its place."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ._directory import Record
from ._errors import InvalidSettings, PillarboxError, TransportNotInstalled
from ._plugins import OURS, Plugins
from ._records import record_of, record_problems
from ._schema import MOST_PROBLEMS, Problem, Role, problems_of, setting, structure, unknown
from ._settings import COMPANY_KEYS, KEYS, METHOD_NAME, USER_ID, USER_KEYS, Choice, Company, User

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
class Snapshot:
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


def parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix(BOM))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error) if isinstance(error, tomllib.TOMLDecodeError) else _TOO_DEEP
        problem = f"{'TOML':<24} can't be read: {said[:1].lower()}{said[1:300]}"
        raise InvalidSettings([problem], where=path.name) from None


BOM = "\ufeff"
"""What Windows' editors put before UTF-8 text; it is left where it is."""
_TOO_DEEP = "it is nested too deeply"


def snapshot_of(file: Mapping[str, Any], path: Path, given: Plugins | None) -> Snapshot:
    """Return what *file* says; the stamp, the digest and the age are the caller's to fill in.

    Raises:
        InvalidSettings: Every problem in it at once.
    """
    try:
        return _said(file, path, given)
    except RecursionError:
        raise InvalidSettings([f"{'TOML':<24} can't be read: {_TOO_DEEP}"], where=path.name) from None


def _said(file: Mapping[str, Any], path: Path, given: Plugins | None) -> Snapshot:
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
    reader.apps(file.get("apps", {}))
    company = reader.company(file.get("company", {}))
    users = reader.users(file.get("users", {}))
    _refuse(reader.problems, path)
    return Snapshot(
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
_TEXT = {str}


class _Reader:
    """Turns the tables of a file into records, and gathers what is wrong."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self._classes: dict[str, type | None] = {}

    def apps(self, tables: Mapping[str, Any]) -> None:
        """See that each registration is one, where its connector is installed."""
        for name, table in tables.items():
            path = f"apps.{name[:60]}"
            try:
                cls = self.plugins.connector(name).app_class()
            except PillarboxError as error:
                self.warnings.append(f"{path} is not checked: {error}")
                continue
            if cls is not None:
                self.problems += problems_of(cls, table, path)
            elif not isinstance(table, Mapping):
                self.problems.append(Problem(path, "must be a table"))

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
            elif (user := _plain_user(name, table) or self._user(name, table)) is not None:
                found[name] = user
        return found

    def _user(self, name: str, table: Any) -> User | None:
        record = self._record(User, table, f"users.{name}", id=name)
        return record if isinstance(record, User) else None

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


def _plain_user(name: str, table: Any) -> User | None:
    """Return the user of a table that holds nothing but texts, as most of a hundred thousand do; None for another."""
    if type(table) is not dict or not table.keys() <= _TEXTS[User] or set(map(type, table.values())) != _TEXT:
        return None
    try:
        return User(id=name, typed_by=Role.DEPLOYER, **table)
    except InvalidSettings:
        return None  # a closer look says what is wrong, and where


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
    return difflib.get_close_matches(name, [*plugins, *OURS], 1, cutoff=0.7)
