"""The options that a method's settings class brings: drawn from its fields, so that a third party's come for nothing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click
from click.core import ParameterSource

from .._errors import InvalidSettings, PillarboxError, SettingsError
from .._schema import FormField, form, unknown
from .._settings import NONE, Company, User, literal
from ._app import State

if TYPE_CHECKING:
    from .._plugins import Plugins

Record = Company | User
_METHOD = "pillarbox.cli.method"


@attrs.frozen
class Method:
    """The method that a command line is about.

    Attributes:
        label: What a person calls it.
        fields: Those of its settings class; none where the method is None or not known here.
    """

    label: str = ""
    fields: tuple[FormField, ...] = ()


class FieldOption(click.Option):
    """An option that sets a field of a method, or says where a secret one is found.

    Attributes:
        field: The field.
        reference: `env`, `file` or `vault` for a secret, else "".
    """

    def __init__(self, flags: str, field: FormField, *, reference: str = "", **named: Any) -> None:
        super().__init__([flags, f"field_{field.name.replace('.', '__')}_{reference}"], **named)
        self.field = field
        self.reference = reference


class RecordCommand(click.Command):
    """A command whose options include the fields of the method that it is about."""

    def find(self, state: State, named: Sequence[str]) -> Record | None:
        """Return the record that the command line, whose free words are *named*, is about; None where there is none."""
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the method, so that its options are known when the arguments are read."""
        given = list(args)
        ctx.meta[_METHOD] = self._method(ctx, args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError:
            self._refuse_secret_value(ctx, given)
            raise

    def _refuse_secret_value(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Don't repeat what stands behind a secret's flag: click would."""
        for option in self.field_options(ctx):
            flag = option.opts[0]
            behind = [after for one, after in itertools.pairwise(args) if one == flag]
            is_given = any(not word.startswith("-") for word in behind)
            if option.reference == "vault" and (is_given or any(one.startswith(f"{flag}=") for one in args)):
                what = option.field.label.lower()
                raise click.UsageError(f"{flag} takes no value: the {what} is asked for, hidden.", ctx)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and those of the method."""
        return [*super().get_params(ctx), *self.field_options(ctx)]

    def field_options(self, ctx: click.Context) -> list[FieldOption]:
        """Return the method's options, without those whose names the command itself uses (`--set` reaches these)."""
        taken = {flag for one in super().get_params(ctx) for flag in (*one.opts, *one.secondary_opts)}
        found = (option for field in method_of(ctx).fields for option in _options(field))
        return [option for option in found if not taken & {*option.opts, *option.secondary_opts}]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the method's, then those that are seldom needed."""
        own, label = super().get_params(ctx), method_of(ctx).label
        seldom = [option for option in self.field_options(ctx) if option.field.advanced]
        usual = [option for option in self.field_options(ctx) if not option.field.advanced]
        sections: Mapping[str, Sequence[click.Parameter]] = {
            "Options": own, f"{label} options": usual, f"{label} options, seldom needed": seldom
        }  # fmt: skip
        for title, options in sections.items():
            records = [record for option in options if (record := option.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def _method(self, ctx: click.Context, args: Sequence[str]) -> Method:
        method, named, wants_help = self._first_look(ctx, args)
        if method:
            return _known(ctx.obj, method)
        with contextlib.suppress(*((PillarboxError,) if wants_help else ())):
            record = self.find(ctx.obj, named)
            if record is not None and record.method in ctx.obj.plugins:
                return _known(ctx.obj, record.method)
        return Method()

    def _first_look(self, ctx: click.Context, args: Sequence[str]) -> tuple[str, list[str], bool]:
        """Return what stands behind `--method`, the words of no option of ours, and whether help is wanted.

        What is wrong with the line is told when it is read in full.
        """
        help_option = self.get_help_option(ctx)
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        try:
            given, words, _ = parser.parse_args(list(args))
        except click.UsageError:
            return "", [], bool(set(ctx.help_option_names) & {*args})
        words = [str(given.get("user") or ""), *words]
        return str(given.get("method") or ""), words, help_option is not None and help_option.name in given


class CompanyCommand(RecordCommand):
    """About the company."""

    def find(self, state: State, named: Sequence[str]) -> Record | None:
        """Return the company."""
        found: Company = state.mailer.directory.look_up(None)[0]
        return found


class UserCommand(RecordCommand):
    """About a user, who stands among the arguments."""

    def find(self, state: State, named: Sequence[str]) -> Record | None:
        """Return the first of *named* who is a user."""
        state.mailer.directory.look_up(None)
        for name in named:
            with contextlib.suppress(SettingsError):
                found: User | None = state.mailer.directory.look_up(name)[1]
                return found
        return None


def method_of(ctx: click.Context) -> Method:
    """Return the method that the command line of *ctx* is about."""
    found: Method = ctx.meta.get(_METHOD, Method())
    return found


def _known(state: State, name: str) -> Method:
    return Method() if name == NONE else described(state.plugins, name)


def described(plugins: Plugins, name: str) -> Method:
    """Return the method *name*.

    Raises:
        Unavailable: It is not installed here, or can't be loaded.
    """
    transport = plugins[name]
    return Method(transport.label or name, form(transport.settings_class()))


def flag_of(name: str) -> str:
    """Return the option that sets the field *name*."""
    return f"--{name.replace('_', '-').replace('.', '-')}"


def _options(field: FormField) -> Iterator[FieldOption]:
    flag = flag_of(field.name)
    if field.kind == "secret":
        yield from _secret_options(flag, field)
    elif field.kind == "boolean":
        yield FieldOption(f"{flag}/--no-{flag[2:]}", field, default=None, help=field.help)
    elif field.kind != "table":
        yield FieldOption(
            flag,
            field,
            type=_type(field),
            multiple=field.kind == "list",
            help=_help(field),
            metavar=_metavar(field),
        )


def _secret_options(flag: str, field: FormField) -> Iterator[FieldOption]:
    name = field.label.lower()
    yield FieldOption(
        flag,
        field,
        reference="vault",
        is_flag=True,
        help=f"Ask for the {name}, hidden, and keep it in the vault.",
    )
    yield FieldOption(
        f"{flag}-env", field, reference="env", metavar="NAME", help=f"The {name} is in this variable."
    )
    yield FieldOption(
        f"{flag}-file",
        field,
        reference="file",
        metavar="PATH",
        help=f"The {name} is in this file, which is asked for and written, owner-only, where there is none.",
    )


_TYPES: Mapping[str, Any] = {"integer": click.INT, "number": click.FLOAT}


def _type(field: FormField) -> Any:
    return click.Choice(field.choices) if field.kind == "choice" else _TYPES.get(field.kind, click.STRING)


def _metavar(field: FormField) -> str | None:
    return {"choice": None, "integer": "NUMBER", "number": "NUMBER"}.get(field.kind, "TEXT")


def _help(field: FormField) -> str:
    default = default_of(field)
    more = " Can be given again." if field.kind == "list" else ""
    return f"{field.help}{more}" + (f"  [default: {default}]" if default not in (None, "", ()) else "")


def default_of(field: FormField) -> Any:
    """Return the field's default as it stands in a settings file; None where there is none to show."""
    return None if field.required else getattr(field.default, "value", field.default)


def given_fields(ctx: click.Context) -> list[tuple[FieldOption, Any]]:
    """Return the method's options that stand on the command line, in their order there, with their values.

    Raises:
        UsageError: A secret is said to be in two places.
    """
    options = {one.name: one for one in ctx.command.get_params(ctx) if isinstance(one, FieldOption)}
    given = [
        (options[name], value)
        for name, value in ctx.params.items()
        if name in options and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    secrets = [one.field.name for one, _ in given if one.reference]
    twice = next((name for name in secrets if secrets.count(name) > 1), "")
    if twice:
        raise click.UsageError(f"Say once where the {twice} is.", ctx)
    return given


def assigned(text: str, fields: Sequence[FormField]) -> tuple[str, Any]:
    """Return the field and the value of FIELD=VALUE, the value as the field's kind has it."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name:
        raise click.UsageError(f"--set takes FIELD=VALUE, not {text!r}.")
    kind = next((field.kind for field in fields if field.name == name), "")
    return name, value_of(kind, value.strip())


def value_of(kind: str, text: str) -> Any:
    """Return *text*, typed by a person, as a field of *kind* has it; unreadable text as it is, for the class to refuse."""
    if kind in {"text", "choice", "secret"}:
        return text
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "number":
        with contextlib.suppress(ValueError):
            return float(text)
    return literal(text)


def to_unset(name: str, known: Iterable[str], path: str) -> str:
    """Return the field that `--unset` means.

    Raises:
        InvalidSettings: It is none of *known*; with a guess.
    """
    field, known = name.strip().replace("-", "_"), tuple(known)
    if field in known:
        return field
    raise InvalidSettings([str(unknown(path, field, known))], where="--unset")
