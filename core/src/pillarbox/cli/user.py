"""`pillarbox user`: each user's e-mail setting."""

from __future__ import annotations

import functools
import shlex
from typing import Any

import click

from .._errors import SettingsError
from .._settings import NONE, Choice, User
from .._status import counted
from ._app import State
from ._connecting import connect, connect_options, disconnect
from ._fields import UserCommand
from ._output import json_option, plain, print_json, print_table, say, say_aside
from ._record import F, actor, change, move_option, record_options
from .company import print_record


@click.group("user")
def command() -> None:
    """List, show, add, change, connect, rename or remove users.

    \b
    Examples:
      pillarbox user list --search berg
      pillarbox user add anna --address anna@acme.example --name "Anna Berg"
    """


def user_options(function: F) -> F:
    """Give a command what a user has beside a record's options."""
    choices = click.Choice([one.value for one in Choice])
    options = (
        click.option("--settings", type=choices, help="company: From company; personal: their own method."),
        click.option(
            "--disabled/--no-disabled", default=None, help="Switch the personal account off, or on again."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return record_options(function)


@command.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only those whose id, name or address holds TEXT.")
@click.option("--after", default="", metavar="ID", help="Start behind this id.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many to list."
)
@json_option
@click.pass_obj
def list_(state: State, search: str, after: str, limit: int) -> None:
    """List users and their e-mail settings, by id.

    \b
    Examples:
      pillarbox user list
      pillarbox user list --search acme.example --limit 20
    """
    users = state.mailer.directory.users(after, limit + 1, search)
    shown, more = users[:limit], users[limit:]
    if state.json:
        print_json([_row(user) for user in shown])
        return
    if not shown:
        say(
            "No user fits."
            if search or after
            else "No users. Add one: pillarbox user add USER --address ADDRESS"
        )
        return
    rows = [(user.id, user.name or "-", user.address or "-", _setting(user)) for user in shown]
    print_table(("user", "name", "address", "e-mail setting"), rows)
    if more:
        searched = f" --search {shlex.quote(search)}" if search else ""
        say_aside(f"More: pillarbox user list{searched} --limit {limit} --after {shown[-1].id}")


def _row(user: User) -> dict[str, Any]:
    row: dict[str, Any] = plain({
        "id": user.id, "name": user.name, "address": user.address, "settings": user.choice, "method": user.method,
        "disabled": user.disabled,
    })  # fmt: skip
    return row


def _setting(user: User) -> str:
    if user.choice is Choice.FROM_COMPANY:
        return "From company"
    method = "None" if user.method == NONE else user.method
    return f"Personal, {method}{' (switched off)' if user.disabled else ''}"


@command.command("show")
@click.argument("user")
@json_option
@click.pass_obj
def show(state: State, user: str) -> None:
    """Show a user's e-mail setting. Secrets are references, so nothing secret is shown.

    \b
    Examples:
      pillarbox user show anna
    """
    print_record(state, state.mailer.directory.look_up(user)[1])


@command.command("add", cls=UserCommand)
@click.argument("user")
@user_options
@json_option
@click.pass_context
def add(ctx: click.Context, /, user: str, **given: Any) -> None:
    """Add USER. A new user's e-mail setting is From company, unless --settings personal is given.

    \b
    Examples:
      pillarbox user add anna --address anna@acme.example --name "Anna Berg"
      pillarbox user add otto --address otto@acme.example --settings personal --method smtp \\
          --server mail.acme.example --username otto@acme.example --password
      pillarbox user add otto --method smtp --help
    """
    directory = ctx.obj.mailer.directory
    _refuse_known(directory, user)
    save = functools.partial(directory.save, version="", by=actor())
    change(ctx, None, User(id=user), given, save)


def _refuse_known(directory: Any, user: str) -> None:
    directory.look_up(None)
    try:
        directory.look_up(user)
    except SettingsError:
        return
    raise SettingsError(
        f"There is a user {user} already.", cure=f"Change it: pillarbox user set {user} --help"
    )


@command.command("set", cls=UserCommand)
@click.argument("user")
@user_options
@move_option
@json_option
@click.pass_context
def set_(ctx: click.Context, /, user: str, **given: Any) -> None:
    """Change USER's e-mail setting, and say what will happen with their mail.

    A method has options of its own, which --help lists for the one named with --method, or else the one in use. A field
    that is not named keeps its value; so do the settings of other methods. Secrets are asked for, never arguments.

    \b
    Examples:
      pillarbox user set otto --settings company
      pillarbox user set otto --settings personal --method smtp --server mail.acme.example \\
          --username otto@acme.example --password
      pillarbox user set otto --method smtp --help
    """
    directory = ctx.obj.mailer.directory
    found: User = directory.look_up(user)[1]
    save = functools.partial(directory.save, version=found.version, by=actor())
    change(ctx, found, found, given, save)


@command.command("rename")
@click.argument("old")
@click.argument("new")
@json_option
@click.pass_obj
def rename(state: State, old: str, new: str) -> None:
    """Give the user OLD the id NEW. Settings and what the vault holds go along, and the history tells of it.

    \b
    Examples:
      pillarbox user rename otto otto.lind
    """
    state.mailer.rename_user(old, new, by=actor())
    _done(state, f"{old} is called {new} now.", {"renamed": old, "to": new})


@command.command("remove")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_obj
def remove(state: State, user: str, yes: bool) -> int:
    """Remove USER: their setting and what the vault holds for them go; the history of changes stays.

    Asks first. Exits with 1 when the answer is no.

    \b
    Examples:
      pillarbox user remove otto
      pillarbox user remove otto --yes
    """
    found: User = state.mailer.directory.look_up(user)[1]
    waiting = _waiting_of(state, user)
    if waiting and not state.json:
        mails = f"{waiting:,} mails" if waiting > 1 else "1 mail"
        say_aside(f"Not sent yet: {mails} of {_named(found)}. Those of an account of their own will be held.")
    if not yes and not click.confirm(f"Remove {_named(found)}? Their mail is refused from then on", err=True):
        _done(state, "Nothing was removed.", {"removed": None})
        return 1
    state.mailer.remove_user(user, by=actor())
    _done(state, f"Removed {user}. The history of changes stays.", {"removed": user, "waiting": waiting})
    return 0


@command.command("connect")
@click.argument("user")
@connect_options
@click.pass_obj
def connect_(state: State, /, user: str, **given: Any) -> None:
    """Sign USER's personal account in at its provider, for methods without a password: Microsoft 365, Gmail.

    Opens the provider's page in a browser and waits. The address is printed too, on standard error. Exits with 77 when it
    came to nothing: cancelled, another account, or not everything allowed.

    \b
    Examples:
      pillarbox user connect otto
      pillarbox user connect otto --grant send --paste
    """
    connect(state, user, **given)


@command.command("disconnect")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_obj
def disconnect_(state: State, user: str, yes: bool) -> int:
    """End USER's sign-in: the provider is told, and what was kept is destroyed. Says first what waits.

    Exits with 1 when the answer is no.

    \b
    Examples:
      pillarbox user disconnect otto
      pillarbox user disconnect otto --yes
    """
    return disconnect(state, user, yes=yes)


def _waiting_of(state: State, user: str) -> int:
    """Return how many mails of *user* have not left yet (rule 7)."""
    outbox = state.mailer.existing_queue
    return sum(counted(outbox.lanes(user)).values()) if outbox is not None else 0


def _named(user: User) -> str:
    return f"{user.name} ({user.id})" if user.name else user.id


def _done(state: State, sentence: str, facts: dict[str, Any]) -> None:
    if state.json:
        print_json(facts)
    else:
        say(sentence)
