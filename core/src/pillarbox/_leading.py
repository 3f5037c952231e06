"""Where the secrets of settings may go, and who may set what leads them there (rules 35 and 36)."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._schema import FormField, Problem, Role, Secret, at, form, joined


def destination(settings: Any, secret: str = "") -> dict[str, str]:
    """Return the values that a stored secret of these *settings* is bound to (rule 36), as text by field.

    Args:
        settings: An instance of a settings class.
        secret: The field of the secret, which may go elsewhere than the others.
    """
    fields = form(type(settings))
    elsewhere = next((field.goes_to for field in fields if field.name == secret), ())
    return _as_text(settings, elsewhere or _binding(fields, settings))


def everywhere(settings: Any) -> dict[str, str]:
    """Return all that says where secrets of these *settings* go, as text by field."""
    fields = form(type(settings))
    elsewhere = {name for field in fields for name in field.goes_to}
    return _as_text(settings, tuple(field.name for field in fields if field.binds or field.name in elsewhere))


def _as_text(settings: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: _plain_text(at(settings, name)) for name in names}


def _binding(fields: Sequence[FormField], settings: Any) -> tuple[str, ...]:
    """Return the fields that the secrets of *settings*, an instance or a table, are bound to, nested ones aside.

    A nested table without a secret of its own uses those of the account, so they are bound to where it leads as well.
    """
    return tuple(
        field.name for field in fields if field.binds and _uses_the_accounts(field, fields, settings)
    )


def _uses_the_accounts(field: FormField, fields: Sequence[FormField], settings: Any) -> bool:
    table, dot, _ = field.name.rpartition(".")
    if not dot:
        return True
    own = (one.name for one in fields if one.kind == "secret" and one.name.rpartition(".")[0] == table)
    return at(settings, table) is not None and all(at(settings, name) is None for name in own)


def _plain_text(value: Any) -> str:
    return str(value.value) if isinstance(value, enum.Enum) else str(value)


def not_allowed(
    cls: type, before: Mapping[str, Any], after: Mapping[str, Any], role: Role, path: str = ""
) -> list[Problem]:
    """Return a problem for each field that differs between two tables and that *role* may not set (rule 35).

    A secret that the deployer keeps in a variable or a file is not bound by a vault; so while the settings refer to
    it, where it goes is the deployer's to say as well.
    """
    changed = [field for field in form(cls) if at(before, field.name) != at(after, field.name)]
    theirs = [field for field in changed if role.may_act_as(_needed(field, after))]
    problems = [
        Problem(joined(path, field.name), f"can only be set by the {_needed(field, after).value}")
        for field in changed
        if field not in theirs
    ]
    unbound = [] if role is Role.DEPLOYER else [field for field in form(cls) if _is_deployers(field, after)]
    led = {name: secret.name for secret in reversed(unbound) for name in _led(cls, before, after, secret)}
    refused = [field for field in changed if field not in theirs]
    return problems + [
        Problem(joined(path, field.name), f"can only be set by the deployer, who keeps the {led[field.name]}")
        for field in form(cls)
        if field.name in led and field not in refused
    ]


def _led(cls: type, before: Mapping[str, Any], after: Mapping[str, Any], secret: FormField) -> Iterator[str]:
    """Give the fields by which *secret* goes elsewhere in *after* than in *before*."""
    then, now = ({name: at(one, name) for name in _leading(cls, one, secret)} for one in (before, after))
    yield from (name for name in {**then, **now} if then.get(name) != now.get(name))


def _leading(cls: type, table: Mapping[str, Any], secret: FormField) -> tuple[str, ...]:
    """Return the fields that say where *secret* goes: its own, those that bind, or all where none does."""
    fields = form(cls)
    others = tuple(field.name for field in fields if field.kind != "secret")
    return secret.goes_to or _binding(fields, table) or others


def _needed(field: FormField, table: Mapping[str, Any]) -> Role:
    return Role.DEPLOYER if _is_deployers(field, table) else field.set_by


def _is_deployers(field: FormField, table: Mapping[str, Any]) -> bool:
    """Whether *field* is a secret that *table* refers to a variable or a file for."""
    value = at(table, field.name)
    if field.kind != "secret":
        return False
    if isinstance(value, Secret):
        return not value.vault
    return isinstance(value, Mapping) and value.keys() != {"vault"}
