"""A record as plain values, and back: what a file, a form and a history share."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NoReturn

import attrs

from ._accounts import Transports, path_of
from ._errors import InvalidSettings, PillarboxError
from ._leading import everywhere, not_allowed
from ._schema import Problem, Role, problems_of, structure, unstructure
from ._settings import (
    COMPANY_KEYS,
    KEYS,
    USER_KEYS,
    Actor,
    Choice,
    Company,
    User,
    plain_settings,
    table_of,
)

_CHOICES = {one.value: one for one in Choice}
_ROLES = {one.value: one for one in Role}


def record_of(
    cls: type[Company | User], values: Mapping[str, Any], methods: Mapping[str, Any], **given: Any
) -> Company | User:
    """Return the record of *values*, in which `record_problems` has found nothing wrong.

    Args:
        cls: Company or User.
        values: What stands in a settings file beside the methods.
        methods: The tables of the methods, or their structured settings.
        given: Attributes that do not stand in the file: a user's id.
    """
    own = dict(values)
    own["typed_by"] = _ROLES[own.get("typed_by", "deployer")]
    if "settings" in own:
        own["choice"] = _CHOICES[own.pop("settings")]
    return cls(**own, **given, methods=methods)


def record_problems(cls: type[Company | User], table: Mapping[str, Any], path: str) -> list[Problem]:
    """Return all that is wrong with *table* as a record of *cls*; its methods' tables are not looked into."""
    from ._schema import unknown

    known = COMPANY_KEYS if cls is Company else USER_KEYS
    scalars = {key: value for key, value in table.items() if not isinstance(value, Mapping) or key in KEYS}
    problems = [unknown(path, key, known) for key in scalars if key not in known and key != "typed_by"]
    fields = {
        "choice" if key == "settings" else key: value
        for key, value in scalars.items()
        if key in {*known, "typed_by"}
    }
    needed: dict[str, Any] = {} if cls is Company else {"id": "placeholder"}
    found = problems_of(cls, {**needed, **fields}, path)
    return problems + [
        attrs.evolve(one, path=one.path.replace(f"{path}.choice", f"{path}.settings")) for one in found
    ]


def refuse_actor(record: Company | User, by: Actor) -> None:
    """Raise InvalidSettings where *by* has no business with *record*: an owner's own record is all they may change.

    Raises:
        InvalidSettings: It is the company's, or another user's, and *by* is no administrator.
    """
    if by.role.may_act_as(Role.ADMINISTRATOR) or (isinstance(record, User) and record.id == by.name):
        return
    whose = "an administrator" if isinstance(record, Company) else f"{record.id} or an administrator"
    _refuse(path_of(record), f"can only be set by {whose}, not by {by.name}")


def refuse_unless_administrator(user: str, by: Actor) -> None:
    """Raise InvalidSettings where *by* may not add, rename or remove users (rule 7)."""
    if not by.role.may_act_as(Role.ADMINISTRATOR):
        _refuse(
            f"users.{user}", f"can only be added, renamed or removed by an administrator, not by {by.name}"
        )


def _refuse(path: str, text: str) -> NoReturn:
    raise InvalidSettings([str(Problem(path, text))], where=path)


def not_allowed_changes(
    before: Company | User | None, after: Company | User, role: Role, transports: Transports
) -> list[Problem]:
    """Return a problem for each change from *before* to *after* that *role* may not make (rule 35)."""
    old, new = (table_of(one) if one else {} for one in (before, after))
    path = path_of(after)
    changed = [key for key in _NEEDED if old.get(key) != new.get(key)]
    problems = [
        Problem(f"{path}.{key}", f"can only be set by {_WHO[_NEEDED[key]]}")
        for key in changed
        if not role.may_act_as(_NEEDED[key])
    ]
    for method in after.methods:
        if role is not Role.DEPLOYER:
            problems += _method_changes(method, before, after, role, transports)
    return problems


_NEEDED = {
    "address": Role.ADMINISTRATOR,
    "name": Role.ADMINISTRATOR,
    "disabled": Role.ADMINISTRATOR,
    "reply_to": Role.ADMINISTRATOR,
    "id": Role.DEPLOYER,  # the vault knows a company by it
}
_WHO = {Role.ADMINISTRATOR: "an administrator", Role.DEPLOYER: "the deployer"}


def _method_changes(
    method: str, before: Company | User | None, after: Company | User, role: Role, transports: Transports
) -> list[Problem]:
    path = f"{path_of(after)}.{method}"
    old, new = (plain_settings(one.methods.get(method, {})) if one else {} for one in (before, after))
    if old == new:
        return []
    try:
        cls = transports[method].settings_class()
    except (PillarboxError, KeyError):
        return [Problem(path, "can only be set by the deployer while the method is not installed")]
    return not_allowed(cls, _effective(cls, old), _effective(cls, new), role, path)


def _effective(cls: type, table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *table* as it works, so that a default that is written out is no change; as it stands where it can't be used."""
    try:
        return unstructure(structure(cls, table))
    except InvalidSettings:
        return table


def structured(
    record: Company | User, before: Company | User | None, transports: Transports
) -> Company | User:
    """Return *record* with the settings of those methods structured that differ from *before*'s.

    Raises:
        InvalidSettings: They can't be used.
    """
    methods = {
        method: settings
        if before is not None and before.methods.get(method) == settings
        else _structured(method, settings, path_of(record), transports)
        for method, settings in record.methods.items()
    }
    return attrs.evolve(record, methods=methods)


def _structured(method: str, settings: Any, path: str, transports: Transports) -> Any:
    try:
        cls = transports[method].settings_class()
    except (PillarboxError, KeyError):
        return settings
    return structure(cls, settings, f"{path}.{method}")


def typed_by(before: Company | User | None, after: Company | User, by: Actor, transports: Transports) -> Role:
    """Return who typed what *after*'s methods connect to, *by* having made it of *before* (rule 38).

    Whoever changes a password does not type the server anew; and whoever types one server does not vouch for another.
    """
    if before is None:
        return by.role
    changed = {
        method
        for method in after.methods
        if _leads(after, method, transports) != _leads(before, method, transports)
    }
    if not changed:
        return before.typed_by
    return by.role if changed == set(after.methods) else max(by.role, before.typed_by, key=list(Role).index)


def _leads(record: Company | User, method: str, transports: Transports) -> Mapping[str, Any]:
    """Return where the secrets of a record's *method* go; all its settings where that is not known."""
    settings = record.methods.get(method, {})
    with contextlib.suppress(InvalidSettings):
        settings = _structured(method, settings, "", transports)
    bound = everywhere(settings) if attrs.has(type(settings)) else {}
    return bound or plain_settings(settings)
