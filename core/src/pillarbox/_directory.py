"""Who the company and its users are: what a host answers, and the two directories that come with pillarbox."""

from __future__ import annotations

import abc
import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from ._accounts import path_of, saving_problem
from ._errors import Changed, InvalidSettings, SettingsError, quotation
from ._locks import ThreadLock
from ._mail import now
from ._plugins import Plugins
from ._records import not_allowed_changes, refuse_actor, refuse_unless_administrator, structured, typed_by
from ._schema import Problem, Role, form, put
from ._settings import NONE, Account, Actor, Company, User, literal, table_of

Record: TypeAlias = Company | User


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen
class Change:
    """One line of a record's history.

    Attributes:
        at: ISO 8601, UTC.
        by: Who changed it.
        owner: `company` or `user:<id>`.
        what: The settings that changed, as paths; never their secrets.
    """

    at: str
    by: str
    owner: str
    what: tuple[str, ...] = attrs.field(converter=_texts)


class Directory(abc.ABC):
    """Knows the company and its users. A host over its own tables writes `look_up`; the rest is refused until it does."""

    @abc.abstractmethod
    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        """Return the company and, unless *user* is None, that user. Fresh, and the same objects while unchanged.

        Raises:
            SettingsError: There is no such user, or no such company. Never the company in a user's stead (rule 3).
        """

    def account(self, owner: str, company: str | None = None) -> Account | None:
        """Return the account that *owner* (`company`, `user:<id>`) has now, or None.

        Raises:
            InvalidSettings: The settings can't be read; that says nothing of the account.
        """
        kind, _, name = owner.partition(":")
        try:
            found, user = self.look_up(name if kind == "user" else None, company)
        except InvalidSettings:
            raise
        except SettingsError:
            return None
        record: Record = user or found
        if record.method == NONE:
            return None
        return Account(
            owner=record.owner,
            method=record.method,
            settings=record.methods.get(record.method, {}),
            mailbox=record.address,
            name=record.name,
            company=found.id,
            typed_by=record.typed_by,
        )

    def users(self, after: str = "", limit: int = 100, search: str = "") -> list[User]:
        """Return up to *limit* users whose id is greater than *after*, in order, those that *search* is part of."""
        raise SettingsError(f"{type(self).__name__} can't list its users.")

    def save(self, record: Record, *, version: str, by: Actor) -> str:
        """Keep *record* when what is kept still has *version* ("" for a new one), and return the new version.

        Raises:
            Changed: It was changed meanwhile.
            InvalidSettings: A field that this actor may not set (rule 35), or settings that can't be used.
        """
        raise SettingsError(f"{type(self).__name__} can't be written.")

    def remove(self, user: str, *, by: Actor) -> None:
        """Forget the user.

        Raises:
            SettingsError: There is none, or this actor may not.
        """
        raise SettingsError(f"{type(self).__name__} can't be written.")

    def rename(self, user: str, new: str, *, by: Actor) -> None:
        """Give the user the id *new*; all else stays, so does who typed it.

        Raises:
            SettingsError: There is none, there is one called *new*, or this actor may not.
        """
        raise SettingsError(f"{type(self).__name__} can't be written.")

    def history(self, owner: str) -> list[Change]:
        """Return who changed what, the newest last."""
        return []


def unknown_user(user: str, known: Iterable[str]) -> SettingsError:
    """Return the refusal of a user that a directory does not know, with a guess at who was meant."""
    name = quotation(str(user))[:100]
    near = difflib.get_close_matches(name, _alike(name, known), 1)
    cure = f"Did you mean {near[0]}?" if near else f"Add one: pillarbox user add {name} --address NAME@DOMAIN"
    return SettingsError(f"There is no user {name!r}.", cure=cure)


def _alike(name: str, known: Iterable[str]) -> list[str]:
    """Return those of *known* that are worth a comparison: a slow one, and there may be a hundred thousand."""
    start = name[:1].casefold()
    alike = (one for one in known if one[:1].casefold() == start and abs(len(one) - len(name)) <= 2)
    return [one for _, one in zip(range(MOST_COMPARED), alike, strict=False)]


MOST_COMPARED = 500
"""The most ids that a mistyped one is compared with."""


def user_exists(user: str) -> SettingsError:
    """Return the refusal of an id that another user has."""
    return SettingsError(f"There is a user {user} already.")


class MemoryDirectory(Directory):
    """A company and its users in memory: for hosts that set them up in code, and for tests.

    What is given here was typed by the deployer, and is taken so unless a record says otherwise by `save`.
    """

    def __init__(
        self, company: Company, users: Iterable[User] = (), *, plugins: Plugins | None = None
    ) -> None:
        self._lock = ThreadLock()
        self.plugins: Plugins = plugins if plugins is not None else Plugins()
        self._company = attrs.evolve(company, typed_by=Role.DEPLOYER)
        self._users: dict[str, User] = {}
        for user in users:
            if user.id in self._users:
                raise user_exists(user.id)
            self._users[user.id] = attrs.evolve(user, typed_by=Role.DEPLOYER)
        self._history: list[Change] = []

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str] | None = None,
        prefix: str = "PILLARBOX_",
        *,
        plugins: Plugins | None = None,
    ) -> MemoryDirectory:
        """Return a company without users, from environment variables.

        `PILLARBOX_URL` as in `Company.from_url`, or `PILLARBOX_METHOD` and `PILLARBOX_<METHOD>_<FIELD>`; a secret
        field is read from its variable when it is needed. `PILLARBOX_ADDRESS`, `_NAME` and `_REPLY_TO` name the company.

        Raises:
            InvalidSettings: A variable that can't be used.
        """
        plugins = plugins if plugins is not None else Plugins()
        company = company_from_environ(os.environ if environ is None else environ, prefix, plugins)
        return cls(company, plugins=plugins)

    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        """See `Directory`."""
        if company is not None and company != self._company.id:
            raise SettingsError(f"There is no company {company[:100]!r}.")
        if user is None:
            return self._company, None
        if user not in self._users:
            raise unknown_user(user, self._users)
        return self._company, self._users[user]

    def users(self, after: str = "", limit: int = 100, search: str = "") -> list[User]:
        """See `Directory`."""
        return page(self._users, after, limit, search)

    def save(self, record: Record, *, version: str, by: Actor) -> str:
        """See `Directory`."""
        with self._lock:
            before = self._company if isinstance(record, Company) else self._users.get(record.id)
            kept = prepared(before, record, version, by, self._company, self.plugins)
            self._history.append(change_of(before, kept, by))
            if isinstance(kept, Company):
                self._company = kept
            else:
                self._users = {**self._users, kept.id: kept}
            return kept.version

    def remove(self, user: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._lock:
            if user not in self._users:
                raise unknown_user(user, self._users)
            self._history.append(change_of(self._users[user], None, by))
            self._users = {name: one for name, one in self._users.items() if name != user}

    def rename(self, user: str, new: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._lock:
            if user not in self._users:
                raise unknown_user(user, self._users)
            if new in self._users:
                raise user_exists(new)
            renamed = attrs.evolve(self._users[user], id=new)
            self._history += renaming(self._users[user], renamed, by)
            self._users = {
                (new if name == user else name): (renamed if name == user else one)
                for name, one in self._users.items()
            }

    def history(self, owner: str) -> list[Change]:
        """See `Directory`."""
        return [change for change in self._history if change.owner == owner]


def prepared(
    before: Record | None, record: Record, version: str, by: Actor, company: Company, plugins: Plugins
) -> Record:
    """Return *record* as it may be kept: unchanged underneath, allowed to *by*, and able to send.

    Raises:
        Changed, InvalidSettings, SettingsError: As `Directory.save`.
    """
    if (before.version if before else "") != version:
        raise Changed(
            f"{record} was changed meanwhile.", cure="Look at the settings again, then repeat the change."
        )
    refuse_actor(record, by)
    if before is None and isinstance(record, User):
        refuse_unless_administrator(record.id, by)
    problems = not_allowed_changes(before, record, by.role, plugins)
    if problems:
        raise InvalidSettings(map(str, problems), where=path_of(record))
    after = structured(record, before, plugins)
    _refuse_large(after)
    kept = attrs.evolve(after, typed_by=typed_by(before, after, by, plugins))
    saving_problem(kept, kept if isinstance(kept, Company) else company, plugins)
    return kept


LARGEST_RECORD = 64 * 1024
"""Characters of a record's settings; one user's must not fill the file that all share."""


def _refuse_large(record: Record) -> None:
    size = len(str(table_of(record)))
    if size > LARGEST_RECORD:
        problem = Problem(
            path_of(record), f"has {size:,} characters of settings; {LARGEST_RECORD:,} are kept at most"
        )
        raise InvalidSettings([str(problem)], where=path_of(record))


def change_of(before: Record | None, after: Record | None, by: Actor) -> Change:
    """Return what the history keeps of the step from *before* to *after*."""
    old, new = (table_of(one) if one else {} for one in (before, after))
    owner = next(one.owner for one in (after, before) if one)
    return Change(at=_moment(), by=by.name, owner=owner, what=sorted(_differences(old, new)) or ["nothing"])


def renaming(before: User, after: User, by: Actor) -> list[Change]:
    """Return what the history keeps of a new id, under the old one and the new one."""
    return [
        Change(at=_moment(), by=by.name, owner=before.owner, what=[f"renamed to {after.id}"]),
        Change(at=_moment(), by=by.name, owner=after.owner, what=[f"renamed from {before.id}"]),
    ]


def _moment() -> str:
    return now().isoformat(timespec="seconds")


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name in {*old, *new}:
        before, after = old.get(name), new.get(name)
        if isinstance(before or after, Mapping) and isinstance(after or before, Mapping) and not path:
            yield from _differences(before or {}, after or {}, f"{name}.")
        elif before != after:
            yield f"{path}{name}"


def page(users: Mapping[str, User], after: str, limit: int, search: str) -> list[User]:
    """Return the page of *users* that `Directory.users` promises."""
    wanted = search.casefold()
    names = sorted(name for name in users if name > after)
    found: Iterator[User] = (
        users[name]
        for name in names
        if not wanted or wanted in f"{name} {users[name].name} {users[name].address}".casefold()
    )
    return [user for _, user in zip(range(limit), found, strict=False)]


def company_from_environ(environ: Mapping[str, str], prefix: str, plugins: Plugins) -> Company:
    """Return the company that environment variables describe (see `MemoryDirectory.from_environ`)."""
    given = {
        name[len(prefix) :].lower(): value
        for name, value in environ.items()
        if name.startswith(prefix) and value
    }
    facts: dict[str, Any] = {name: given[name] for name in ("address", "name", "reply_to") if name in given}
    if "url" in given:
        found = Company.from_url(given["url"], address=facts.get("address", ""), name=facts.get("name", ""))
        return attrs.evolve(found, reply_to=facts.get("reply_to", ""))
    method = given.get("method", NONE)
    if method == NONE:
        return Company(**facts, typed_by=Role.DEPLOYER)
    table = _table_from_environ(given, method, prefix, plugins)
    return Company(**facts, method=method, methods={method: table}, typed_by=Role.DEPLOYER)


def _table_from_environ(
    given: Mapping[str, str], method: str, prefix: str, plugins: Plugins
) -> dict[str, Any]:
    start = f"{method}_"
    known = {field.name.replace(".", "_"): field for field in form(plugins[method].settings_class())}
    table: dict[str, Any] = {}
    for name, text in given.items():
        field = name.removeprefix(start)
        if not name.startswith(start):
            continue
        kind, place = (known[field].kind, known[field].name) if field in known else ("", field)
        if kind == "secret":
            put(table, place, {"env": f"{prefix}{name.upper()}"})
        elif kind == "list":
            put(table, place, [part.strip() for part in text.split(",")])
        else:
            put(table, place, text if kind in {"text", "choice"} else literal(text))
    return table
