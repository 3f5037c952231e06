"""`pillarbox company`: the company's e-mail setting."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import click

from .._settings import COMPANY_KEYS, USER_KEYS, Company, User, table_of
from ._app import State
from ._connecting import connect, connect_options, disconnect
from ._fields import CompanyCommand
from ._output import columns, json_option, plain, print_json, say
from ._record import actor, change, move_option, record_options


@click.group("company")
def command() -> None:
    """Show or change the company's e-mail setting, and sign its account in.

    \b
    Examples:
      pillarbox company show
      pillarbox company set --method smtp --help
    """


@command.command("show")
@json_option
@click.pass_obj
def show(state: State) -> None:
    """Show the company's e-mail setting. Secrets are references, so nothing secret is shown.

    \b
    Examples:
      pillarbox company show
      pillarbox company show --json
    """
    print_record(state, state.mailer.directory.look_up(None)[0])


@command.command("set", cls=CompanyCommand)
@record_options
@click.option(
    "--reply-to", metavar="ADDRESS", help="Where answers to users' mail go, unless a message says otherwise."
)
@move_option
@json_option
@click.pass_context
def set_(ctx: click.Context, /, **given: Any) -> None:
    """Change the company's e-mail setting, and say what will happen with its mail.

    A method has options of its own, which --help lists for the one named with --method, or else the one in use. A field
    that is not named keeps its value; so do the settings of other methods. Secrets are asked for, never arguments.

    \b
    Examples:
      pillarbox company set --name "Acme Ltd" --address orders@acme.example
      pillarbox company set --method smtp --server smtp.acme.example --username orders@acme.example --password
      pillarbox company set --method smtp --help
    """
    directory = ctx.obj.mailer.directory
    company: Company = directory.look_up(None)[0]
    save = functools.partial(directory.save, version=company.version, by=actor())
    change(ctx, company, company, given, save)


@command.command("connect")
@connect_options
@click.pass_obj
def connect_(state: State, /, **given: Any) -> None:
    """Sign the company's account in at its provider, for methods without a password: Microsoft 365, Gmail.

    Opens the provider's page in a browser and waits. The address is printed too, on standard error. Exits with 77 when it
    came to nothing: cancelled, another account, or not everything allowed.

    \b
    Examples:
      pillarbox company connect
      pillarbox company connect --grant send
      pillarbox company connect --device
    """
    connect(state, None, **given)


@command.command("disconnect")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_obj
def disconnect_(state: State, yes: bool) -> int:
    """End the company's sign-in: the provider is told, and what was kept is destroyed. Says first what waits.

    Exits with 1 when the answer is no.

    \b
    Examples:
      pillarbox company disconnect
      pillarbox company disconnect --yes
    """
    return disconnect(state, None, yes=yes)


def print_record(state: State, record: Company | User) -> None:
    """Print *record* as it stands in the settings file, and its own settings also where they are the default."""
    table = table_of(record)
    if state.json:
        print_json({"version": record.version, **plain(table)})
        return
    known = COMPANY_KEYS if isinstance(record, Company) else USER_KEYS
    own = {key: table.get(key, default) for key, default in known.items() if key != "id"}
    rest = {key: value for key, value in table.items() if key not in known}
    for line in columns(list(_lines({**own, **rest}))):
        say(line)


def _lines(table: Mapping[str, Any], indent: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and not {"env", "file", "vault"} >= set(value):
            yield f"{indent}{name}", ""
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{name}", _shown(value)


_PLACES = {"env": "in the variable", "file": "in the file", "vault": "in the vault, as"}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_PLACES[kind]} {where}" for kind, where in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value) or "-"
