"""Changing a record from the command line: planned, checked whole, then saved with its secrets, then told."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from .._accounts import path_of
from .._directory import prepared
from .._errors import InvalidSettings, PillarboxError, SettingsError
from .._records import record_problems
from .._schema import Role, problems_of, put, take_out
from .._settings import NONE, Actor, Choice, Company, User, plain_settings, table_of
from ._app import State
from ._errors import facts, in_words
from ._fields import assigned, flag_of, given_fields, method_of, to_unset
from ._output import print_json, say
from ._secrets import ask_for, kept, reference

if TYPE_CHECKING:
    from .._route import Route
    from .._schema import Problem

R = TypeVar("R", Company, User)
F = TypeVar("F", bound=Callable[..., Any])
_OWN = ("address", "name", "method", "reply_to", "settings", "disabled")
"""A record's own options, by their names in the settings file."""


def actor() -> Actor:
    """Return who changes settings here: whoever can write the file is its deployer."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "somebody"
    return Actor(name, Role.DEPLOYER)


def record_options(function: F) -> F:
    """Give a command what every record has: its own options, `--set` and `--unset`."""
    options = (
        click.option("--address", metavar="ADDRESS", help="The e-mail address that is shown."),
        click.option("--name", metavar="NAME", help="The name shown with it."),
        click.option("--method", metavar="METHOD", help="none, smtp, m365, gmail, mapi, or a third party's."),
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="FIELD=VALUE",
            help="Set any field of the method. Can be given again.",
        ),
        click.option(
            "--unset",
            multiple=True,
            metavar="FIELD",
            help="Put a field of the method back to its default. Can be given again.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def move_option(function: F) -> F:
    """Give a command `--move`."""
    return click.option(
        "--move/--no-move",
        default=None,
        help="Let mail that waits go by the account as it is now, where it may; asked at a terminal.",
    )(function)


def change(
    ctx: click.Context,
    before: R | None,
    record: R,
    given: Mapping[str, Any],
    write: Callable[[R], Any],
    *,
    next_steps: bool = True,
) -> R:
    """Change *record* by what was *given* on the command line, *write* it, say what will happen, and return it.

    Secrets are asked for when everything else is known to be good; nothing is written on a problem.

    Args:
        ctx: The command's context.
        before: The record as it is kept now; None for a new one.
        record: What to start from.
        given: The command's parameters.
        write: Saves the record.
        next_steps: Whether to say what has to be done before the account can be used.

    Raises:
        InvalidSettings: With every problem at once.
        SettingsError, Unavailable: As they say.
    """
    state: State = ctx.obj
    after = planned(ctx, record, given)
    company = after if isinstance(after, Company) else state.mailer.directory.look_up(None)[0]
    prepared(before, after, before.version if before else "", actor(), company, state.plugins)
    typed = ask_for(state, given_fields(ctx))
    is_changed = before is None or table_of(before) != table_of(after)
    with kept(state, after, typed):
        if is_changed:
            write(after)
    if is_changed or typed:
        state.mailer.mended(after)
    told(
        state,
        after,
        is_changed=is_changed or bool(typed),
        move=given.get("move"),
        next_steps=next_steps,
    )
    return after


def planned(ctx: click.Context, record: R, given: Mapping[str, Any]) -> R:
    """Return *record* as the command line wants it; nothing is asked or written.

    Raises:
        InvalidSettings: With every problem at once.
        SettingsError: The method is None, and a field of it was given.
    """
    own = {key: given[key] for key in _OWN if given.get(key) is not None}
    method = str(own.get("method", record.method))
    table = _table(ctx, record, method, given)
    _refuse(_problems(ctx, record, own, method, table), record, method)
    values = {key: value for key, value in own.items() if key != "settings"}
    if "settings" in own:
        values["choice"] = Choice(own["settings"])
    if table is not None:
        values["methods"] = {**record.methods, method: table}
    return attrs.evolve(record, **values)


def _table(
    ctx: click.Context, record: Company | User, method: str, given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the settings of *method* as they are to be, plain; None where nothing is said about them."""
    options, fields = given_fields(ctx), method_of(ctx).fields
    said = bool(options or given["assignments"] or given["unset"])
    if method == NONE and said:
        raise SettingsError("The method is None, which has no settings.", cure="Add --method smtp.")
    if method == NONE or not (said or method not in record.methods):
        return None
    table = plain_settings(record.methods.get(method, {}))
    for option, value in options:
        put(table, option.field.name, reference(option, value, method) if option.reference else _plain(value))
    for text in given["assignments"]:
        put(table, *assigned(text, fields))
    known = {*table, *(field.name for field in fields)}
    for name in given["unset"]:
        take_out(table, to_unset(name, known, f"{path_of(record)}.{method}"))
    return table


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _problems(
    ctx: click.Context,
    record: Company | User,
    own: Mapping[str, Any],
    method: str,
    table: Mapping[str, Any] | None,
) -> list[Problem]:
    path = path_of(record)
    rest = {key: value for key, value in table_of(record).items() if not isinstance(value, Mapping)}
    problems = record_problems(type(record), {**rest, **own}, path)
    if table is not None and method_of(ctx).fields:
        cls = ctx.obj.plugins[method].settings_class()
        problems += problems_of(cls, table, f"{path}.{method}")
    return problems


def _refuse(problems: list[Problem], record: Company | User, method: str) -> None:
    if problems:
        error = InvalidSettings(map(str, problems), where=path_of(record))
        command = "company set" if isinstance(record, Company) else f"user set {record.id}"
        options = "" if method == NONE else f" --method {method}"
        error.cure = f"What there is to set: pillarbox {command}{options} --help"
        raise error


def told(
    state: State,
    record: Company | User,
    *,
    is_changed: bool = True,
    move: bool | None = None,
    next_steps: bool = True,
) -> None:
    """Print what became of *record*, what would happen with its mail, and what becomes of that which waits (rule 27)."""
    from . import _moves
    from ._connecting import advice
    from .explain import as_json, headline

    user = record.id if isinstance(record, User) else None
    try:
        route, refusal = state.mailer.explain(user), None
    except PillarboxError as error:
        route, refusal = None, error
    steps = advice(state.mailer, record)
    warnings = [] if route is None else [*route.warnings, *_secret_warnings(state, route, record)]
    if state.json:
        waiting = _moves.waiting_of(state, record)
        moved = _moves.move_all(state, waiting) if move else []
        result = {"saved": path_of(record), "changed": is_changed, "route": route and as_json(route)}
        result["waiting"] = _moves.as_json(waiting, moved)
        print_json({**result, "warnings": warnings, "next": steps, "problem": refusal and facts(refusal)})
        return
    path = path_of(record)
    say(f"Saved {path} in {state.config}." if is_changed else f"Nothing to change: {path} is like that.")
    if route is not None:
        say(headline(state.mailer, route, record))
    elif refusal is not None:
        say(in_words(refusal))
    for warning in warnings:
        say(f"Warning: {warning}")
    for step in steps if next_steps else ():
        say(f"Next: {step}")
    waiting = _moves.waiting_of(state, record)
    if waiting:
        _moves.show_waiting(waiting)
        if _moves.wants_to_move(waiting, move):
            say(f"Moved {len(_moves.move_all(state, waiting)):,}.")
        else:
            say("Nothing was moved; a worker holds them. Look: pillarbox outbox --state held")


def _secret_warnings(state: State, route: Route, record: Company | User) -> list[str]:
    """Return a warning for each secret that is not released to where the account goes now (rule 36)."""
    if state.vault is None or route.account.owner != record.owner:
        return []
    command = "company set" if isinstance(record, Company) else f"user set {record.id}"
    return [
        f"The vault holds no {field} for these settings. Enter it: pillarbox {command} {flag_of(field)}"
        for field in state.mailer.lacking_secrets(record)
    ]
