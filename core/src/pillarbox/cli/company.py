"""`pillarbox company`: the company's e-mail setting."""

from __future__ import annotations

from typing import Any

import click

from .._settings import Company, User, table_of
from ._app import State
from ._output import json_option, plain, print_json, say
from ._record import CompanyCommand, changed, record_options, save


@click.group("company")
def command() -> None:
    """Show or change the company's e-mail setting."""


@command.command("show")
@json_option
@click.pass_obj
def show(state: State) -> None:
    """Show the company's e-mail setting. Secrets are references, so nothing secret is shown."""
    print_record(state, state.mailer.directory.look_up(None)[0])


@command.command("set", cls=CompanyCommand)
@record_options
@click.option(
    "--reply-to", metavar="ADDRESS", help="Where answers to users' mail go, unless a message says otherwise."
)
@json_option
@click.pass_context
def set_(ctx: click.Context, /, **given: Any) -> None:
    """Change the company's e-mail setting, and say what will happen with its mail.

    The options below --unset are those of the method: of the one given with --method, or the one in use. A field that
    is not named keeps its value; so do the settings of other methods.

    \b
    Examples:
      pillarbox company set --name "Acme Ltd" --address orders@acme.example
      pillarbox company set --method smtp --server smtp.acme.example --username orders@acme.example --password
      pillarbox company set --method smtp --help
    """
    company = ctx.obj.mailer.directory.look_up(None)[0]
    save(ctx, changed(ctx, company, given), company)


def print_record(state: State, record: Company | User) -> None:
    """Print *record* as it stands in the settings file."""
    table = table_of(record)
    if state.json:
        print_json({"version": record.version, **plain(table)})
        return
    for name, value in table.items():
        if isinstance(value, dict):
            say(f"{name}")
            for field, inner in value.items():
                say(f"  {field:<18} {_shown(inner)}")
        else:
            say(f"{name:<20} {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"in {kind} {where}" for kind, where in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
