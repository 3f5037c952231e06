"""Changing a record from the command line: its own options, and those of its method's settings class."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from .._accounts import path_of
from .._errors import PillarboxError, SettingsError, Unavailable
from .._schema import FormField, Role, form
from .._settings import NONE, Actor, Company, User, literal, plain_settings
from ._app import State
from ._output import print_json, say

Record = Company | User
R = TypeVar("R", Company, User)
F = TypeVar("F", bound=Callable[..., Any])
FIELD = "field__"
REFERENCE = "__"
_TAKEN = frozenset(
    {"address", "name", "method", "settings", "reply_to", "disabled", "set", "unset", "json", "help", "yes"}
)
NO_VAULT = (
    "Install a vault with: pip install pillarbox-vault. Or keep the secret yourself and refer to it:"
    " --{option}-env NAME, or --{option}-file PATH (made for you, owner-only)"
)


def actor() -> Actor:
    """Return who changes settings here: whoever can write the file is its deployer."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "somebody"
    return Actor(name, Role.DEPLOYER)


class RecordCommand(click.Command):
    """A command whose options include the fields of the method that it is about."""

    find: Callable[[State, Sequence[str]], Record | None]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Add the method's options before the arguments are read."""
        method = _method_in(args) or self._current_method(ctx, args)
        self.params = [*self._own_params, *_options(_fields_of(ctx, method))]
        ctx.meta["method"] = method
        return super().parse_args(ctx, args)

    @property
    def _own_params(self) -> list[click.Parameter]:
        return [param for param in self.params if not (param.name or "").startswith(FIELD)]

    def _current_method(self, ctx: click.Context, args: Sequence[str]) -> str:
        wants_help = bool({"--help", "-h"} & set(args))
        with contextlib.suppress(*((PillarboxError,) if wants_help else ())):
            record = type(self).find(ctx.obj, args)
            return record.method if record else ""
        return ""


class CompanyCommand(RecordCommand):
    """About the company."""

    @staticmethod
    def find(state: State, args: Sequence[str]) -> Record | None:  # noqa: ARG004  (as for users)
        """Return the company."""
        found: Company = state.mailer.directory.look_up(None)[0]
        return found


class UserCommand(RecordCommand):
    """About a user, who stands among the arguments."""

    @staticmethod
    def find(state: State, args: Sequence[str]) -> Record | None:
        """Return the user whose id stands among *args*."""
        for arg in args:
            if not arg.startswith("-"):
                with contextlib.suppress(SettingsError):
                    found: User | None = state.mailer.directory.look_up(arg)[1]
                    return found
        return None


def _method_in(args: Sequence[str]) -> str:
    for position, arg in enumerate(args):
        if arg == "--method" and position + 1 < len(args):
            return args[position + 1]
        if arg.startswith("--method="):
            return arg.partition("=")[2]
    return ""


def _fields_of(ctx: click.Context, method: str) -> tuple[FormField, ...]:
    if method in {"", NONE}:
        return ()
    try:
        plugins = ctx.obj.mailer.plugins
    except PillarboxError:
        from .._plugins import Plugins

        plugins = Plugins()
    return form(plugins[method].settings_class())


def _options(fields: Sequence[FormField]) -> Iterator[click.Option]:
    for field in fields:
        if field.name in _TAKEN:
            continue
        flag = f"--{field.name.replace('_', '-')}"
        if field.kind == "secret":
            yield click.Option(
                [flag, FIELD + field.name], is_flag=True, help=f"{field.help} Asked for, hidden."
            )
            yield click.Option(
                [f"{flag}-env", f"{FIELD}{field.name}__env"],
                metavar="NAME",
                help="... it is in this variable.",
            )
            yield click.Option(
                [f"{flag}-file", f"{FIELD}{field.name}__file"],
                metavar="PATH",
                help="... it is in this owner-only file; asked for and written where there is none.",
            )
        elif field.kind == "boolean":
            yield click.Option([f"{flag}/--no-{flag[2:]}", FIELD + field.name], default=None, help=field.help)
        else:
            yield click.Option(
                [flag, FIELD + field.name],
                type=_type(field),
                multiple=field.kind == "list",
                help=_help(field),
            )


def _type(field: FormField) -> Any:
    if field.kind == "choice":
        return click.Choice(field.choices)
    return {"integer": click.INT, "number": click.FLOAT}.get(field.kind, click.STRING)


def _help(field: FormField) -> str:
    default = getattr(field.default, "value", field.default)
    return f"{field.help} [default: {default}]" if default not in {None, "", ()} else field.help


def record_options(function: F) -> F:
    """Give a command what `changed` takes: the record's own options, `--set` and `--unset`."""
    options = (
        click.option("--address", metavar="ADDRESS", help="The e-mail address that is shown."),
        click.option("--name", metavar="NAME", help="The name shown with it."),
        click.option("--method", metavar="METHOD", help="none, smtp, m365, gmail, mapi, or a third party's."),
        click.option(
            "--set", "assignments", multiple=True, metavar="FIELD=VALUE", help="Set any field of the method."
        ),
        click.option(
            "--unset", "unset", multiple=True, metavar="FIELD", help="Put a field back to its default."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def changed(ctx: click.Context, record: R, given: Mapping[str, Any]) -> R:
    """Return *record* with what was *given* on the command line; secrets are asked for and kept.

    Raises:
        SettingsError, Unavailable: As it says there; nothing was changed.
    """
    own = {key: value for key, value in given.items() if value is not None and key in _OWN}
    record = attrs.evolve(record, **own)
    table = _table(record, given, record.method)
    if table is not None:
        record = attrs.evolve(record, methods={**record.methods, record.method: table})
        record = _with_secrets(ctx.obj, record, given)
    elif any(given[key] for key in ("assignments", "unset")):
        raise SettingsError("The method is None, which has no settings.", cure="Add --method smtp.")
    return record


_OWN = frozenset({"address", "name", "method", "reply_to", "choice", "disabled"})


def _table(record: Record, given: Mapping[str, Any], method: str) -> dict[str, Any] | None:
    if method == NONE:
        return None
    table = plain_settings(record.methods.get(method, {}))
    for key, value in given.items():
        name, _, reference = key.removeprefix(FIELD).partition(REFERENCE)
        if not key.startswith(FIELD) or value is None or value == ():
            continue
        if reference == "env":
            table[name] = {"env": value}
        elif not reference and not _is_secret(given, name):
            table[name] = list(value) if isinstance(value, tuple) else value
    table |= dict(map(_assigned, given["assignments"]))
    for name in given["unset"]:
        table.pop(name.replace("-", "_"), None)
    return table


def _is_secret(given: Mapping[str, Any], name: str) -> bool:
    return f"{FIELD}{name}__env" in given


def _assigned(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"--set takes FIELD=VALUE, not {text!r}.")
    return name.replace("-", "_"), literal(value)


def _with_secrets(state: State, record: R, given: Mapping[str, Any]) -> R:
    for key in given:
        name, _, reference = key.removeprefix(FIELD).partition(REFERENCE)
        if not key.startswith(FIELD) or not given[key]:
            continue
        if reference == "file":
            record = _referring(record, name, {"file": str(secret_file(Path(given[key]), name))})
        elif not reference and _is_secret(given, name):
            record = _in_vault(state, record, name)
    return record


def _referring(record: R, field: str, reference: Mapping[str, str]) -> R:
    table = {**plain_settings(record.methods[record.method]), field: dict(reference)}
    return attrs.evolve(record, methods={**record.methods, record.method: table})


def _in_vault(state: State, record: R, field: str) -> R:
    mailer = state.mailer
    if mailer.vault is None:
        raise Unavailable(
            "There is no vault to keep it in.", cure=NO_VAULT.format(option=field.replace("_", "-"))
        )
    record = _referring(record, field, {"vault": record.method})
    mailer.keep_secret(record, field, ask_secret(field))
    return record


def secret_fields(state: State, record: Record) -> list[str]:
    """Return the names of the secrets that *record*'s method has."""
    cls = state.mailer.plugins[record.method].settings_class() if record.method != NONE else None
    return [field.name for field in form(cls) if field.kind == "secret"] if cls else []


def secret_file(path: Path, what: str) -> Path:
    """Return *path*, absolute; where there is no such file, ask for the secret and write it, owner-only."""
    path = path.expanduser().absolute()
    if path.exists():
        return path
    value = ask_secret(what)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"{path} can't be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value + "\n")
    return path


def ask_secret(what: str) -> str:
    """Return a secret that is typed hidden, twice; or one line of standard input where that is no terminal."""
    title = what.replace("_", " ").capitalize()
    if sys.stdin.isatty():
        typed = click.prompt(title, hide_input=True, confirmation_prompt=True, err=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise click.UsageError(f"No {what} was given.")
    return str(typed)


def save(ctx: click.Context, record: Record, before: Record | None) -> None:
    """Keep *record*, and say what will happen with its mail now."""
    directory = ctx.obj.mailer.directory
    directory.save(record, version=before.version if before else "", by=actor())
    told(ctx, record)


def told(ctx: click.Context, record: Record) -> None:
    """Print what became of *record*, and what would happen with its mail."""
    from .explain import as_json, headline

    user = record.id if isinstance(record, User) else None
    try:
        route, refusal = ctx.obj.mailer.explain(user), None
    except PillarboxError as error:
        route, refusal = None, error
    if ctx.obj.json:
        print_json(
            {"saved": path_of(record), "route": route and as_json(route), "problem": refusal and str(refusal)}
        )
        return
    say(f"Saved {path_of(record)} in {ctx.obj.config}.")
    if route is not None:
        say(headline(route, record))
        for warning in route.warnings:
            say(f"Warning: {warning}")
    else:
        say(str(refusal))
