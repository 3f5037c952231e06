"""A record as plain values, and back: what a file, a form and a history share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import PillarboxError
from ._schema import Problem, Role, not_allowed, problems_of, unstructure
from ._settings import Choice, Company, User

if TYPE_CHECKING:
    from ._transports import Transport

_SHARED = {"address": "", "name": "", "method": "none"}
COMPANY_KEYS = {**_SHARED, "reply_to": "", "id": "company"}
USER_KEYS = {**_SHARED, "settings": "company", "disabled": False}
KEYS = {*COMPANY_KEYS, *USER_KEYS, "typed_by"}
_BY_ADMINISTRATOR = ("address", "name", "disabled", "reply_to", "id")


def table_of(record: Company | User) -> dict[str, Any]:
    """Return *record* as plain values, as it stands in a settings file, without what equals its default."""
    values: dict[str, Any] = attrs.asdict(record, recurse=False)
    if isinstance(record, User):
        values["settings"] = record.choice.value
    known = COMPANY_KEYS if isinstance(record, Company) else USER_KEYS
    table = {key: values[key] for key, default in known.items() if values[key] != default}
    if record.typed_by is not Role.DEPLOYER:
        table["typed_by"] = record.typed_by.value
    return table | {method: plain_settings(settings) for method, settings in record.methods.items()}


def plain_settings(settings: Any) -> dict[str, Any]:
    """Return one method's settings as plain values, whether structured yet or not."""
    if isinstance(settings, Mapping):
        return {
            key: (unstructure(value) if attrs.has(type(value)) else value) for key, value in settings.items()
        }
    return unstructure(settings)


def version_of(record: Company | User) -> str:
    """Return a name for the state of *record*: equal for equal settings."""
    text = json.dumps(table_of(record), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def record_of(cls: type[Company | User], table: Mapping[str, Any], **given: Any) -> Company | User:
    """Return the record in *table*, which `record_problems` has found to be without one.

    Args:
        cls: Company or User.
        table: As in a settings file.
        given: Attributes that do not stand in the table: a user's id.
    """
    values: dict[str, Any] = {key: value for key, value in table.items() if key in KEYS}
    if "settings" in values:
        values["choice"] = Choice(values.pop("settings"))
    values["typed_by"] = Role(values.get("typed_by", "deployer"))
    methods = {key: value for key, value in table.items() if key not in KEYS}
    return cls(**values, **given, methods=methods)


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
