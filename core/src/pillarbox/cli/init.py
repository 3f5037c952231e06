"""`pillarbox init`: a settings file, asked for or given."""

from __future__ import annotations

import sys
from typing import Any

import click

from .._schema import Role
from .._settings import NONE, Company, plain_settings
from ._app import State
from ._output import json_option, say
from ._record import RecordCommand, changed, record_options, told


class InitCommand(RecordCommand):
    """About a company that is not there yet."""

    @staticmethod
    def find(state: State, args: Any) -> None:
        """Return None: there is nothing to look at."""


@click.command("init", cls=InitCommand)
@record_options
@click.option(
    "--reply-to", metavar="ADDRESS", help="Where answers to users' mail go, unless a message says otherwise."
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Write a settings file with the company's e-mail setting. Asks for what is not given; never overwrites.

    \b
    Examples:
      pillarbox init
      pillarbox init --address orders@acme.example --name "Acme Ltd" --method smtp \\
          --server smtp.acme.example --username orders@acme.example --password-env ACME_SMTP_PASSWORD
      pillarbox init --method smtp --help
    """
    from .._accounts import saving_problem
    from .._plugins import Plugins
    from .._toml import TomlDirectory, refuse_existing

    state: State = ctx.obj
    refuse_existing(state.config)
    if sys.stdin.isatty() and not any(given[key] for key in ("address", "name", "method")):
        given = _asked(given)
    company = changed(ctx, Company(typed_by=Role.DEPLOYER), given)
    saving_problem(company, company, Plugins())
    TomlDirectory.create(state.config, company)
    told(ctx, company)
    if not state.json:
        _next_steps(company)


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return *given* with what a person typed."""
    answers = dict(given)
    answers["name"] = click.prompt("The company's name", err=True)
    answers["address"] = click.prompt("The company's e-mail address", err=True)
    methods = ["none", "smtp", "m365", "gmail", "mapi"]
    answers["method"] = click.prompt("How it sends", type=click.Choice(methods), default="smtp", err=True)
    return answers


def _next_steps(company: Company) -> None:
    say()
    if company.method == NONE or not plain_settings(company.methods.get(company.method, {})):
        say("Next:  pillarbox company set --method smtp --help     what SMTP needs")
    say("Next:  pillarbox user add anna --address anna@acme.example --name 'Anna Berg'")
    say("       pillarbox check                                  look whether the account works")
