"""The questions of `pillarbox init`: what the company is, then the usual fields of its method, each checked at once."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from .._errors import InvalidSettings, PillarboxError
from .._records import record_problems
from .._schema import FormField, Problem, form, problems_of
from .._secrets import required
from .._settings import NONE, Company
from ._app import State
from ._fields import default_of, value_of
from ._output import say_aside
from ._secrets import Typed, ask_secret, secret_path

_SIGNS_IN = "authenticate"
"""The field that, set to no, leaves nothing to ask about signing in."""
_DIFFERS = "username_differs"
"""The field that lets the user name be another than the address (rule 16)."""


@attrs.define
class Answers:
    """What a person has answered.

    Attributes:
        own: The company's own settings.
        table: Those of its method.
        apps: The registration of its connector, by the connector's name.
        typed: The secrets.
    """

    own: dict[str, str]
    table: dict[str, Any] = attrs.field(factory=dict)
    apps: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    typed: list[Typed] = attrs.field(factory=list)

    @property
    def company_values(self) -> dict[str, Any]:
        """The settings as `Company` takes them."""
        method = self.own["method"]
        return {**self.own, "methods": {method: self.table} if method != NONE else {}}


def ask(state: State) -> Answers:
    """Return what a person answers about the company and its method."""
    say_aside("A few questions; empty takes what stands in brackets. Nothing is written before the last.\n")
    own = {
        "name": _ask("The company's name", "", _own_check("name")),
        "address": _ask("The company's e-mail address", None, _own_check("address")),
    }
    answers = Answers({**own, "method": _ask_method(state)})
    if answers.own["method"] != NONE:
        _ask_fields(state, answers)
        _ask_registration(state, answers)
    return answers


def _ask_method(state: State) -> str:
    found = state.plugins.describe()
    ready = [one.name for one in found if not one.problem]
    for one in found:
        if one.problem:
            say_aside(f"  ({one.name}: {one.problem[:1].lower()}{one.problem[1:]})")
    default = "smtp" if "smtp" in ready else NONE
    method: str = click.prompt("How it sends", type=click.Choice([NONE, *ready]), default=default, err=True)
    return method


def _ask_fields(state: State, answers: Answers) -> None:
    cls = state.plugins[answers.own["method"]].settings_class()
    for field in form(cls):
        if field.advanced or field.kind == "table":
            continue
        if answers.table.get(_SIGNS_IN) is False and (field.kind == "secret" or field.name == "username"):
            continue
        if field.kind == "secret":
            _ask_for_secret(state, answers, field)
        else:
            _ask_field(answers, field, cls)
        if field.name == "username":
            _ask_whether_it_differs(answers, form(cls))


def _ask_registration(state: State, answers: Answers) -> None:
    """Ask for the registration with the provider that signs the account in, where one does."""
    method = state.plugins[answers.own["method"]]
    name = str(answers.table.get("sign_in") or method.connector)
    if not name:
        return
    connector = state.plugins.connector(name)
    cls = connector.app_class()
    if cls is None:
        return
    say_aside(
        f"\n{connector.label or name} has to know this application: register it there once, and answer from that page."
    )
    table = answers.apps.setdefault(name, {})
    for field in form(cls):
        if field.kind == "secret":
            _ask_for_registered_secret(state, answers, name, field)
        elif not field.advanced and field.kind != "table":
            value = _asked_value(field, default_of(field), cls)
            if value not in ("", default_of(field)) or field.required:
                table[field.name] = value
    problems = problems_of(cls, table, f"apps.{name}")
    if problems:
        raise InvalidSettings(map(str, problems), where=f"apps.{name}")


def _ask_for_registered_secret(state: State, answers: Answers, name: str, field: FormField) -> None:
    """Ask for a secret of the registration, which is the deployer's: a file beside the settings keeps it."""
    if field.help:
        say_aside(f"  {field.help}")
    if not field.required and not click.confirm(f"Set {field.label.lower()}", default=False, err=True):
        return
    path = _file_beside(state, f"app-{name}", field.name)
    say_aside(f"  It is kept in {path}, owner-only.")
    answers.typed.append(Typed(field.name, ask_secret(field.label), path))
    answers.apps[name][field.name] = {"file": str(path)}


def _ask_whether_it_differs(answers: Answers, fields: Sequence[FormField]) -> None:
    field = next((field for field in fields if field.name == _DIFFERS), None)
    if field is not None and answers.table["username"] != answers.own["address"]:
        answers.table[_DIFFERS] = click.confirm(field.label, default=True, err=True)


def _ask_field(answers: Answers, field: FormField, cls: type) -> None:
    default = default_of(field)
    if field.name == "username":
        default = answers.own["address"]
    value = _asked_value(field, default, cls)
    if value not in ("", default) or field.required or field.name == "username":
        answers.table[field.name] = value


def _asked_value(field: FormField, default: Any, cls: type) -> Any:
    if field.kind == "boolean":
        return click.confirm(field.label, default=bool(default), err=True)
    if field.kind == "choice":
        return click.prompt(field.label, type=click.Choice(field.choices), default=default, err=True)
    shown = None if field.required else _shown(default)
    return _ask(field.label, shown, _field_check(field, cls), hint=field.help)


def _shown(default: Any) -> str:
    return "" if default in (None, ()) else str(default)


def _ask(text: str, default: str | None, check: Callable[[str], Any], *, hint: str = "") -> Any:
    if hint:
        say_aside(f"  {hint}")
    return click.prompt(text, default=default, value_proc=check, show_default=bool(default), err=True)


def _sentence(problem: Problem) -> str:
    return f"{problem.text[:1].upper()}{problem.text[1:]}".removesuffix(".") + "."


def _own_check(name: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        problems = record_problems(Company, {name: text.strip()}, "company")
        if problems:
            raise click.UsageError(_sentence(problems[0]))
        return text.strip()

    return check


def _field_check(field: FormField, cls: type) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        if not text.strip() and not field.required:
            return ""
        value = value_of(field.kind, text.strip())
        for problem in problems_of(cls, {field.name: value}):
            if problem.path == field.name:
                raise click.UsageError(_sentence(problem))
        return value

    return check


def _ask_for_secret(state: State, answers: Answers, field: FormField) -> None:
    """Ask for a secret; the vault keeps it, or, where none can, a file beside the settings."""
    path = (
        None
        if _vault_is_ready(state)
        else _file_beside(state, f"company-{answers.own['method']}", field.name)
    )
    say_aside(
        f"  The {field.label.lower()} is kept in {path or 'the vault'}{', owner-only' if path else ''}."
    )
    answers.typed.append(Typed(field.name, ask_secret(field.label), path))
    answers.table[field.name] = {"file": str(path)} if path else {"vault": answers.own["method"]}


def _vault_is_ready(state: State) -> bool:
    with contextlib.suppress(PillarboxError):
        required(state.vault)
        return True
    return False


def _file_beside(state: State, what: str, field: str) -> Path:
    """Return a path beside the settings file where there is nothing yet."""
    config = Path(state.config)
    first = f"{config.stem}.{what}-{field}"
    names = itertools.chain([first], (f"{first}-{number}" for number in itertools.count(2)))
    paths = (secret_path(str(config.with_name(name))) for name in names)
    return next(path for path in paths if not os.path.lexists(path))
