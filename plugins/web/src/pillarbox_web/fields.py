"""A method's settings class as the controls of a form, and what was typed into them as a table of settings."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pillarbox import Role, Secret
from pillarbox.settings import FormField, at, defaults, form, put, take_out

LONGEST_TEXT = 4_000
"""Characters of one field."""


@attrs.frozen(kw_only=True)
class Control:
    """One control of a form.

    Attributes:
        field: What it sets.
        name: The control's, `smtp.server`.
        value: What it shows; never a secret.
        placeholder: What the field would be if it is left empty.
        problem: What is wrong with it, a sentence, or "".
        kept: For a secret: where it is kept, in words, or "".
        is_typed: For a secret: whether it was typed a moment ago and is remembered.
    """

    field: FormField
    name: str
    value: str = ""
    placeholder: str = ""
    problem: str = ""
    kept: str = ""
    is_typed: bool = False

    @property
    def id(self) -> str:
        """Its id in the page."""
        return self.name.replace(".", "-")


def editable(cls: type, role: Role) -> tuple[FormField, ...]:
    """Return the fields of *cls* that somebody in *role* may set, and that a form can hold."""
    return tuple(one for one in form(cls) if one.kind != "table" and role.may_act_as(one.set_by))


def controls(
    method: str, cls: type, table: Mapping[str, Any], role: Role, address: str, typed: Mapping[str, str]
) -> Iterator[Control]:
    """Yield the controls for *table*, settings of *cls*; *typed* are names of secrets that are remembered."""
    otherwise = defaults(cls, table)
    for one in editable(cls, role):
        value = at(table, one.name)
        yield Control(
            field=one,
            name=f"{method}.{one.name}",
            value=_shown(one, value, address),
            placeholder=_text(at(otherwise, one.name)),
            kept=_kept(value) if one.kind == "secret" else "",
            is_typed=one.name in typed,
        )


def _shown(field: FormField, value: Any, address: str) -> str:
    if field.kind == "secret":
        return ""
    if value is None and field.name == "username":
        return address  # it has to be the owner's own (rule 16) unless they say that it differs
    if value is None and field.kind in {"boolean", "choice"}:
        value = field.default
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return str(getattr(value, "value", value))


def _kept(value: Any) -> str:
    if not value:
        return ""
    found = value if isinstance(value, Secret) else Secret(**value)
    return "vault" if found.vault else "env" if found.env else "file"


def read(
    method: str, cls: type, before: Mapping[str, Any], role: Role, typed: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the table of settings that *typed*, a form, makes of *before*; and problems, by field.

    What the form may not hold stays as it was. A secret stands in neither: see `secrets_in`.
    """
    table, problems = copy.deepcopy(dict(before)), {}
    for one in editable(cls, role):
        text = typed.get(f"{method}.{one.name}")
        if text is None or one.kind == "secret":
            continue
        try:
            value = _value(one, text.strip())
        except ValueError as error:
            problems[one.name] = str(error)
            continue
        is_default = one.kind in {"boolean", "choice"} and value == _plain(one.default)
        if value is None or (is_default and at(before, one.name) is None):
            take_out(table, one.name)
        else:
            put(table, one.name, value)
    return _without_empty(table), problems


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value != {}}


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _value(field: FormField, text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has more than {LONGEST_TEXT:,} characters")
    if field.kind == "boolean":
        return text == "yes"
    if not text:
        return None
    if field.kind in {"integer", "number"}:
        try:
            return int(text) if field.kind == "integer" else float(text.replace(",", "."))
        except ValueError:
            raise ValueError("must be a number") from None
    if field.kind == "list":
        return [part.strip() for part in text.replace(",", "\n").splitlines() if part.strip()]
    return text


def secrets_in(method: str, cls: type, role: Role, typed: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that were typed, by field: blank keeps what is kept."""
    found = {}
    for one in editable(cls, role):
        if one.kind == "secret" and (text := typed.get(f"{method}.{one.name}", "")):
            found[one.name] = text
    return found


def reference(method: str, field: FormField) -> dict[str, str]:
    """Return what the settings say of a secret that the vault keeps; one that goes elsewhere has an entry of its own."""
    end = f"-{field.name.replace('.', '-').replace('_', '-')}" if field.goes_to else ""
    return {"vault": f"{method}{end}"}
