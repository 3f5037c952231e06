"""A record as plain values, and back: what a file, a form and a history share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import PillarboxError
from ._schema import Problem, Role, not_allowed, problems_of
from ._settings import COMPANY_KEYS, KEYS, USER_KEYS, Choice, Company, User, plain_settings, table_of

if TYPE_CHECKING:
    from ._transports import Transport

_BY_ADMINISTRATOR = ("address", "name", "disabled", "reply_to", "id")


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


def not_allowed_changes(
    before: Company | User | None,
    after: Company | User,
    role: Role,
    transports: Mapping[str, type[Transport]],
) -> list[Problem]:
    """Return a problem for each change from *before* to *after* that *role* may not make (rule 35)."""
    old, new = (table_of(one) if one else {} for one in (before, after))
    path = "company" if isinstance(after, Company) else f"users.{after.id}"
    changed = [key for key in _BY_ADMINISTRATOR if old.get(key) != new.get(key)]
    refused = changed if isinstance(after, User) and not role.may_act_as(Role.ADMINISTRATOR) else []
    problems = [Problem(f"{path}.{key}", "can only be set by an administrator") for key in refused]
    for method in after.methods:
        tables = [
            plain_settings(one.methods[method]) if one and method in one.methods else {}
            for one in (before, after)
        ]
        problems += _method_changes(method, tables[0], tables[1], role, transports, f"{path}.{method}")
    return problems


def _method_changes(
    method: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    role: Role,
    transports: Mapping[str, type[Transport]],
    path: str,
) -> list[Problem]:
    if role is Role.DEPLOYER or old == new:
        return []
    try:
        cls = transports[method].settings_class()
    except PillarboxError:
        return [Problem(path, "can only be set by the deployer while the method is not installed")]
    return not_allowed(cls, old, new, role, path)
