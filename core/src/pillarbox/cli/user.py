"""`pillarbox user`: each user's e-mail setting."""

from __future__ import annotations

from typing import Any

import click

from .._errors import SettingsError
from .._settings import Choice, User
from ._app import State
from ._output import json_option, plain, print_json, print_table, say
from ._record import F, UserCommand, actor, changed, record_options, save
from .company import print_record


@click.group("user")
def command() -> None:
    """List, add, show, change, rename or remove users."""


def user_options(function: F) -> F:
    """Give a command what a user has beside a record's options."""
    options = (
        click.option("--settings", "choice", type=click.Choice([one.value for one in Choice]), help="company: From company; personal: their own method."),
        click.option("--disabled/--no-disabled", default=None, help="Switch the personal account off, or on again."),
    )  # fmt: skip
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
    """List users and their e-mail settings, by id."""
    users = state.mailer.directory.users(after, limit, search)
    if state.json:
        print_json([_row(user) for user in users])
        return
    if not users:
        say("No users." if not search and not after else "No user fits.")
        return
    rows = [(user.id, user.name or "-", user.address or "-", _setting(user)) for user in users]
    print_table(("user", "name", "address", "e-mail setting"), rows)
    if len(users) == limit:
        say(f"More: pillarbox user list --after {users[-1].id}")


def _row(user: User) -> dict[str, Any]:
    row: dict[str, Any] = plain({
        "id": user.id, "name": user.name, "address": user.address, "settings": user.choice, "method": user.method,
        "disabled": user.disabled,
    })  # fmt: skip
    return row


def _setting(user: User) -> str:
    if user.choice is Choice.FROM_COMPANY:
        return "From company"
    return f"Personal, {'None' if user.method == 'none' else user.method}{' (switched off)' if user.disabled else ''}"


@command.command("show")
@click.argument("user")
@json_option
@click.pass_obj
def show(state: State, user: str) -> None:
    """Show a user's e-mail setting. Secrets are references, so nothing secret is shown."""
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
    """
    if any(one.id == user for one in ctx.obj.mailer.directory.users(limit=1_000_000_000)):
        raise SettingsError(
            f"There is a user {user} already.", cure=f"Change it: pillarbox user set {user} ..."
        )
    save(ctx, changed(ctx, User(id=user), _chosen(given)), None)


@command.command("set", cls=UserCommand)
@click.argument("user")
@user_options
@json_option
@click.pass_context
def set_(ctx: click.Context, /, user: str, **given: Any) -> None:
    """Change USER's e-mail setting, and say what will happen with their mail.

    The options of the method are listed by --help behind a user's name: pillarbox user set otto --method smtp --help

    \b
    Examples:
      pillarbox user set otto --settings company
      pillarbox user set otto --settings personal --method smtp --server mail.acme.example
    """
    found = ctx.obj.mailer.directory.look_up(user)[1]
    save(ctx, changed(ctx, found, _chosen(given)), found)


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    choice = given.get("choice")
    return {**given, "choice": Choice(choice) if choice else None}


@command.command("rename")
@click.argument("old")
@click.argument("new")
@json_option
@click.pass_obj
def rename(state: State, old: str, new: str) -> None:
    """Give the user OLD the id NEW; settings, history and what the vault holds go along."""
    state.mailer.rename_user(old, new, by=actor())
    _done(state, f"{old} is called {new} now.", {"renamed": old, "to": new})


@command.command("remove")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_obj
def remove(state: State, user: str, yes: bool) -> None:
    """Remove USER: their setting and what the vault holds for them go; the history of changes stays."""
    found = state.mailer.directory.look_up(user)[1]
    if not yes:
        click.confirm(
            f"Remove {found} ({found.id})? Their mail is refused from then on", abort=True, err=True
        )
    state.mailer.remove_user(user, by=actor())
    _done(state, f"Removed {user}. The history of changes stays.", {"removed": user})


def _done(state: State, sentence: str, facts: dict[str, Any]) -> None:
    if state.json:
        print_json(facts)
    else:
        say(sentence)
